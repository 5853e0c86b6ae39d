"""What a matter's files say, whatever they say."""

from __future__ import annotations

import pytest

from bpmn import lint
from bpmn.lint import Known
from bpmn.matter import facts
from bpmn.matter.facts import DrawnItem, DrawnMatter
from tests import tiny
from tests.bpmn import diagrams as d
from tests.bpmn.linting import linted
from tests.effort import calls

KNOWN = Known(functions=frozenset({"ready", "deadline"}), variables=frozenset(), scenarios=[])


def matter(limits: dict[str, object], **call: str) -> DrawnMatter:
    """A matter that calls one item."""
    columns = ("promised", "statutory", "unit")
    table = tiny.table_of("item_limits", ("item",), columns, [("a", *(limits.get(name) for name in columns))])
    properties = {f"onething.{name}": value for name, value in {"item": "a", **call}.items()}
    body = (d.start("s"), d.call("x", of="a", properties=properties), d.end("e"), d.flows("s -> x -> e"))
    item = d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="a", properties={"onething.kind": "item"})
    bundle, _ = lint.examine(
        {"m.bpmn": d.diagram(*body, key="m", properties={"onething.kind": "matter"}), "a.bpmn": item, "t.dmn": dmn(table)}
    )
    return bundle.matters[0]


def dmn(*tables: str) -> bytes:
    return f'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d">{"".join(tables)}</definitions>'.encode()


@pytest.mark.parametrize(
    ("limits", "call", "days"),
    [
        ({"promised": 5, "statutory": 20}, {}, 5),
        ({"statutory": 20}, {}, 20),
        ({"promised": 0, "statutory": 20}, {}, 0),
        ({"promised": 7, "unit": "calendar"}, {}, 5),
        ({"promised": 3, "unit": "calendar"}, {}, 3),
        ({"promised": 5}, {"promised": "2"}, 2),
        ({"promised": 5}, {"promised": "soon"}, 5),
        ({"promised": "soon"}, {}, 0),
        ({}, {}, 0),
    ],
)
def test_days__of_an_item(limits, call, days):
    assert matter(limits, **call).days("a") == days


def test_days__of_an_item_that_nobody_knows():
    assert matter({"promised": 5}).days("b") == 0


def test_figures__several_rows():
    """The table refuses to choose; lint says so instead of failing."""
    found = matter({"promised": 5})
    twice = tiny.table_of("item_limits", ("item",), ("promised",), [("a", 5), ("a", 6)])
    bundle, _ = lint.examine({"t.dmn": dmn(twice)})

    assert DrawnItem(process=found.process, limits=bundle.decisions[0][1]).figures is None


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0), ("10", 10), ("", None), ("-1", None), ("1.5", None), ("十", None), ("٣", None), ("9" * 5000, None)]
)
def test_number__of_days(text, number):
    assert facts.number(text) == number


ODD = (
    "",
    "-",
    '""',
    "null",
    "true",
    "-7",
    "1e400",
    "[1, 2]",
    "{a: 1}",
    '"include"',
    "q_scale",
    "ready(1)",
    'date("2026-01-01")',
    '"' + "长" * 500 + '"',
)


@pytest.mark.parametrize("odd", ODD)
def test_lint__tables_with_odd_cells(odd):
    """Every table that rules look into, with every cell the same: findings, never a failure."""
    cell = odd.replace("&", "&amp;").replace("<", "&lt;")
    tables = []
    for key, outputs in {
        "items": ("item", "action"),
        "materials": tiny.MATERIAL,
        "item_limits": tiny.LIMITS,
        "situations": ("id", "type", "options", "min", "max", "used_by"),
    }.items():
        heads = f'<input id="{key}_i"><inputExpression id="{key}_ie"><text>q_scale</text></inputExpression></input>'
        heads += "".join(f'<output id="{key}_o{n}" name="{name}"/>' for n, name in enumerate(outputs))
        row = f'<inputEntry id="{key}_c"><text>-</text></inputEntry>'
        row += "".join(f'<outputEntry id="{key}_p{n}"><text>{cell}</text></outputEntry>' for n in range(len(outputs)))
        rules = "".join(f'<rule id="{key}_r{n}">{row.replace(key + "_", f"{key}_{n}_")}</rule>' for n in range(2))
        tables.append(
            f'<decision id="{key}" name="{key}"><decisionTable id="{key}_t" hitPolicy="COLLECT">{heads}{rules}</decisionTable></decision>'
        )
    properties = {"onething.kind": "matter", "onething.promised": "1"}
    body = d.diagram(d.start("s"), d.call("x", of="a"), d.end("e"), d.flows("s -> x -> e"), key="m", properties=properties)
    item = d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="a", properties={"onething.kind": "item"})

    findings = linted({"m.bpmn": body, "a.bpmn": item, "t.dmn": dmn(*tables)}, KNOWN)

    assert all(finding.message.startswith("Expected ") or "xpected" in finding.message for finding in findings)


def chain(*elements: str, last: str = "e") -> tuple[str, ...]:
    """Elements one after the other."""
    keys = [element.split('id="', 1)[1].split('"', 1)[0] for element in elements]
    return (d.start("s"), *elements, d.end("e"), d.flows(" -> ".join(["s", *keys, last])))


@pytest.mark.parametrize(
    "body",
    [
        lambda many: chain(*(d.user(f"u{n}") for n in range(many))),
        lambda many: chain(*(d.receive(f"u{n}", message="m", properties={"onething.kind": "tolerance"}) for n in range(many))),
        lambda many: chain(*(d.subprocess(f"p{n}", d.start(f"s{n}"), d.end(f"e{n}"), d.flows(f"s{n} -> e{n}")) for n in range(many))),
        lambda many: chain(*(d.call(f"c{n}", of=f"i{n}", properties={"onething.predecessors": f"i{n - 1}:FS"} if n else None) for n in range(many))),
        lambda many: (d.start("s"), d.inclusive("g"), d.exclusive("j"), *(d.call(f"c{n}", of=f"i{n}") for n in range(many)), d.end("e"), d.flows("s -> g", *(f"g -> c{n} -> j" for n in range(many)), "j -> g", "j -> e")),
    ],
    ids=["tasks", "tolerances", "subprocesses", "predecessors", "dispatcher"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["matter", "item"])
def test_lint__work_grows_with_the_matter(body, kind):
    """Eight times as much is drawn, and not much more than eight times as much is done."""
    properties = {"onething.kind": kind, "onething.promised": "5"}
    small, large = ({"m.bpmn": d.diagram(*body(many), key="m", properties=properties)} for many in (100, 800))

    assert calls(lambda: linted(large, KNOWN)) < 12 * calls(lambda: linted(small, KNOWN))
