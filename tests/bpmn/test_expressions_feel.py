"""FEEL: `=…` and the cells of decision tables mean what DMN 1.3 means by them."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from bpmn.errors import ExpressionError
from bpmn.expressions import limits, parse, parse_feel, parse_unary_tests, plain
from bpmn.expressions.feel import Range
from bpmn.expressions.temporal import YearsMonths

VARIABLES = {
    "amount": 200,
    "share": 0.1,
    "status": "open",
    "nothing": None,
    "yes": True,
    "numbers": [3, 1, 2],
    "经营面积": 120,
    "applicant": {"name": "张三", "first name": "三", "born": dt.date(2001, 2, 3)},
    "items": [{"code": "food", "days": 5, "tags": ["a"]}, {"code": "fire", "days": 10, "tags": []}],
    "floor area": 88,
    "date of birth and place": "Changsha",
}
KNOWN = ("floor area", "date of birth and place")


def value(text, **functions):
    return parse_feel(text, KNOWN).evaluate(VARIABLES, functions)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # numbers are decimals
        ("0.1 + 0.2 = 0.3", True),
        ("share + 0.2 = 0.3", True),
        ("amount / 3 * 3 = 200", True),
        ("1 + 2 * 3 ** 2", 19),
        ("-2 ** 2", 4),
        ("10 - 3 - 2", 5),
        (".5 + 1", Decimal("1.5")),
        # logic of three values
        ("true and null", None),
        ("false and null", False),
        ("true or nothing", True),
        ("null or false", None),
        ("not(nothing)", None),
        # comparisons
        ("nothing = null", True),
        ("1 = null", False),
        ('1 = "1"', None),
        ("1 != 2", True),
        ("nothing < 3", None),
        ("amount between 100 and 200", True),
        ("amount between 201 and 300", False),
        ("amount in [100..200)", False),
        ("amount in (1, 200)", True),
        ("amount in (<5, >100)", True),
        ("amount in <5", False),
        ("amount in (100..200]", True),
        ("5 in ]5..9[", False),
        ('status in ("open", "closed")', True),
        ("2 in numbers", True),
        ("[1, [2]] = [1, [2]]", True),
        ("{a: 1} = {a: 1.0}", True),
        ("[1] = [2]", False),
        # unknown names are null
        ("unknown", None),
        ("unknown.deeper", None),
        # paths, filters
        ("applicant.name", "张三"),
        ("applicant.first name", "三"),
        ("applicant.born.year", 2001),
        ("items.code", ["food", "fire"]),
        ("items[1].code", "food"),
        ("items[-1].code", "fire"),
        ("items[3]", None),
        ("items[1e6000]", None),
        ("items[days > 5].code", ["fire"]),
        ('items[code = "food"][1].days', 5),
        ("numbers[item > 1]", [3, 2]),
        ("numbers[item > amount]", []),
        ("amount[1]", 200),
        ("nothing[1]", None),
        ("nothing[item > 1]", []),
        # forms
        ('if amount > 100 then "big" else "small"', "big"),
        ("if nothing then 1 else 2", 2),
        ("for i in 1..3 return i * i", [1, 4, 9]),
        ("for i in 3..1 return i", [3, 2, 1]),
        ("for x in numbers, y in [10, 20] return x + y", [13, 23, 11, 21, 12, 22]),
        ("for x in [[1], [2]], y in x return y", [1, 2]),
        ("for i in 1..4 return if i = 1 then 1 else partial[-1] * 2", [1, 2, 4, 8]),
        ("some x in numbers satisfies x > 2", True),
        ("every x in numbers satisfies x > 2", False),
        ("every x in [] satisfies false", True),
        ("{a: 1, b: a + 1}.b", 2),
        ('{"full name": "x", y: full name}.y', "x"),
        # names
        ("经营面积 > 100", True),
        ("floor area + 1", 89),
        ("date of birth and place", "Changsha"),
        ("(floor area)*2", 176),
        ("for my item in numbers return my item", [3, 1, 2]),
        # types
        ("1 instance of number", True),
        ("nothing instance of Any", False),
        ('date("2026-01-01") instance of date', True),
        ('@"2026-01-01T00:00:00" instance of date and time', True),
        # comments
        ("1 // one\n + /* two */ 2", 3),
        ('"//not a comment"', "//not a comment"),
        ('"\\u4e00\\n\\""', '一\n"'),
    ],
)
def test_evaluate__feel(text, expected):
    found = value(text)

    assert found == expected
    assert isinstance(found, bool) == isinstance(expected, bool)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('date("2026-01-31") + duration("P1M")', dt.date(2026, 2, 28)),
        ('date("2024-02-29") - duration("P1Y")', dt.date(2023, 2, 28)),
        ('date("2026-03-01") - date("2026-02-01")', dt.timedelta(days=28)),
        ('date("2026-03-01") + duration("P3D")', dt.date(2026, 3, 4)),
        ('duration("P1D") + date("2026-03-01")', dt.date(2026, 3, 2)),
        ('date and time("2026-01-01T23:00:00Z") + duration("PT2H")', dt.datetime(2026, 1, 2, 1, tzinfo=dt.UTC)),
        ('time("23:30") + duration("PT1H")', dt.time(0, 30)),
        ('time("10:00") - time("08:30")', dt.timedelta(hours=1, minutes=30)),
        ('duration("P1Y2M") * 2', YearsMonths(28)),
        ('duration("P1D") / 2', dt.timedelta(hours=12)),
        ('duration("PT30M") / 3', dt.timedelta(minutes=10)),
        ('duration("-P2DT3H") / 3', dt.timedelta(hours=-17)),
        ('duration("P1Y") / 3', YearsMonths(4)),
        ('duration("PT1H") * 1.5', dt.timedelta(minutes=90)),
        ('duration("P1D") / duration("PT6H")', 4),
        ('-duration("P1D")', dt.timedelta(days=-1)),
        ('duration("P2D").days', 2),
        ('duration("P1Y6M").months', 6),
        ('date("2026-11-25") < date and time("2026-11-25T00:00:01")', True),
        ('date("2026-11-25") in [date("2026-01-01")..date("2026-12-31")]', True),
        ('@"P1Y" > @"P11M"', True),
        ('date and time(date("2026-01-01"), time("08:00:00"))', dt.datetime.fromisoformat("2026-01-01T08:00")),
        ("date(2026, 2, 3)", dt.date(2026, 2, 3)),
        ('years and months duration(date("2025-11-26"), date("2026-12-25"))', YearsMonths(12)),
        ('date("2026-11-25").weekday', 3),
        ('day of week(date("2026-11-25"))', "Wednesday"),
        ('date and time("2026-11-25T08:09:10+08:00").time offset', dt.timedelta(hours=8)),
    ],
)
def test_evaluate__feel_dates(text, expected):
    assert value(text) == expected


def test_evaluate__feel_reads_no_clock_but_the_callers():
    with pytest.raises(ExpressionError, match="Expected a known function, but today"):
        value("today()")

    assert value('today() > date("2026-01-01")', today=lambda: dt.date(2026, 11, 25)) is True


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('1 + "a"', r"two values that \+ can combine"),
        ('"a" < 1', "two values of one kind"),
        ("true < false", "two values of one kind"),
        ("1 / 0", "the divisor is 0"),
        ('true and "x"', "Expected true or false after and"),
        ("if 1 then 2 else 3", "Expected true or false after if"),
        ('numbers["a"]', "or a position"),
        ("amount.name", "Expected a context to take name from"),
        ('"x".__class__', "Expected a context to take __class__ from"),
        ('date("2026-02-30")', "Expected a date such as"),
        ("date(2026, 13, 1)", "of the calendar"),
        ('duration("P1Y2D")', "mixes them"),
        ('duration("P")', "Expected a duration such as"),
        ('time("8 o\'clock")', "Expected a time such as"),
        ('date("2026-01-01") + duration("P9999Y")', "between the years 1 and 9999"),
        ('date("9999-12-31") + duration("P9D")', "too large"),
        ('date and time("2026-01-01T00:00:00Z") < date and time("2026-01-01T00:00:00")', "only one of them has a time zone"),
        ('date and time("2026-01-01T00:00:00Z") - date and time("2026-01-01T00:00:00")', "only one of them has a time zone"),
        ("for i in 1.5..3 return i", "Expected a whole number"),
        ("9 ** 9 ** 9 ** 9 ** 9", "too large"),
        ("1e6145", "too large"),
        ("string length(1)", r"in string length\(\)"),
    ],
)
def test_evaluate__feel_refused(text, message):
    with pytest.raises(ExpressionError, match=message):
        value(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the expression ends"),
        ("1 +", "the expression ends at position 4"),
        ("a == 1", "equality is written ="),
        ("a && b", "write and"),
        ("!a", r"write not\(…\)"),
        ("'a'", "double quotation marks"),
        ("if a then b", "Expected else"),
        ("for x return 1", "Expected in"),
        ("[1..2", "at the end of a range"),
        ("{a 1}", "Expected :"),
        ("substring()", r"Expected substring\(string, start position, length\?\), but 0 arguments"),
        ("abs(1, 2)", "2 arguments are given"),
        ("abs(m: 1)", "m is none of them"),
        ("substring(string: 1)", "start position is missing"),
        ("mine(a: 1)", "only functions of FEEL and of the same file take them by name"),
        ("substring(1, length: 2)", "all arguments by name, or none"),
        ("1 instance of thing", "Expected a type"),
        ('@"yesterday"', "Expected a date"),
        ("function(x)", "Expected a value"),
        ("function(x", "Expected ,"),
        ("function(x: thing) x", "Expected a type"),
        ('function(x) external {java: {class: "a.B"}}', "other languages are not supported"),
        ("? > 3", "Expected a value"),
        ("1 > 2 >", "Expected a value"),
        ("a，b", "type ,"),
    ],
)
def test_parse_feel__refused(text, message):
    with pytest.raises(ExpressionError, match=message):
        parse_feel(text)


def test_parse__feel_counts_positions_from_the_sign():
    with pytest.raises(ExpressionError, match="found == at position 5"):
        parse("= a == 1")


def test_parse_feel__remembers_names_and_calls():
    expression = parse('= for i in items return i.days + amount + workdays(limit) + count(items[code = "x"])')

    assert expression.dialect == "feel"
    assert expression.names == {"items", "amount", "limit"}
    assert expression.calls == {"workdays"}


@pytest.mark.parametrize(
    ("cell", "given", "expected"),
    [
        ("-", None, True),
        ("", 1, True),
        ('"open"', "open", True),
        ('"open"', None, False),
        ('"a", "b"', "b", True),
        ("< 5", 4, True),
        ("< 5", None, False),
        ("<= 5, > 10", 7, False),
        ("[1..5)", 5, False),
        ("(1..5]", 5, True),
        ("]1..5[", 3, True),
        ("[1..3], [7..9]", 8, True),
        ('not("a", "b")', "a", False),
        ('not("a", "b")', "c", True),
        ("not(< 5)", 3, False),
        ('not("a")', None, True),
        ("not(< 5)", 7, True),
        ("not(< 5)", None, False),
        ("not([1..4])", None, False),
        ("not(? > 3)", None, False),
        ("not(1, < 5)", None, False),
        ("null", None, True),
        ("null", 1, False),
        ("true", True, True),
        ("true", False, False),
        ("false", False, True),
        ("false", None, False),
        ("true", "x", False),
        ("true", None, False),
        ("true, 3", "x", False),
        ("yes", False, True),
        ("list contains(numbers, 2)", False, True),
        ("? > 3 and ? < 9", 5, True),
        ('contains(?, "三")', "张三", True),
        ("even(?)", 3, False),
        ("amount", 200, True),
        ("numbers", 2, True),
        ("amount > 100", "anything", True),
        ("经营面积", 120, True),
        ('>= date("2026-01-01")', dt.date(2026, 5, 1), True),
        ("= 3", 3, True),
        ("!= 3", 3, False),
        ("[1, 2]", [1, 2], True),
        ('list contains(?, "x")', ["x", "y"], True),
        ("count(?) > 1", ["x", "y"], True),
        ("some c in ? satisfies c = 1", [1], True),
    ],
)
def test_matches__cells(cell, given, expected):
    assert parse_unary_tests(cell).matches(given, VARIABLES) is expected


def test_matches__other_type():
    with pytest.raises(ExpressionError, match=r"they are a text \(abc\) and a number \(5\), in < 5"):
        parse_unary_tests("< 5").matches("abc", {})


@pytest.mark.parametrize("cell", ["-,", "<", "1 2", "not(", "not(1) 2", "[1..", "- 1,,", "(1,2)"])
def test_parse_unary_tests__refused(cell):
    with pytest.raises(ExpressionError):
        parse_unary_tests(cell)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (Decimal("2.0"), 2),
        (Decimal("2.5"), 2.5),
        ([Decimal(1), {"a": Decimal("0.1")}], [1, {"a": 0.1}]),
        (2**63 - 1, 2**63 - 1),
        (-(2**63), -(2**63)),
        (2**63, float(2**63)),
        (Decimal(10**30), 1e30),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.datetime(2026, 1, 2, tzinfo=dt.UTC), "2026-01-02T00:00:00+00:00"),
        (dt.timedelta(days=1, hours=2, seconds=3.5), "P1DT2H3.5S"),
        (-dt.timedelta(minutes=90), "-PT1H30M"),
        (dt.timedelta(), "P0D"),
        (YearsMonths(14), "P1Y2M"),
        ((1, None, True, "x"), [1, None, True, "x"]),
    ],
)
def test_plain__json(given, expected):
    found = plain(given)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("given", [float("nan"), float("inf"), object(), {1, 2}, b"x", Range(1, 2)])
def test_plain__no_json_form(given):
    with pytest.raises(ExpressionError):
        plain(given)


def test_plain__nested_too_deep():
    """However many layers Python itself would bear."""
    deepest = plain(value(f"(for i in 1..{limits.LAYERS} return [partial[-1]])[-1]"))

    assert json.loads(json.dumps(deepest)) == deepest
    with pytest.raises(ExpressionError, match=f"at most {limits.LAYERS} deep"):
        plain(value(f"(for i in 1..{limits.LAYERS + 1} return [partial[-1]])[-1]"))


HOSTILE = [
    "for i in 1..1000000000 return i",
    "for a in 1..1000, b in 1..1000, c in 1..1000 return 1",
    "some x in 1..1000000000 satisfies x < 0",
    "count(for i in 1..9000 return for j in 1..9000 return j)",
    'for i in 1..9000 return "' + "x" * 5_000 + '" + "y"',
    "string({a:[1,1],b:[a,a],c:[b,b],d:[c,c],e:[d,d],f:[e,e],g:[f,f],h:[g,g],i:[h,h],j:[i,i],k:[j,j],l:[k,k],m:[l,l],n:[m,m],o:[n,n],p:[o,o],q:[p,p]})",
    "{a:[1,1],b:[a,a],c:[b,b],d:[c,c],e:[d,d],f:[e,e],g:[f,f],h:[g,g],i:[h,h],j:[i,i],k:[j,j],l:[k,k],m:[l,l],n:[m,m],o:[n,n],p:[o,o],z:flatten(p)}",
    "{a:[1,1],b:[a,a],c:[b,b],d:[c,c],e:[d,d],f:[e,e],g:[f,f],h:[g,g],i:[h,h],j:[i,i],k:[j,j],l:[k,k],m:[l,l],n:[m,m],o:[n,n],p:[o,o],q:[p,p],z: q = [p,p]}",
    "{xs: for i in 1..9000 return i, z: for i in xs return sum(xs)}",
    "{xs: for i in 1..9000 return i, z: distinct values(xs)}",
    "{xs: for i in 1..9000 return i, z: xs[count(xs[item > 0]) > 0]}",
    'matches("' + "a" * 30 + '!", "(a+)+$")',
    'matches("' + "a" * 30 + '!", "(a|a)*$")',
    'matches("' + "a" * 5_000 + '!", "a*a*a*a*a*$")',
    'replace("' + "a" * 5_000 + '", "a", "' + "b" * 4_000 + '")',
    "9 ** 999999999999",
    "2 ** 0.5 ** 99999 ** 99999",
    "(" * 500 + "1" + ")" * 500,
    "[" * 500 + "]" * 500,
    "+".join(["1"] * 1_000),
    "-" * 2_000 + "x",
    "for " + ", ".join(f"x{i} in [1]" for i in range(900)) + " return 1",
    "decimal(1, 999999999)",
    'number("1e9999")',
    "exp(999999999)",
    "date(1e3000, 1, 1)",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_evaluate__hostile_feel(text):
    with pytest.raises(ExpressionError):
        value(text)
