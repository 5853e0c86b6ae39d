from __future__ import annotations

import pytest

from bpmn.matter import facts
from engine import definitions, matters
from engine.errors import InvalidInput, NotFound
from engine.kept import Kept
from tests import tiny
from tests.benchmarks.meter import counted
from tests.bpmn import diagrams as d


def deployed(stage, **files):
    """Deploy the tiny matter and look at it."""
    stage.deploy("tiny", **files)
    with stage.reading() as session:
        return matters.get(session, "tiny")


def test_get__what_the_diagram_says(stage):
    with stage.reading() as session:
        matter = matters.get(session, "open_restaurant")

    assert (matter.name, matter.code, matter.promised, matter.longest_wait, matter.clock_start) == (
        "开办餐饮店",
        "43TCN0003",
        4,
        3,
        "ON_FIRST_ACCEPT",
    )
    call = matter.calls["comprehensive_permit"]
    assert {p.item: p.kind for p in call.predecessors}["food_permit"] == "RM"
    assert all(p.kind in facts.BINDING for p in call.predecessors)
    assert matter.calls["fire_check"].predecessors[0].kind not in facts.BINDING
    assert call.on_refusal == "BLOCK"


def test_get__the_newest_version(stage):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, promised="5"))
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, promised="6"))

    with stage.reading() as session:
        assert (matters.get(session, "tiny").version, matters.get(session, "tiny").promised) == (2, 6)


def test_get__a_running_case_keeps_its_version(stage, clerk):
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, promised="5"))
    case = clerk.submit("tiny")

    stage.deploy("tiny", **tiny.folder({"alpha": {}}, promised="6"))

    with stage.reading() as session:
        assert matters.read(definitions.get(session, stage.case(case).definition_id)).promised == 5
    assert stage.case(case).promised == 5


@pytest.mark.parametrize("key", ["food_permit", "post_check", "nothing", ""])
def test_get__no_matter(stage, key):
    with stage.reading() as session, pytest.raises(NotFound):
        matters.get(session, key)


@pytest.mark.parametrize("code", ["open_restaurant", "nothing"])
def test_item__no_item(stage, code):
    with stage.reading() as session, pytest.raises(NotFound):
        matters.item(session, code)


def test_item__figures_of_the_table(stage):
    with stage.reading() as session:
        item = matters.item(session, "fire_check_commit")

    assert (item.department, item.mode, item.post_check, item.extension) == ("fire", "commitment", 20, 0)
    assert [(limit.kind, limit.days) for limit in item.limits] == [("promised", 1)]


def test_catalogue__every_matter_once(stage):
    with stage.reading() as session:
        keys = [matter.key for matter in matters.catalogue(session)]
        codes = [item.code for item in matters.items(session)]

    assert {"open_restaurant", "newborn", "single_item"} <= set(keys)
    assert keys == sorted(set(keys))
    assert "food_permit" in codes


@pytest.mark.parametrize("facts", [{"promised": "soon"}, {"longest_wait": "-1"}, {"supplement_days": "1.5"}, {"promised": "٤"}])
def test_read__figures_that_are_none(stage, facts):
    """A wrong figure is refused at deployment, or at the first look: nothing is promised by it."""
    with pytest.raises(InvalidInput, match="onething"):
        deployed(stage, **tiny.folder({"alpha": {}}, **facts))


@pytest.mark.parametrize("words", ["beta", "beta:XX", "beta:FS;gamma:FS", ":FS:"])
def test_read__predecessors_that_are_none(stage, words):
    with pytest.raises(InvalidInput):
        deployed(stage, **tiny.folder({"alpha": {"predecessors": words}, "beta": {}}))


def test_require_called__the_carrier_of_single_items_calls_them_all(stage):
    with stage.reading() as session:
        matters.require_called(matters.get(session, "single_item"), ["food_permit"])
        with pytest.raises(InvalidInput) as refusal:
            matters.require_called(matters.get(session, "open_restaurant"), ["hukou", "food_permit", "nothing"])

    assert len(refusal.value.details["errors"]) == 2


def test_follow_on_start__where_it_is_drawn(stage):
    plain = d.diagram(d.start("s"), d.end("e"), d.flows("s -> e"), key="plain")
    stage.deploy("plain", plain_bpmn=plain)

    with stage.reading() as session:
        assert matters.follow_on_start(definitions.latest(session, "open_restaurant")) == "joins_late"
        assert matters.follow_on_start(definitions.latest(session, "plain")) is None


def test_catalogue__again_looks_at_no_diagram(stage, monkeypatch):
    """Even when none of them has stayed in memory; a version that is new since is there."""
    with stage.reading() as session:
        before = matters.catalogue(session)
    monkeypatch.setattr(definitions, "_loaded", Kept(definitions.LIMIT, lambda _: 1))

    with stage.reading() as session, counted(session.get_bind()) as sample:
        again = matters.catalogue(session)
    stage.deploy("tiny", **tiny.folder({"alpha": {}}))
    with stage.reading() as session:
        later = matters.catalogue(session)

    assert again == before
    assert len(sample.statements) == 1
    assert {matter.key for matter in later} == {matter.key for matter in before} | {"tiny"}
