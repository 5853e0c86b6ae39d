"""Trails (足迹): what simulations know of the paths of a drawing; everything of it is in `bpmn.simulation`."""

from __future__ import annotations

from bpmn.simulation.outlook import FAR, Outlook
from bpmn.simulation.paths import LIMIT, Criterion, Path
from bpmn.simulation.trails import Trail

__all__ = ["FAR", "LIMIT", "Criterion", "Outlook", "Path", "Trail"]
