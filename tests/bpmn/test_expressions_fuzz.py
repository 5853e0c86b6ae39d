"""Whatever is written, and whatever the variables hold: a value or an ExpressionError, and soon."""

import contextlib
import time

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpmn.errors import ExpressionError
from bpmn.expressions import parse, parse_feel, parse_unary_tests, plain
from bpmn.expressions.functions import FUNCTIONS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abc") | st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
VARIABLES = st.dictionaries(st.sampled_from(["a", "b", "c", "申请人"]), JSON)
WORDS = [
    "a",
    "b",
    "c",
    "申请人",
    "x",
    "1",
    "0",
    "2.5",
    "9",
    "'q'",
    '"q"',
    '"2026-01-01"',
    '"P1D"',
    "true",
    "false",
    "null",
    "and",
    "or",
    "not",
    "eq",
    "ne",
    "lt",
    "gt",
    "le",
    "ge",
    "div",
    "mod",
    "empty",
    "if",
    "then",
    "else",
    "for",
    "in",
    "return",
    "some",
    "every",
    "satisfies",
    "between",
    "instance",
    "of",
    "number",
    "item",
    "partial",
    "+",
    "-",
    "*",
    "/",
    "**",
    "%",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "<=",
    ">=",
    "=",
    "==",
    "!=",
    "&&",
    "||",
    "!",
    "?",
    ":",
    ".",
    "..",
    ",",
    "@",
    "${",
    "#{",
    "}",
] + [f"{name}(" for name in FUNCTIONS]
PROGRAMS = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join) | st.text(max_size=30)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@contextlib.contextmanager
def soon():
    started = time.process_time()
    with contextlib.suppress(ExpressionError):
        yield
    assert time.process_time() - started < 1


@FUZZ
@given(PROGRAMS, VARIABLES)
def test_juel__any_text(source, variables):
    with soon():
        plain(parse("${" + source + "}").evaluate(variables, {"x": len}))


@FUZZ
@given(PROGRAMS, VARIABLES)
def test_feel__any_text(source, variables):
    with soon():
        plain(parse_feel(source).evaluate(variables, {"x": len}))


@FUZZ
@given(PROGRAMS, JSON, VARIABLES)
def test_unary_tests__any_text(source, value, variables):
    with soon():
        assert parse_unary_tests(source).matches(value, variables) in (True, False)


@FUZZ
@given(st.text(max_size=60), VARIABLES)
def test_attribute__any_text(source, variables):
    with soon():
        parse(source).evaluate(variables)


#: Values of every kind that a function can be given, written in FEEL.
ARGUMENTS = st.sampled_from(
    [
        "a",
        "b",
        "c",
        "null",
        "true",
        "0",
        "-1",
        "2.5",
        "1e6000",
        '""',
        '"x"',
        '"2026-01-01"',
        '"P1D"',
        '"(a"',
        "[]",
        '[1,"a",null]',
        "{}",
        "{a:1}",
        "[1..3]",
        "(1..1)",
        '@"P1Y"',
        '@"PT1H"',
        '@"2026-01-01"',
        '@"2026-01-01T00:00:00Z"',
        '@"08:00:00"',
        '@"08:00:00+08:00"',
        "[[1]]",
    ]
)


@settings(FUZZ, max_examples=500)
@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(ARGUMENTS, max_size=4), VARIABLES)
def test_functions__any_arguments(name, arguments, variables):
    with soon():
        plain(parse_feel(f"{name}({', '.join(arguments)})").evaluate(variables))


@settings(FUZZ, max_examples=500)
@given(ARGUMENTS, st.sampled_from(["+", "-", "*", "/", "**", "<", ">=", "=", "!=", "in", "and", "or", "."]), ARGUMENTS, VARIABLES)
def test_operators__any_operands(left, operator, right, variables):
    with soon():
        plain(parse_feel(f"{left} {operator} {right}").evaluate(variables))
