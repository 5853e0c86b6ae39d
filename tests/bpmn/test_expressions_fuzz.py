"""Whatever is written, and whatever the variables hold: a value or an ExpressionError, soon, and without much memory."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bpmn.expressions import juel_methods, parse, parse_feel, parse_unary_tests, plain
from bpmn.expressions.functions import FUNCTIONS
from tests.bpmn.frugal import frugally, sparingly

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
    "function(",
    "external",
    "list<",
    "context<",
    "execution.",
    "getVariable(",
    "length()",
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


def run_juel(source, variables):
    plain(parse(source).evaluate(variables, {"x": len}))


def run_feel(source, variables):
    plain(parse_feel(source, ["a b", "c"]).evaluate(variables, {"x": len}))


@FUZZ
@given(PROGRAMS, VARIABLES)
def test_juel__any_text(source, variables):
    frugally(lambda: run_juel("${" + source + "}", variables))


@FUZZ
@given(PROGRAMS, VARIABLES)
def test_feel__any_text(source, variables):
    frugally(lambda: run_feel(source, variables))


@FUZZ
@given(PROGRAMS, JSON, VARIABLES)
def test_unary_tests__any_text(source, value, variables):
    def run():
        assert parse_unary_tests(source).matches(value, variables) in (True, False)

    frugally(run)


@FUZZ
@given(st.text(max_size=60), VARIABLES)
def test_attribute__any_text(source, variables):
    frugally(lambda: run_juel(source, variables))


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
        "function(x) x",
        "function(p, q) p < q",
        "(1..9999]",
        '["b", "a"]',
        '@"2026-03-29T01:30:00@Europe/Paris"',
        '@"08:00:00@Asia/Shanghai"',
        '@"-P9998Y"',
        '@"9999-12-31"',
    ]
)


@settings(FUZZ, max_examples=500)
@given(st.sampled_from(sorted(FUNCTIONS)), st.lists(ARGUMENTS, max_size=4), VARIABLES)
def test_functions__any_arguments(name, arguments, variables):
    frugally(lambda: run_feel(f"{name}({', '.join(arguments)})", variables))


@settings(FUZZ, max_examples=500)
@given(ARGUMENTS, st.sampled_from(["+", "-", "*", "/", "**", "<", ">=", "=", "!=", "in", "and", "or", "."]), ARGUMENTS, VARIABLES)
def test_operators__any_operands(left, operator, right, variables):
    frugally(lambda: run_feel(f"{left} {operator} {right}", variables))


@settings(FUZZ, max_examples=300)
@given(
    ARGUMENTS,
    st.sampled_from(sorted(juel_methods.NAMES)),
    st.lists(st.sampled_from(["a", "b", "1", "-9e9", "'x'", "null"]), max_size=3),
    VARIABLES,
)
def test_methods__any_arguments(value, name, arguments, variables):
    frugally(lambda: run_juel("${" + f"a.{name}({', '.join(arguments)})" + "}", {**variables, "a": parse_feel(value).evaluate(variables)}))


def combined(parts):
    """Expressions made of smaller ones, all of them well-formed."""
    a, b, c = parts, parts, parts
    shapes = [
        "({} + {})",
        "if {} = {} then 1 else {}",
        "for x in {} return {}",
        "for x in {}, y in 1..9999 return {}",
        "some x in {} satisfies {} = x",
        "{{a: {}, b: {}}}.b",
        "[{}, {}][item != {}]",
        "{}[{}]",
        "count([{}, {}])",
        "sort({}, function(p, q) {} < q)",
        "{{f: function(x) {}, g: f({})}}.g",
        "{{f: function(x) if x = 0 then {} else f(x - 1), g: f(9)}}.g",
        "flatten([{}, {}])",
        "string({})",
        "{} in ({}, [1..9])",
        "{} between {} and {}",
        "concatenate({}, {})",
        "{} instance of list<number>",
        "{} ** {}",
        'replace(string({}), "[a-z]*", "xx")',
    ]
    return st.tuples(st.sampled_from(shapes), a, b, c).map(lambda drawn: drawn[0].format(*drawn[1:]))


@settings(FUZZ, max_examples=400)
@given(st.recursive(ARGUMENTS | st.sampled_from(["x", "item", "partial"]), combined, max_leaves=12), VARIABLES)
@example("for x in a, y in 1..9999 return a", {"a": {"a": [], "": []}})
def test_feel__any_expression(source, variables):
    frugally(lambda: run_feel(source, variables))


@settings(FUZZ, max_examples=100)
@given(st.recursive(ARGUMENTS, combined, max_leaves=12) | PROGRAMS, VARIABLES)
def test_feel__any_expression_takes_little_memory(source, variables):
    sparingly(lambda: run_feel(source, variables))
