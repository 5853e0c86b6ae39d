"""Decisions (DMN): tables and expressions as Camunda Modeler saves them, read once and evaluated often."""

from bpmn.decisions.decision import Decision
from bpmn.decisions.document import parse

__all__ = ["Decision", "parse"]
