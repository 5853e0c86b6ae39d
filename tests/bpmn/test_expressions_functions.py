"""FEEL's built-in functions, one law per row."""

import datetime as dt
from decimal import Decimal

import pytest

from bpmn.errors import ExpressionError
from bpmn.expressions import parse_feel
from bpmn.expressions.functions import FUNCTIONS

LAWS = [
    ("string(1.50)", "1.5"),
    ("string(true)", "true"),
    ('string(date("2026-01-02"))', "2026-01-02"),
    ("string(null)", None),
    ('string([1, "a"])', '[1, "a"]'),
    ('string length("一件事")', 3),
    ('substring("foobar", 3)', "obar"),
    ('substring("foobar", -2, 1)', "a"),
    ('substring(string: "foobar", start position: 1, length: 3)', "foo"),
    ('upper case("aB")', "AB"),
    ('lower case("aB")', "ab"),
    ('trim(" a ")', "a"),
    ('substring before("foobar", "bar")', "foo"),
    ('substring before("foobar", "xyz")', ""),
    ('substring after("foobar", "ob")', "ar"),
    ('substring after("foobar", "")', "foobar"),
    ('contains("foobar", "ob")', True),
    ('starts with("foobar", "fo")', True),
    ('ends with("foobar", "fo")', False),
    ('matches("foobar", "^fo*b")', True),
    ('matches("FOO", "foo", "i")', True),
    ('replace("abcd", "(ab)|(a)", "[1=$1]")', "[1=ab]cd"),
    (r'replace("a.b", "\\.", "\\1$")', r"a\1$b"),
    ('split("a;b;;c", ";")', ["a", "b", "", "c"]),
    ('string join(["a", null, "b"], "-")', "a-b"),
    ('string join(["a", "b"])', "ab"),
    ('number("1 000,50", " ", ",")', Decimal("1000.5")),
    ('number("12")', 12),
    ("decimal(2.5, 0)", 2),
    ("decimal(1.115, 2)", Decimal("1.12")),
    ("floor(-1.5)", -2),
    ("ceiling(1.2)", 2),
    ("ceiling(1.21, 1)", Decimal("1.3")),
    ("round up(1.1, 0)", 2),
    ("round down(-1.9, 0)", -1),
    ("round half up(2.5, 0)", 3),
    ("round half down(2.5, 0)", 2),
    ("abs(-3)", 3),
    ("modulo(-12, 5)", 3),
    ("modulo(12, -5)", -3),
    ("sqrt(16)", 4),
    ("log(1)", 0),
    ("exp(0)", 1),
    ("odd(-3)", True),
    ("even(4)", True),
    ("not(true)", False),
    ("is defined(null)", False),
    ("list contains([1, null], null)", True),
    ("list contains([1, 2], 3)", False),
    ("count([1, 2, 3])", 3),
    ("count(null)", None),
    ("min(3, 1, 2)", 1),
    ('max(["a", "c", "b"])', "c"),
    ("min([])", None),
    ("sum(1, 2, 0.5)", Decimal("3.5")),
    ("sum([])", None),
    ("product([2, 3])", 6),
    ("mean([1, 2])", Decimal("1.5")),
    ("median([3, 1, 2])", 2),
    ("median([1, 2, 3, 4])", Decimal("2.5")),
    ("stddev([2, 4, 4, 4, 5, 5, 7, 9]) > 2.13", True),
    ("stddev([1])", None),
    ("all([true, null])", None),
    ("all([])", True),
    ("all(true, false, null)", False),
    ("any([false, true, null])", True),
    ("any([false, null])", None),
    ("sublist([4, 5, 6], 2)", [5, 6]),
    ("sublist([4, 5, 6], -2, 1)", [5]),
    ("append([1], 2)", [1, 2]),
    ("concatenate([1], [2, 3])", [1, 2, 3]),
    ("insert before([1, 3], 2, 2)", [1, 2, 3]),
    ("remove([1, 2, 3], -1)", [1, 2]),
    ("reverse([1, 2])", [2, 1]),
    ("index of([1, 2, 1], 1)", [1, 3]),
    ("distinct values([1, 2, 1.0, null, null])", [1, 2, None]),
    ("union([1, 2], [2, 3])", [1, 2, 3]),
    ("flatten([[1, [2]], 3])", [1, 2, 3]),
    ("sort([3, 1, 2])", [1, 2, 3]),
    ('get value({a: 1}, "a")', 1),
    ('get value({a: 1}, "b")', None),
    ("get entries({a: 1})", [{"key": "a", "value": 1}]),
    ('date(date and time("2026-01-02T03:04:05"))', dt.date(2026, 1, 2)),
    ('date and time("2026-01-02")', dt.datetime.fromisoformat("2026-01-02")),
    ('time(8, 30, 0, duration("PT8H"))', dt.time(8, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))),
    ('time(date and time("2026-01-02T03:04:05"))', dt.time(3, 4, 5)),
    ('duration("-P1DT2H")', -dt.timedelta(days=1, hours=2)),
    ('years and months duration(date("2026-03-31"), date("2026-01-31")).months', -2),
    ('day of week(date("2026-11-25"))', "Wednesday"),
    ('day of year(date("2026-02-01"))', 32),
    ('month of year(date("2026-02-01"))', "February"),
    ('week of year(date("2026-01-01"))', 1),
]


@pytest.mark.parametrize(("text", "expected"), LAWS)
def test_evaluate__builtin(text, expected):
    found = parse_feel(text).evaluate({})

    assert found == expected
    assert isinstance(found, bool) == isinstance(expected, bool)


def test_laws__every_function_has_one():
    assert {name for name in FUNCTIONS if not any(f"{name}(" in text for text, _ in LAWS)} == set()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('substring("a", 0)', "from 1 on"),
        ('number("twelve")', "a text that is a number"),
        ("decimal(1, 99)", "at most 34 digits"),
        ("sqrt(-1)", "from 0 on"),
        ("log(0)", "above 0"),
        ("odd(1.5)", "a whole number"),
        ("modulo(1, 0)", "the divisor is 0"),
        ("sum(1, true)", r"Expected a number, but it is a boolean \(true\), in sum\(\)"),
        ('min(1, "a")', "two values of one kind"),
        ("all(1)", "true or false in the list"),
        ("remove([1], 2)", "within the list of 1"),
        ("sublist([1], 3)", "within the list of 1"),
        ('sort([1, "a"])', "two values of one kind"),
        ('get value(1, "a")', "Expected a context"),
        ("not(1)", "after not"),
        ('date and time(date("2026-01-01"), 8)', "Expected a time"),
        ("time(25, 0, 0)", "of the day"),
        ("day of week(1)", "Expected a date"),
        ('matches("a", "(")', "Expected a regular expression"),
        ('matches("a", "a", "q")', "only the flags"),
        ('matches("a", "(a*)*")', "one fixed length"),
        ('matches("a", "(a)\\\\1")', "without a reference to a group"),
        ('replace("a", "a", "$2")', "Expected a replacement"),
    ],
)
def test_evaluate__builtin_refuses(text, message):
    with pytest.raises(ExpressionError, match=message):
        parse_feel(text).evaluate({})
