"""Diagrams that mean harm, or are merely huge: refused in words and in time, or compiled in time."""

from __future__ import annotations

import pytest

from bpmn import compiler
from bpmn.errors import DocumentError
from tests.bpmn.definitions import association, compensate, link, message
from tests.bpmn.diagrams import (
    boundary,
    call,
    catch,
    diagram,
    end,
    event_subprocess,
    exclusive,
    external,
    flow,
    flows,
    start,
    subprocess,
    tag,
    task,
    throw,
    timer_catch,
    user,
)
from tests.effort import calls

NO_FUNCTIONS = frozenset[str]()

PYTHON = [
    "__import__('os').system('id')",
    "${__import__('os').system('id')}",
    "${''.__class__.__mro__[1].__subclasses__()}",
    "${open('/etc/passwd').read()}",
    "${[x for x in (1,)]}",
    "${lambda: 1}",
    "${exec('1')}",
    '= __import__("os")',
    '= open("/etc/passwd")',
    "${execution.getClass().forName('java.lang.Runtime')}",
    "#{globals()}",
    "${",
    "${}",
    "${(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((1",
    "${" + "(" * 5_000 + "1" + ")" * 5_000 + "}",
    "${" + "1+" * 20_000 + "1}",
]  # fmt: skip


@pytest.mark.parametrize("text", PYTHON, ids=range(len(PYTHON)))
@pytest.mark.parametrize("place", ["condition", "assignee", "groups", "topic", "called", "mapping", "timer"])
def test_compile__python_and_worse(text, place):
    """No place takes anything but an expression that calls known functions."""
    content = {
        "condition": lambda: diagram(
            start("s"), exclusive("x", default="e"), user("a"), end("e"), flows("s -> x -> e", "a -> e"), flow("x", "a", when=text)
        ),
        "assignee": lambda: around(user("x", assignee=text)),
        "groups": lambda: around(user("x", groups=text)),
        "topic": lambda: around(external("x", topic=text)),
        "called": lambda: around(call("x", of=text)),
        "mapping": lambda: around(call("x", of="q", ext=tag("camunda:in", attrs={"sourceExpression": text, "target": "t"}))),
        "timer": lambda: around(timer_catch("x", duration=text)),
    }[place]()

    if "{" in text or text.startswith("=") or place in ("condition", "timer"):
        with pytest.raises(DocumentError):
            compiler.compile(content, "x.bpmn", functions=NO_FUNCTIONS)
    else:  # elsewhere it is a plain text, and nothing but a text
        (definition,) = compiler.compile(content, "x.bpmn", functions=NO_FUNCTIONS)
        element = definition.elements["x"]
        expressions = [element.assignee, element.topic, element.called, *element.candidate_groups, *(m.source for m in element.inputs)]
        assert {expression.dialect for expression in expressions if expression and expression.source != "q"} == {"literal"}


def around(content: str) -> bytes:
    return diagram(start("s"), content, end("e"), flows("s -> x -> e"))


def nested(depth: int) -> bytes:
    content = task("t")
    for level in range(depth):
        inner = "t" if level == 0 else f"p{level - 1}"
        content = subprocess(f"p{level}", start(f"s{level}"), content, end(f"e{level}"), flows(f"s{level} -> {inner} -> e{level}"))
    return diagram(start("s"), content, end("e"), flows(f"s -> p{depth - 1} -> e"))


def chain(length: int) -> bytes:
    names = [f"u{i}" for i in range(length)]
    return diagram(
        start("s"), *(user(name, groups="fire,${hall}", name="审核") for name in names), end("e"), flows(" -> ".join(["s", *names, "e"]))
    )


def fan(width: int) -> bytes:
    names = [f"u{i}" for i in range(width)]
    return diagram(start("s"), task("x"), *map(user, names), end("e"), flows("s -> x"), *(flows(f"x -> {name} -> e") for name in names))


def compensated(length: int) -> bytes:
    """As many activities, each with its handler, as throw events."""
    handlers = (
        user(f"u{i}") + boundary(f"b{i}", compensate(), on=f"u{i}") + task(f"h{i}", attrs=HANDLER) + association(f"b{i}", f"h{i}")
        for i in range(length)
    )
    throws = (throw(f"t{i}", compensate(f"u{i}")) for i in range(length))
    names = [f"{kind}{i}" for kind in "ut" for i in range(length)]
    return diagram(start("s"), *handlers, *throws, end("e"), flows(" -> ".join(["s", *names, "e"])))


