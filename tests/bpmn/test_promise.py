"""The promise: can a bundle be done in the time that is published?"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bpmn import lint
from bpmn.errors import Finding
from bpmn.matter import situations
from bpmn.matter.critical_path import Path as Chain
from bpmn.matter.critical_path import Plan
from tests import tiny
from tests.bpmn import diagrams as d
from tests.bpmn.linting import linted
from tests.effort import calls

GUIDES = yaml.safe_load((Path(__file__).parents[1] / "data/guides.yaml").read_text(encoding="utf-8"))


def files(
    items: dict[str, int], after: dict[str, str], *, flows: tuple[str, ...] = (), rules: bytes = b"", **facts: str
) -> dict[str, bytes]:
    """A matter and its items: calls beside one another, and the table of limits."""
    calls = [d.call(f"call_{code}", of=code, properties=_called(code, after)) for code in items]
    ways = [f"fork -> call_{code} -> join" for code in items]
    body = (d.start("s"), d.parallel("fork"), *calls, d.exclusive("join"), d.end("e"), d.flows("s -> fork", *ways, *flows, "join -> e"))
    properties = {"onething.kind": "matter", **{f"onething.{name}": value for name, value in facts.items()}}
    limits = tiny.table_of("item_limits", ("item",), ("promised", "unit"), [(code, days, "working") for code, days in items.items()])
    tables = f'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d">{limits}{rules.decode()}</definitions>'
    singles = {f"{code}.bpmn": _single(code) for code in items}
    return {"m.bpmn": d.diagram(*body, key="m", properties=properties), "m.dmn": tables.encode(), **singles}


def _called(code: str, after: dict[str, str]) -> dict[str, str]:
    return {"onething.item": code} | ({"onething.predecessors": after[code]} if code in after else {})


def _single(code: str) -> bytes:
    properties = {"onething.kind": "item", "onething.department": "market"}
    return d.diagram(d.start("s"), d.user("decide"), d.end("e"), d.flows("s -> decide -> e"), key=code, properties=properties)


def broken(resources: dict[str, bytes]) -> list[Finding]:
    return [finding for finding in linted(resources) if finding.rule == "promise-not-kept"]


def days(findings: list[Finding]) -> list[int]:
    return [int(re.search(r"its items take (\d+)", finding.message)[1]) for finding in findings]


@pytest.mark.parametrize("guide", GUIDES.values(), ids=GUIDES)
def test_promise__published_guide(guide: dict[str, Any]):
    findings = broken(files(guide["items"], guide["after"], promised=str(guide["promised"])))

    assert days(findings) == ([guide["critical"]] if guide["critical"] > guide["promised"] else [])


def test_promise__seven_of_eight_guides_promise_less_than_their_longest_item():
    contradicted = {name for name, guide in GUIDES.items() if guide["promised"] < max(guide["items"].values())}

    assert len(GUIDES) == 8
    assert set(GUIDES) - contradicted == {"credit_repair"}
    assert all(guide["longest"] == max(guide["items"].values()) for guide in GUIDES.values())


def test_promise__finding_names_the_chain_and_its_last_item():
    (finding,) = broken(files({"a": 3, "b": 4, "c": 1}, {"b": "a:FS"}, promised="6"))

    assert finding.element == "call_b"
    assert "take 7: a 3 → b 4" in finding.message
    assert finding.line > 0


@pytest.mark.parametrize(("kind", "broken_by"), [("FS", [7]), ("RM", [7]), ("DATA", [7]), ("JOINT", []), ("SOFT", [])])
def test_promise__kinds_of_dependencies(kind: str, broken_by: list[int]):
    assert days(broken(files({"a": 3, "b": 4}, {"b": f"a:{kind}"}, promised="6"))) == broken_by


def test_promise__order_that_is_drawn():
    resources = files({"a": 3, "b": 4}, {}, flows=("call_a -> call_b",), promised="6")

    assert days(broken(resources)) == [7]


def test_promise__items_in_a_loop_are_in_no_order():
    """As behind a dispatcher: every call leads back to where all begin."""
    resources = files({"a": 3, "b": 4}, {}, flows=("join -> fork",), promised="6")

    assert broken(resources) == []


def test_promise__none_is_published():
    assert broken(files({"a": 3}, {})) == []


SITUATIONS = (
    tiny.table_of("situations", (), ("id", "type", "options"), [("scale", "single", "大,小"), ("area", "number", ""), ("music", "multi", "演出,歌舞")])
    + '<decision id="items" name="items"><decisionTable id="it" hitPolicy="COLLECT">'
    + "".join(f'<input id="i{n}"><inputExpression id="ie{n}"><text>{n}</text></inputExpression></input>' for n in ("scale", "area", "music"))
    + '<output id="o1" name="item"/><output id="o2" name="action"/>{}</decisionTable></decision>'
)  # fmt: skip


def items_table(*rows: tuple[str, str, str, str, str]) -> bytes:
    """A table `items` over three questions."""
    cells = [
        f'<rule id="r{n}">'
        + "".join(
            f'<{"inputEntry" if m < 3 else "outputEntry"} id="c{n}_{m}"><text>{cell.replace("<", "&lt;")}</text></{"inputEntry" if m < 3 else "outputEntry"}>'
            for m, cell in enumerate(row)
        )
        + "</rule>"
        for n, row in enumerate(rows)
    ]
    return SITUATIONS.format("".join(cells)).encode()


def test_promise__is_told_per_situation():
    rules = items_table(
        ('"大"', "-", "-", '"a"', '"include"'),
        ('"小"', "-", "-", '"b"', '"include"'),
        ("-", "-", 'list contains(?, "歌舞")', '"c"', '"include"'),
        ("-", "< 50", "-", '"c"', '"exclude"'),
    )
    resources = files({"a": 5, "b": 3, "c": 9}, {"c": "a:FS b:FS"}, rules=rules, promised="4")

    findings = broken(resources)

    assert [re.search(r"take (\d+: .*?) \((.*)\):", finding.message).groups() for finding in findings] == [
        ("14: a 5 → c 9", "scale = 大、music = 歌舞"),
        ("12: b 3 → c 9", "scale = 小、music = 歌舞"),
    ]


@pytest.mark.parametrize(
    ("kind", "until", "due", "told"),
    [
        ("FS", "AFTER_ISSUE", 7, ["a 3 → c 4 take 7"]),
        ("RM", "BEFORE_OPENING", 1, ["a 3 → c 4 take 7"]),
        ("FS", "AFTER_ISSUE", 8, []),
        ("DATA", "AFTER_ISSUE", 5, []),  # c does not wait for it
        ("DATA", "AFTER_ISSUE", 4, ["c 4 take 4"]),
        ("FS", "BEFORE_ISSUE", 1, []),
    ],
)
def test_due_before_issue__in_the_shortest_situation(kind: str, until: str, due: int, told: list[str]):
    """What c waits for where the scale is large alone (b, of 20 days) counts for nothing."""
    always = [("-", "-", "-", f'"{code}"', '"include"') for code in "ac"]
    names = ("material", "name", "necessity", "source", "exemption", "used_by", "tolerable", "until", "due_days", "basis")
    row = ("licence", "营业执照", "DEFERRABLE", "SELF", "SUBMIT", "c", True, until, due, "《条例》第一条")
    rules = items_table(*always, ('"大"', "-", "-", '"b"', '"include"')) + tiny.table_of("materials", (), names, [row]).encode()

    findings = linted(files({"a": 3, "b": 20, "c": 4}, {"c": f"a:{kind} b:FS"}, rules=rules))

    found = [finding.message for finding in findings if finding.rule == "due-before-issue"]
    assert [re.search(r"acceptance, and (.*?):", message)[1] for message in found] == told


def test_promise__items_that_never_come_together():
    """The long chain would need both scales at once."""
    rules = items_table(('"大"', "-", "-", '"a"', '"include"'), ('"小"', "-", "-", '"b"', '"include"'))
    resources = files({"a": 4, "b": 4}, {"b": "a:FS"}, rules=rules, promised="4")

    assert broken(resources) == []


def test_promise__many_questions():
    """Two to the thirtieth combinations of answers are not counted one by one."""
    names = [f"q{n}" for n in range(30)]
    rows = "".join(
        f'<rule id="r{n}">'
        + "".join(f'<inputEntry id="c{n}_{m}"><text>{chr(34) + "是" + chr(34) if m == n else "-"}</text></inputEntry>' for m in range(30))
        + f'<outputEntry id="p{n}"><text>"i{n}"</text></outputEntry><outputEntry id="a{n}"><text>"include"</text></outputEntry></rule>'
        for n in range(30)
    )
    heads = "".join(f'<input id="i{n}"><inputExpression id="ie{n}"><text>{n}</text></inputExpression></input>' for n in names)
    outputs = '<output id="o1" name="item"/><output id="o2" name="action"/>'
    table = f'<decision id="items" name="items"><decisionTable id="t" hitPolicy="COLLECT">{heads}{outputs}{rows}</decisionTable></decision>'
    resources = files({f"i{n}": n + 1 for n in range(30)}, {"i1": "i0:FS"}, rules=table.encode(), promised="29")

    findings = broken(resources)

    assert 30 in days(findings)


def test_situations__of_a_shipped_matter():
    """Thousands of sets of rules hit in some situation; of each a few bits are asked for, and this once for all rules of lint."""
    folder = Path(__file__).parents[2] / "workflows/open-restaurant"
    bundle, _ = lint.examine({file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()})
    (matter,) = bundle.matters
    assert calls(lambda: situations.of(matter)) < 150_000  # 374,000 where each row is asked, 70,000 of its bits

    found = bundle.situations(matter)

    assert len(found) > 3000
    assert all(situations.answered(matter, each.answers).items == each.items for each in found[::100])
    assert bundle.situations(matter) is found


def test_longest__of_equal_chains_the_one_that_stands_first():
    plan = Plan({"a": 2, "b": 2, "c": 1}, {("a", "c"), ("b", "c")})

    assert plan.longest(["a", "b", "c"]) == Chain(items=("a", "c"), days=3)
    assert plan.longest(["b", "c"]) == Chain(items=("b", "c"), days=3)
    assert plan.longest([]) == Chain()


def test_longest__circle():
    """Another rule refuses it; here it only has to end."""
    plan = Plan({"a": 2, "b": 3}, {("a", "b"), ("b", "a")})

    assert plan.longest(["a", "b"]).days >= 3
