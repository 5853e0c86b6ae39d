"""FEEL's built-in functions, by subject."""

from bpmn.expressions.functions import dates, lists, numbers, texts
from bpmn.expressions.functions.registry import FUNCTIONS, Function

__all__ = ["FUNCTIONS", "Function", "dates", "lists", "numbers", "texts"]
