"""FEEL's built-in functions, by subject."""

from bpmn.expressions.functions import contexts, dates, lists, numbers, ranges, texts
from bpmn.expressions.functions.registry import FUNCTIONS, Function, Signature

__all__ = ["FUNCTIONS", "Function", "Signature", "contexts", "dates", "lists", "numbers", "ranges", "texts"]
