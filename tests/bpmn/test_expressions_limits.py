"""No expression does more than 50 ms allow (docs/benchmarks.md), or holds more than 10 MB, however it is written."""

import pytest

from bpmn.expressions import parse, parse_feel, plain
from tests.bpmn import test_expressions_feel, test_expressions_juel
from tests.bpmn.frugal import frugally, sparingly

VARIABLES = {
    **test_expressions_feel.VARIABLES,
    **test_expressions_juel.VARIABLES,
    "xs": list(range(10_000)),
    "deep": {"a": [{"b": ["c"] * 100}] * 100},
    "long": "x" * 100_000,
    "text": "a" * 1_900 + "!",
}
#: What costs much for its length.
COSTLY = [
    "for i in 1..99999 return 2 ** 0.5",
    "for i in 1..9000 return exp(i / 100)",
    "for i in 1..9000 return log(i)",
    "for i in 1..9000 return sqrt(i)",
    "for i in 1..9000 return modulo(i * 1.7, 3.3)",
    "for i in 1..9000 return string(i)",
    'for i in 1..9000 return date("2026-01-01") + @"P1D" * i',
    'for i in 1..9000 return @"2026-01-01T00:00:00@Europe/Paris" + @"PT1H"',
    "{f: function(n) if n = 0 then 0 else f(n - 1) + f(n - 1), z: f(30)}.z",
    "sort(for i in 1..9000 return modulo(i * 7919, 10007), function(a, b) a < b)",
    "sort(for i in 1..9000 return modulo(i * 7919, 10007))",
    "for i in 1..9000 return {a: i, b: i}",
    "for i in 1..9000 return [i, i, i, i]",
    "for i in 1..9000, j in 1..3 return {a: i, b: {c: j}}",
    "median(for i in 1..9000 return i / 7)",
    "stddev(for i in 1..9000 return i / 7)",
    "distinct values(for i in 1..200 return i)",
    "{xs: for i in 1..200 return i, z: distinct values(concatenate(xs, xs, xs))}",
    'replace("' + "a" * 1900 + '", "a*", "b")',
    'matches("' + "a" * 1900 + '!", "a*$")',
    'matches("' + "a" * 40 + '!", "a*a*a*$")',
    'for i in 1..9000 return matches("' + "a" * 40 + '!", "a*a*a*$")',
    'for i in 1..300 return matches("' + "a" * 1900 + '!", "a*$")',
    'for i in 1..9000 return "' + "x" * 7 + '" + string(i)',
    'for i in 1..9000 return upper case("' + "x" * 5000 + '")',
    'split("' + "a;" * 4500 + '", ";")',
    "string(for i in 1..9000 return i)",
    "[" + ",".join(["1"] * 1450) + "]",
    "{" + ",".join(f"a{i}: {i}" for i in range(700)) + "}",
    "x." * 140 + "y",
    " + ".join(["a b c d e f g"] * 140),
    "a " * 2900,
    "f(" * 45 + ")" * 45,
    "for i in 1..9000 return i in ([1..5], [7..9], 12)",
    "every x in 1..99999 satisfies x instance of number",
    "for i in 1..9000 return for j in 1..2 return i * j + 1 / 3",
    "(9 ** 9 ** 9)",
    "9999999999999999999999999999999999 ** 6143",
    "1.0000000000000000000000000000001 ** 99999999999999999999",
    'for i in 1..9000 return split("a,b", ",")',
    "for i in 1..9000 return (function(x) x * 2)(i)",
    "xs[item > 0]",
    "for i in 1..90 return xs[item > i]",
    "exp(14000)",
    "log(1e6000)",
    "sqrt(1e-6000)",
    "modulo(1e6000, 3)",
    "decimal(1e30, 30)",
    'number("' + "9" * 9000 + '")',
    '"' + "\\u4e00" * 1600 + '"',
    "-" * 2900 + "1",
    "[[" * 24 + "]]" * 24,
    "not(" * 48 + "true" + ")" * 48,
    "for i in 1..9000 return xs instance of list<number>",
    "{f: function(v: list<number>) 1, z: for i in 1..9000 return f(xs)}.z",
    "for i in 1..9000 return string(deep)",
    "for i in 1..9000 return deep = deep",
    "for i in 1..9000 return long + long",
    "for i in 1..9000 return sort(xs)",
    "for i in 1..9000 return sum(xs)",
    "for i in 1..9000 return stddev(xs)",
    'for i in 1..9000 return context put(deep, "a", 1)',
    "for a in xs, b in xs, c in xs return 1",
    "count(xs[count(xs[item > 1]) > 1])",
]
JUEL = [
    "${long}" * 1_200,
    "${deep}" * 1_200,
    "${" + " && ".join(["not text.matches('a*$')"] * 140) + "}",
    "${" + "long" + ".concat(long)" * 140 + "}",
    "${" + "xs.contains(-1) or " * 140 + "yes}",
    "${" + "long.replace('x', 'yy').length() + " * 140 + "1}",
]


def run_feel(text):
    plain(parse_feel(text).evaluate(VARIABLES))


@pytest.mark.parametrize("text", [*COSTLY, *test_expressions_feel.HOSTILE], ids=lambda text: text[:40])
def test_feel__costly(text):
    frugally(lambda: run_feel(text))
    sparingly(lambda: run_feel(text))


@pytest.mark.parametrize("text", [*JUEL, *test_expressions_juel.HOSTILE], ids=lambda text: text[:40])
def test_juel__costly(text):
    frugally(lambda: parse(text).evaluate(VARIABLES))
    sparingly(lambda: parse(text).evaluate(VARIABLES))
