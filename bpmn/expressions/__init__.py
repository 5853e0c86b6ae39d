"""Expressions of diagrams, tables and forms: JUEL (`${…}`) and FEEL (`=…`), by an evaluator of our own.

Nothing from a diagram is ever run as Python: an expression can read the variables it is given, call the functions it is given, and
calculate, within limits.
"""

from bpmn.expressions.expression import Expression, no_condition, parse, parse_feel
from bpmn.expressions.unary_tests import UnaryTests, parse_unary_tests
from bpmn.expressions.values import plain

__all__ = ["Expression", "UnaryTests", "no_condition", "parse", "parse_feel", "parse_unary_tests", "plain"]
