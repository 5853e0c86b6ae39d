"""Trails (足迹): what simulations know of the paths of a drawing; everything of it is in `bpmn.simulation`."""

from __future__ import annotations

from bpmn.simulation.outlook import FAR, Aim, Outlook
from bpmn.simulation.paths import LIMIT, Criterion, Path, Step
from bpmn.simulation.trails import Trail

__all__ = ["FAR", "LIMIT", "Aim", "Criterion", "Outlook", "Path", "Step", "Trail"]
