"""JUEL: `${…}` means what Camunda 7 means by it."""

import datetime as dt
import inspect
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from bpmn.errors import ExpressionError
from bpmn.expressions import juel_methods, parse
from bpmn.expressions.scope import UNKNOWN

VARIABLES = {
    "amount": 200,
    "status": "open",
    "share": 0.5,
    "price": Decimal("9.90"),
    "nothing": None,
    "yes": True,
    "申请人": {"姓名": "张三", "ages": [41, 7]},
    "empty_list": [],
}


def value(text, **functions):
    return parse(text).evaluate(VARIABLES, functions)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${amount > 100 && status == 'open'}", True),
        ("#{amount gt 100 and status eq 'open'}", True),
        ("${amount lt 100 or not yes}", False),
        ("${amount ge 200 ? 'big' : 'small'}", "big"),
        ("${yes ? nothing ? 1 : 2 : 3}", 2),
        ("${1 + 2 * 3 - 4}", 3),
        ("${(1 + 2) * 3}", 9),
        ("${7 / 2}", 3.5),
        ("${6 div 2}", 3.0),
        ("${-7 mod 3}", -1),
        ("${7.5 % 2}", 1.5),
        ("${'1' + 2}", 3),
        ("${nothing + 1}", 1),
        ("${price + 1}", Decimal("10.90")),
        ("${- amount}", -200),
        ("${'5' == 5}", True),
        ("${'true' == yes}", True),
        ("${nothing == null}", True),
        ("${nothing != 'x'}", True),
        ("${nothing < 1}", False),
        ("${nothing >= 0}", False),
        ("${nothing <= nothing}", True),
        ("${nothing >= null}", True),
        ("${nothing < null}", False),
        ("${'a' < 'b'}", True),
        ("${!yes}", False),
        ("${not not yes}", True),
        ("${empty nothing}", True),
        ("${empty empty_list and not empty status}", True),
        ("${申请人.姓名}", "张三"),
        ("${申请人['ages'][1]}", 7),
        ("${申请人.ages[9]}", None),
        ("${申请人.ages[1.0]}", 7),
        ("${申请人.ages[2 / 2]}", 7),
        ("${申请人.ages['1']}", 7),
        ("${申请人.missing.more}", None),
        ('${"it\'s"}', "it's"),
        (r"${'a\'b\\c'}", r"a'b\c"),
        ("${'}'}", "}"),
        ("  ${amount}\n", 200),
        ("${1.5e3}", 1500.0),
        ("${status}", "open"),
    ],
)
def test_evaluate__juel(text, expected):
    found = value(text)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("case ${amount} is ${status}", "case 200 is open"),
        ("${yes}/${share}/${price}/${nothing}", "true/0.5/9.9/"),
        (r"\${amount} costs ${amount}", "${amount} costs 200"),
        ("${amount}#{amount}", "200200"),
    ],
)
def test_evaluate__text_around_expressions_concatenates(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${status.length()}", 4),
        ("${status.startsWith('op') && status.endsWith('en') && status.contains('pe')}", True),
        ("${status.equals('open') and not status.equals(5)}", True),
        ("${status.equalsIgnoreCase('OPEN')}", True),
        ("${status.toUpperCase().substring(1, 3)}", "PE"),
        ("${status.substring(2)}", "en"),
        ("${status.indexOf('x')}", -1),
        ("${status.concat('ed').replace('ed', '!').trim()}", "open!"),
        ("${status.matches('[a-z]+')}", True),
        ("${status.matches('[a-z]')}", False),
        ("${status.isEmpty()}", False),
        ("${status.toString()}", "open"),
        ("${申请人.ages.size()}", 2),
        ("${申请人.ages.contains(41)}", True),
        ("${申请人.ages.indexOf(7)}", 1),
        ("${申请人.ages.get(0)}", 41),
        ("${empty_list.isEmpty()}", True),
        ("${申请人.size()}", 2),
        ("${申请人.get('姓名')}", "张三"),
        ("${申请人.containsKey('x')}", False),
        ("${申请人.keySet()}", ["姓名", "ages"]),
        ("${申请人.values().size()}", 2),
        ("${amount.toString()}", "200"),
        ("${share.intValue()}", 0),
        ("${amount.longValue()}", 200),
        ("${amount.doubleValue()}", 200.0),
        ("${yes.toString()}", "true"),
        ("${yes.booleanValue()}", True),
    ],
)
def test_evaluate__methods(text, expected):
    found = value(text)

    assert found == expected
    assert type(found) is type(expected)


