"""Before and after (四减): a bundle against its items done one by one."""

from __future__ import annotations

import re

import pytest

from bpmn import lint
from bpmn.matter import impact, situations
from bpmn.matter.facts import DrawnMatter
from tests import tiny
from tests.bpmn import diagrams as d

ITEMS = {"a": {"promised": 3}, "b": {"promised": 4, "predecessors": "a:FS"}, "c": {"promised": 5}}


def matter(materials=(), **processes: bytes) -> DrawnMatter:
    files = tiny.folder(ITEMS, materials=materials, processes=processes)
    bundle, findings = lint.examine({name.replace("_bpmn", ".bpmn").replace("_dmn", ".dmn"): content for name, content in files.items()})
    assert [finding for finding in findings if finding.severity == "error"] == []
    return bundle.matters[0]


def figures(found: DrawnMatter) -> dict[str, tuple[int, int]]:
    return {each.name: (each.before, each.after) for each in impact.measure(found, impact.widest(found)).measures}


def test_measure__each_item_alone_against_all_together():
    """Three applications with an intake, a decision and a certificate each; together one intake and one issuance."""
    assert figures(matter()) == {"steps": (9, 5), "materials": (0, 0), "days": (12, 7), "visits": (6, 2)}


def test_measure__materials_are_handed_in_once():
    materials = (
        {"material": "form", "exemption": "GEN"},
        {"material": "licence", "exemption": "ECERT", "used_by": "a,b"},
        {"material": "plan", "used_by": "a,c"},
        {"material": "drawing", "used_by": "b", "merge_key": "PLAN"},
        {"material": "sketch", "used_by": "c", "merge_key": "PLAN"},
        {"material": "other", "used_by": "d"},
    )

    assert figures(matter(materials))["materials"] == (9, 2)


def test_measure__nothing_to_collect():
    """An item without a certificate needs no second visit."""
    silent = tiny.item("c", result="")

    assert figures(matter(c=silent))["visits"] == (5, 2)


def test_measure__shortest_way_through_an_item():
    """Work inside a subprocess counts; a special procedure that may be left out does not."""
    body = (
        d.start("s"),
        d.subprocess("handling", d.start("hs"), d.user("review"), tiny.decision("c"), d.end("he"), d.flows("hs -> review -> decide -> he")),
        d.exclusive("again", default="e"),
        d.user("hearing"),
        d.end("e"),
        d.flows("s -> handling -> again", "again -> hearing [${false}]", "again -> e", "hearing -> e"),
    )

    assert figures(matter(c=tiny.item("c", *body)))["steps"] == (10, 6)


@pytest.mark.parametrize(("answers", "items"), [({}, ("a", "b", "c"))])
def test_answered__by_the_table(answers, items):
    assert situations.answered(matter(), answers).items == items


def test_of__what_must_be_answered_is():
    """Else nothing could be submitted in a simulation; also where the answer chooses no item."""
    rows = [
        ("area", "问", "number", None, 1, True),
        ("form", "问", "single", "大,小", None, True),
        ("name", "问", "text", None, None, False),
    ]
    situated = tiny.table_of("situations", (), ("id", "ask", "type", "options", "min", "required"), rows)
    files = tiny.folder(ITEMS)
    files["tiny_dmn"] = files["tiny_dmn"].replace(b"</definitions>", f"{situated}</definitions>".encode())

    (only,) = situations.of(read(files))

    assert only.answers == {"area": 1, "form": "大"}


def read(files: dict[str, bytes]) -> DrawnMatter:
    """The matter of some files."""
    bundle, _findings = lint.examine({name.replace("_bpmn", ".bpmn").replace("_dmn", ".dmn"): content for name, content in files.items()})
    return bundle.matters[0]


def test_of__where_it_is_offered():
    """A simulation begins no case that would be refused; the same items are called for in another situation."""
    debts = ("简易注销", True, "有未结清的债务", "请选择普通注销", "条例")
    (only,) = situations.of(read(tiny.with_exclusions(tiny.folder(ITEMS), debts)))

    assert (only.items, only.answers) == (("a", "b", "c"), {"how": "简易注销", "debts": False})


def test_of__what_is_called_for_only_where_it_is_not_offered():
    table = tiny.table_of("items", ("how",), ("item", "action"), [("普通注销", "a", "include"), ("简易注销", "b", "include")])
    files = tiny.with_exclusions(tiny.folder(ITEMS), ("简易注销", None, "没有简易注销", None, "条例"))
    files["tiny_dmn"] = re.sub(rb'<decision id="items".*?</decision>', table.encode(), files["tiny_dmn"], flags=re.DOTALL)

    assert {each.items for each in situations.of(read(files))} == {("a",)}
