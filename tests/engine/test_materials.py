from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from engine import keys, materials
from engine.case_models import Case, Material, MaterialLink
from engine.errors import InvalidInput, NotFound
from engine.materials import StoredFile
from tests import restaurant, tiny
from tests.restaurant import ANSWERS, MATERIALS

PDF = StoredFile(sha256="ab" * 32, filename="平面图.pdf", media_type="application/pdf", size=1200)


def linked(stage, case):
    """Codes of the items that each material serves."""
    codes = {item.id: item.code for item in stage.items(case).values()}
    with stage.reading() as session:
        rows = session.query(Material.code, MaterialLink.item_id).join(MaterialLink, keys.its(MaterialLink.material_id, Material)).all()
    found: dict[str, set[str]] = {}
    for code, item in rows:
        found.setdefault(code, set()).add(codes.get(item, "elsewhere"))
    return found


def test_distribute__one_upload_serves_every_item(stage, clerk):
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=MATERIALS)
    assert linked(stage, case) == {}

    clerk.complete(case, "一窗受理", outcome="accept")

    found = linked(stage, case)
    assert found["m_plan"] == {"food_permit", "fire_check_commit"}
    assert found["m_fire_rules"] == {"fire_check_commit"}
    assert sorted(m.no for m in stage.all(Material, case)) == list(range(1, len(MATERIALS) + 1))


def test_hand_in__with_a_file(stage, clerk):
    case = clerk.submit("open_restaurant", answers=ANSWERS)

    clerk.hand_in(case, "m_plan", file=PDF)
    clerk.hand_in(case, "m_premises", fields={"owner": "张三"})

    plan, premises = stage.all(Material, case)
    assert (plan.sha256, plan.filename, plan.size, plan.handed_in_by) == (PDF.sha256, "平面图.pdf", 1200, "clerk")
    assert premises.fields == {"owner": "张三"}


@pytest.mark.parametrize("code", ["m_unknown", "", "m_fire_decl"])
def test_hand_in__not_on_the_checklist(stage, clerk, code):
    case = clerk.submit("open_restaurant", answers=ANSWERS)

    with pytest.raises(InvalidInput, match="of the checklist"):
        clerk.hand_in(case, code)

    assert stage.all(Material, case) == []


def test_hand_in__a_better_copy(stage, clerk):
    """The first stays; both are there, by their numbers."""
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=MATERIALS)
    clerk.complete(case, "一窗受理", outcome="accept")

    clerk.hand_in(case, "m_plan", file=PDF)

    assert [m.code for m in stage.all(Material, case)].count("m_plan") == 2
    assert max(m.no for m in stage.all(Material, case)) == len(MATERIALS) + 1


def test_hand_in__after_the_decision(stage, clerk, market):
    """What was tolerated until issue comes late: the department that granted gets it all the same."""
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=restaurant.without("m_food_rules"))
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    market.complete(case, "食品经营许可审批", outcome="granted")

    clerk.hand_in(case, "m_food_rules")

    assert linked(stage, case)["m_food_rules"] == {"food_permit"}


def test_hand_in__two_tolerated_materials_at_the_same_moment(stage, clerk, market):
    plan = {"material": "plan", "used_by": "alpha", "tolerable": True, "due_days": 5, "grace_days": 5}
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, materials=[plan, plan | {"material": "menu"}]))
    case = clerk.submit("tiny")
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    market.complete(case, "alpha审批", outcome="granted")
    together = Barrier(2)

    def bring(code):
        together.wait()
        with clerk.acting(checked=False) as session:
            materials.hand_in(session, session.get_one(Case, case.id), code, actor=clerk.actor)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(bring, ["plan", "menu"]))

    assert sorted(m.no for m in stage.all(Material, case)) == [1, 2]
    assert stage.tasks(case) == ["统一出件"]


def test_get__only_those_of_ones_items(stage, clerk, fire):
    case = clerk.submit("open_restaurant", answers=ANSWERS, materials=MATERIALS)
    clerk.complete(case, "一窗受理", outcome="accept")
    numbers = {m.code: m.no for m in stage.all(Material, case)}

    with stage.reading() as session:
        row, mine = session.get_one(Case, case.id), [stage.item(case, "fire_check_commit")]
        assert {m.code for m in materials.of_case(session, row, mine)} == {"m_plan", "m_evac", "m_fireplan", "m_fire_rules"}
        assert materials.get(session, row, numbers["m_plan"], mine).code == "m_plan"
        with pytest.raises(NotFound):
            materials.get(session, row, numbers["m_food_rules"], mine)
        with pytest.raises(NotFound):
            materials.get(session, row, 99)