NOW = dt.datetime(2026, 11, 25, 8, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${now()}", NOW),
        ("${dateTime().plusDays(3).toDate()}", NOW + dt.timedelta(days=3)),
        ("${now().plusWeeks(1).minusHours(2).plusMinutes(1).minusSeconds(1)}", NOW + dt.timedelta(days=6, hours=22, seconds=59)),
        ("${now().plusMonths(3).minusYears(1)}", NOW.replace(month=2)),
        ("${now().withTimeAtStartOfDay()}", NOW.replace(hour=0, minute=0)),
        ("${now().isBefore(now().plusDays(1)) and not now().isAfter(now())}", True),
        ("${now().getYear() + now().getMonthOfYear() + now().getDayOfMonth()}", 2026 + 11 + 25),
        ("${now().getDayOfWeek() * 10 + now().getHourOfDay()}", 38),
        ("${now().getMinuteOfHour()}", 30),
        ("${now().equals(now())}", True),
        ("${now().toString()}", NOW.isoformat()),
    ],
)
def test_evaluate__methods_of_moments(text, expected):
    assert value(text, now=lambda: NOW, dateTime=lambda: NOW) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${amount.length()}", r"a value that has length\(\), but it is a number"),
        ("${nothing.size()}", r"a value that has size\(\), but it is null"),
        ("${status.startsWith(1)}", "Expected a text"),
        ("${status.startsWith()}", "0 arguments do not fit"),
        ("${status.substring(3, 9)}", "from 3 to 9"),
        ("${empty_list.get(0)}", "a place in the list of 0"),
        ("${status.matches('(a+)+')}", "one fixed length"),
        ("${now().plusDays('x')}", "Expected a number"),
        ("${now().plusDays(1.5)}", "Expected a whole number"),
        ("${now().plusDays(99999999)}", "too large"),
        ("${now().plusDays(9223372036854775807)}", "too large"),
        ("${now().isBefore(1)}", "Expected a date and time"),
    ],
)
def test_evaluate__methods_refused(text, message):
    with pytest.raises(ExpressionError, match=message):
        value(text, now=lambda: NOW)


def test_evaluate__execution():
    known = {"execution": lambda: {"processBusinessKey": "K1"}, "authenticatedUserId": lambda: "li"}

    assert value("${execution.processBusinessKey} ${execution.getProcessBusinessKey()} ${authenticatedUserId}", **known) == "K1 K1 li"
    assert value("${execution.getVariable('amount')}") == 200
    assert value("${execution.getVariable('nowhere')}") is None
    assert value("${execution.hasVariable('nowhere')}") is False
    with pytest.raises(ExpressionError, match=r"Expected to know execution\.tenantId"):
        value("${execution.tenantId}", **known)
    with pytest.raises(ExpressionError, match="Expected a known function, but task is not one"):
        value("${task.assignee}")


def test_parse__remembers_what_must_be_supplied():
    assert parse("${execution.processBusinessKey}${authenticatedUserId}${now().plusDays(n)}").calls == {
        "execution",
        "authenticatedUserId",
        "now",
    }
    assert parse("${execution.getVariable('x')}").calls == set()


def test_evaluate__literal_text():
    expression = parse("PT5M")

    assert expression.dialect == "literal"
    assert expression.evaluate({}) == "PT5M"


def test_evaluate__supplied_function():
    assert value("${ready('food', 1 + 1)}", ready=lambda item, n: f"{item}{n}") == "food2"


def test_evaluate__supplied_function_called_wrongly():
    with pytest.raises(ExpressionError, match="Expected to call ready"):
        value("${ready()}", ready=lambda item: item)