def beside(number: int) -> bytes:
    """Event subprocesses, and a way that jumps as often."""
    events = (event_subprocess(f"x{i}", start(f"s{i}", message(f"m{i}")), end(f"e{i}"), flows(f"s{i} -> e{i}")) for i in range(number))
    jumps = (throw(f"t{i}", link(f"l{i}")) + catch(f"c{i}", link(f"l{i}")) for i in range(number))
    ways = [f"c{i} -> t{i + 1}" for i in range(number - 1)]
    return diagram(start("s"), *events, *jumps, end("e"), flows("s -> t0", *ways, f"c{number - 1} -> e"))


HANDLER = {"isForCompensation": "true"}
LARGE = {
    "10,000 elements in a row": lambda: chain(5_000),
    "2,000 flows out of one task": lambda: fan(2_000),
    "100 subprocesses within one another": lambda: nested(100),
    "1,000 handlers": lambda: compensated(1_000),
    "1,000 event subprocesses and links": lambda: beside(1_000),
    "10,000 properties": lambda: around(user("x", properties={f"p{i}": "1" for i in range(10_000)})),
}


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE.keys())
def test_compile__large(make):
    assert len(compiler.compile(make(), "x.bpmn")) == 1


@pytest.mark.parametrize("make", [chain, fan, compensated, beside])
def test_compile__work_grows_with_the_drawing(make):
    """Eight times as much is drawn, and eight times as much is done."""
    small, large = make(50), make(400)

    assert calls(lambda: compiler.compile(large, "x.bpmn")) < 10 * calls(lambda: compiler.compile(small, "x.bpmn"))


HUGE = {
    "nested beyond reason": lambda: nested(300),
    "20 MB": lambda: around(user("x", tag("bpmn:documentation", "x" * 20_000_000))),
    "100,000 attributes": lambda: around(tag("bpmn:task", attrs={"id": "x", **{f"a{i}": "1" for i in range(100_000)}})),
    "10,000 duplicate ids": lambda: diagram(start("s"), end("e"), flows("s -> e"), *(user("x") for _ in range(10_000))),
    "10,000 dangling flows": lambda: diagram(start("s"), end("e"), flows("s -> e"), *(flow("s", f"n{i}") for i in range(10_000))),
    "long attribute": lambda: around(user("x", assignee="${" + "a." * 1_000_000 + "a}")),
}


@pytest.mark.parametrize("make", HUGE.values(), ids=HUGE.keys())
def test_compile__huge(make):
    """Refused with no more words than anybody reads."""
    with pytest.raises(DocumentError) as refusal:
        compiler.compile(make(), "x.bpmn")

    assert 1 <= len(refusal.value.findings) <= compiler.LIMIT
    assert all(len(finding.message) < 1_000 for finding in refusal.value.findings)


def test_compile__no_diagram():
    for content in (b"<a/>", b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>', b"<definitions/>"):
        with pytest.raises(DocumentError, match="to be a BPMN diagram") as refusal:
            compiler.compile(content, "x.bpmn")

        assert refusal.value.findings[0].rule == "not-bpmn"


def test_compile__too_many_warnings_do_not_hide_an_error():
    loose = [user(f"u{i}") for i in range(300)]

    with pytest.raises(DocumentError):
        compiler.compile(diagram(start("s"), *loose, external("x", topic=None), end("e"), flows("s -> x -> e")), "x.bpmn")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_compile__encodings(encoding):
    text = around(user("x", name="受理")).decode().replace("UTF-8", encoding[:-4] if encoding.endswith("sig") else encoding)

    (definition,) = compiler.compile(text.encode(encoding), "x.bpmn")

    assert definition.elements["x"].name == "受理"


def test_compile__leaves_its_input_alone():
    content = around(user("x"))
    before = bytes(content)

    first, second = compiler.compile(content, "x.bpmn"), compiler.compile(content, "x.bpmn")

    assert content == before
    assert first == second