def test_evaluate__dates_of_functions_compare():
    early, late = dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 1, 2, tzinfo=dt.UTC)

    assert value("${a() < b()}", a=lambda: early, b=lambda: late) is True


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${due < now()}", True),
        ("${now() <= due}", False),
        ("${now() == '2026-12-02T00:00:00Z'}", True),
        ("${now() != 'soon'}", True),
        ("${typed < now()}", True),
        ("${now().isAfter(due) && now().isAfter(typed)}", True),
        ("${born < today()}", True),
        ("${born == today()}", False),
    ],
)
def test_evaluate__a_text_beside_a_date_is_one(text, expected):
    """Variables hold dates as texts: with an offset, also as Camunda 7 writes it, or a day."""
    known = {"due": "2026-12-01T08:00:00+08:00", "typed": "2026-12-01T08:00:00.000+0800", "born": "1990-05-06"}
    now = dt.datetime(2026, 12, 2, tzinfo=dt.UTC)

    assert parse(text).evaluate(known, {"now": lambda: now, "today": now.date}) is expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${now() < 'soon'}", "Expected a date such as 2026-11-25, but it is 'soon'"),
        ("${now() < '2026-12-01T08:00:00'}", "only one of them has a time zone"),
        ("${now().isBefore('2026-12-01T08:00:00')}", "do not fit"),
        ("${today() < now()}", "Expected two numbers, texts or dates to compare"),
    ],
)
def test_evaluate__what_is_no_date_beside_one(text, message):
    now = dt.datetime(2026, 12, 2, tzinfo=dt.UTC)

    with pytest.raises(ExpressionError, match=message):
        parse(text).evaluate({}, {"now": lambda: now, "today": now.date})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${unknown}", "Expected a known variable, but there is no unknown"),
        ("${'a' + 'b'}", "Expected a number, but it is a text"),
        ("${amount == 'abc'}", "Expected a number, but it is a text"),
        ("${1 / 0}", "the divisor is 0"),
        ("${1 % 0}", "the divisor is 0"),
        ("${!amount}", "Expected true or false, but it is a number"),
        ("${status.length}", "Expected a map or a list to take length from, but it is a text"),
        ("${empty_list['x']}", "Expected a number"),
        ("${yes < 1}", "Expected a number, but it is a boolean"),
        ("${empty_list < empty_list}", "Expected two numbers, texts or dates"),
        ("${nobody(1)}", "Expected a known function, but nobody is not one"),
        ("${9223372036854775807 + 1}", "at most 64 bits"),
        ("${1e308 * 1e308}", "finite"),
    ],
)
def test_evaluate__refused(text, message):
    with pytest.raises(ExpressionError, match=message):
        value(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${", "closing }"),
        ("${'abc}", "closing }"),
        ("${}", "Expected a value"),
        ("${1 +}", "the expression ends at position 6"),
        ("${amount = 3}", "equality is written =="),
        ("${amount 3}", "found 3 at position 10"),
        ("${a ? b}", "Expected :"),
        ("${f(1,}", "Expected a value"),
        ("${a.b()}", r"there is no b\(\)"),
        ("${a.setVariable('x', 1)}", r"there is no setVariable\(\)"),
        ("${x.prop('a').stringValue()}", r"write x\.a"),
        ("${JSON(x)}", r"write x\.a"),
        ("${execution}", "alone it has no value"),
        ("${execution.setVariable('x', 1)}", "they change nothing"),
        ("${execution.getParent()}", r"processBusinessKey.*, but getParent is not"),
        ("${execution.getVariable()}", "the name of one variable"),
        ("${S(x).prop('a')}", r"write x\.a"),
        ("${ns:f(1)}", "found :"),
        ("${and}", "Expected a value"),
        ("${a // b}", "found //"),
        ("${a；}", "type ;"),
        ("${“a”}", "straight quotation mark"),
        (r"${'\q'}", "Expected an escape"),
        ("${99999999999999999999}", "64 bits"),
    ],
)
def test_parse__refused(text, message):
    with pytest.raises(ExpressionError, match=message):
        parse(text)


HOSTILE = [
    "${9**9**9}",
    "${'a' * 1000000000}",
    "${''.__class__.__mro__}",
    "${().__class__}",
    "${amount.__class__}",
    "${__import__('os')}",
    "${" + "(" * 500 + "1" + ")" * 500 + "}",
    "${" + "+".join("1" * 20_000) + "}",
    "${" + "+".join(["1"] * 1_000) + "}",
    "${" + "!" * 5_000 + "yes}",
    "${" + "-" * 2_000 + "1}",
    "${" + "yes ? " * 400 + "1}",
    "${" + "a[" * 400 + "}",
    "${" + "f(" * 400 + "}",
    "${" + "9" * 5_000 + "}",
    "${'" + "x" * 200_000 + "'}",
    "x" * 11_000 + "${amount}",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_evaluate__hostile(text):
    with pytest.raises(ExpressionError):
        value(text)


def test_evaluate__python_objects_are_out_of_reach():
    class Secret:
        key = "s3cret"

    with pytest.raises(ExpressionError, match="Expected a map or a list"):
        parse("${thing.key}").evaluate({"thing": Secret()})


def test_evaluate__dunder_names_are_keys_like_any_other():
    assert value("${申请人.__class__.__init__.__globals__}") is None


def test_parse__remembers_names_and_calls():
    expression = parse("${申请人.姓名} and ${ready('x', amount) ? yes : no}")

    assert expression.names == {"申请人", "amount", "yes", "no"}
    assert expression.calls == {"ready"}


@pytest.mark.parametrize("text", ["${nothing}", "${amount}", "${status}", "true"])
def test_test__not_a_boolean(text):
    with pytest.raises(ExpressionError, match="Expected true or false, but the condition"):
        parse(text).test(VARIABLES)


def test_test__boolean():
    assert parse("${amount > 100}").test(VARIABLES) is True
    assert parse("${amount > 300}").test(VARIABLES) is False


@pytest.mark.parametrize("name", sorted(juel_methods.NAMES))
def test_method__number_of_arguments_that_is_refused(name: str):
    """What is refused beforehand is what no value takes."""
    methods = [methods[name] for _, _, methods in juel_methods.KINDS if name in methods]

    for number in range(4):
        assert _refused(name, number) is not any(_takes(method, number) for method in methods), number


def _refused(name: str, number: int) -> bool:
    try:
        juel_methods.check(name, [UNKNOWN] * number)
    except ExpressionError:
        return True
    return False


def _takes(method: Callable[..., Any], number: int) -> bool:
    if method in (int, float, list, str.strip):  # Python would take one, Java has none
        return number == 0
    try:
        inspect.signature(method).bind(*["x"] * (number + 1))
    except TypeError:
        return False
    return True
