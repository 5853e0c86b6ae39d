from __future__ import annotations

import pytest

from bpmn.decisions import Decision
from engine import checklists, definitions, dossiers, first_versions, matters
from engine.case_models import Case
from engine.errors import InvalidInput, NotFound
from tests import tiny
from tests.restaurant import ANSWERS, ITEMS


def make(stage, key="open_restaurant", answers=ANSWERS, **more):
    with stage.reading() as session:
        return checklists.make(session, matters.get(session, key), answers, **more)


def codes(entries):
    return [entry["code"] for entry in entries]


def test_make__items_and_materials_of_the_situation(stage):
    checklist = make(stage)

    assert set(codes(checklist["items"])) == set(ITEMS)
    assert {"m_evac", "m_plan"} < set(codes(checklist["materials"]))
    assert "m_fire_decl" not in codes(checklist["materials"])
    assert checklist["answers"] == ANSWERS


def test_make__the_same_answers_give_the_same_notice(stage):
    """Kiosk, app and window say the same."""
    assert make(stage)["hash"] == make(stage)["hash"]
    assert make(stage)["hash"] != make(stage, answers=ANSWERS | {"q_area": 121})["hash"]


def test_make__excluded_by_one_rule_is_brought_back_by_no_other(stage):
    small = make(stage, answers=ANSWERS | {"q_area": 49})

    assert set(codes(small["items"])) == {"business_licence_check", "food_permit"}


def test_make__what_is_not_yet_answered(stage):
    checklist = make(stage, answers={"q_scale": "餐饮服务经营者"})

    assert "q_area" in checklist["unanswered"]
    assert "q_licence" not in checklist["unanswered"]  # derived: nobody is asked


def test_make__import_where_the_result_comes_from_elsewhere(stage):
    """A child born abroad: the birth certificate exists already."""
    with stage.reading() as session:
        questions = {q["id"]: q for q in checklists.situations(session, _loaded(session, "newborn"))}
    abroad = {"q_birthplace": "境外"} if "q_birthplace" in questions else {}

    actions = {entry["code"]: entry["action"] for entry in make(stage, "newborn", abroad)["items"]}

    assert actions["birth_cert"] == "import"
    assert actions["hukou"] == "include"


def _loaded(session, key):
    return definitions.latest(session, key)


def evaluations(monkeypatch):
    """Ids of the decisions that are evaluated from now on."""
    decided, evaluate = [], Decision.evaluate

    def noted(decision, *given):
        decided.append(decision.id)
        return evaluate(decision, *given)

    monkeypatch.setattr(Decision, "evaluate", noted)
    return decided


def test_make__deployed_without_its_tables(stage, monkeypatch):
    """The newest table of items is that of another matter: it says nothing about this one, as a release before took it."""
    stage.deploy(
        "tiny", alpha_bpmn=tiny.item("alpha"), tiny_dmn=tiny.tables({"alpha": {}}, []), bare_bpmn=tiny.matter("bare", {"alpha": {}})
    )
    assert codes(make(stage, "bare", {})["items"]) == ["alpha"]

    with monkeypatch.context() as before:
        before.setattr(first_versions, "judged", lambda _session, _bundle, findings: findings)
        stage.deploy("bare", bare_bpmn=tiny.matter("bare", {"alpha": {}}))

    with pytest.raises(InvalidInput, match=r"Expected bare to have a table of items .+: deploy its \.dmn file with the diagram"):
        make(stage, "bare", {})
    assert codes(make(stage, "bare", {}, only=["alpha"])["items"]) == ["alpha"]


def test_make__item_without_limits(stage):
    stage.deploy("odd", odd_bpmn=tiny.item("odd"), bare_bpmn=tiny.matter("bare", {"odd": {}}), odd_dmn=tiny.tables({"odd": {}}, []))
    stage.deploy("odd", odd_bpmn=tiny.item("odd"))
    stage.deploy("others", alpha_bpmn=tiny.item("alpha"), alpha_dmn=tiny.tables({"alpha": {}}, []))

    with pytest.raises(InvalidInput, match=r"'odd' in the table item_limits, but there are 0: deploy the item with the \.dmn file"):
        make(stage, "bare", {})


def test_situations__are_decided_once(stage, fire, clerk, monkeypatch):
    """A department that looks at its case is shown the answers that concern it; what a table says to nobody's answers never changes."""
    case = clerk.submit("open_restaurant", answers=ANSWERS)
    decided = evaluations(monkeypatch)

    with stage.reading() as session:
        shown = [dossiers.read(session, session.get(Case, case.id), fire.actor).answers for _ in range(3)]

    assert "q_area" in shown[0]
    assert shown[0] == shown[1] == shown[2]
    assert decided == []


def test_situations__that_depend_on_the_day(stage, monkeypatch):
    """They are decided each time."""
    by_day = 'if today() &gt; date("2026-03-05") then 100 else 10'
    asked = tiny.table_of("situations", (), ("id", "ask", "type", "max"), [("q_area", "area", "number", "BY DAY")])
    files = tiny.folder({"alpha": {}})
    table = files["tiny_dmn"].decode().replace("</definitions>", asked.replace('"BY DAY"', by_day) + "</definitions>")
    stage.deploy("tiny", **files | {"tiny_dmn": table.encode()})
    decided, told = evaluations(monkeypatch), []
    for day in (2, 5, 6):
        stage.travel(2026, 3, day)
        with stage.reading() as session:
            told += [question["max"] for _ in range(2) for question in checklists.situations(session, _loaded(session, "tiny"))]

    assert told == [10] * 4 + [100] * 2
    assert len(decided) >= len(told)


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"q_unknown": 1}, "answers.q_unknown"),
        ({"q_area": "groß"}, "answers.q_area"),
        ({"q_area": True}, "answers.q_area"),
        ({"q_area": [120]}, "answers.q_area"),
        ({"q_area": -5}, "answers.q_area"),
        ({"q_area": 0}, "answers.q_area"),
        ({"q_scale": "街边摊"}, "answers.q_scale"),
        ({"q_scale": ["餐饮服务经营者"]}, "answers.q_scale"),
        ({"q_music": "无"}, "answers.q_music"),
        ({"q_music": ["无", "口技"]}, "answers.q_music"),
        ({"q_scale": None}, "answers.q_scale"),
        ({"q_scale": {}}, "answers.q_scale"),
    ],
)
def test_make__wrong_answer(stage, answers, field):
    with pytest.raises(InvalidInput) as refusal:
        make(stage, answers=answers)

    assert [error["field"] for error in refusal.value.details["errors"]] == [field]


def test_make__without_what_must_be_answered(stage):
    """Nobody would see that the fire check was not even asked about."""
    known = {name: answer for name, answer in ANSWERS.items() if name != "q_fire_mode"}
    assert "q_fire_mode" in make(stage, answers=known)["unanswered"]

    with pytest.raises(InvalidInput) as refusal:
        make(stage, answers=known, whole=True)

    assert refusal.value.details["errors"] == [
        {"field": "answers.q_fire_mode", "message": "Expected an answer to 消防检查方式, but there is none"}
    ]


@pytest.mark.parametrize("answer", ["否", "true", 1, {"a": 1}, None])
def test_make__neither_true_nor_false(stage, answer):
    """Where no options say what may be answered, the type of the question does."""
    with pytest.raises(InvalidInput, match="Expected true or false for 父母民族是否相同, but got"):
        make(stage, "newborn", {"q_ethnic": answer})


def test_make__all_wrong_answers_at_once(stage):
    with pytest.raises(InvalidInput) as refusal:
        make(stage, answers={"q_unknown": 1, "q_area": "x", "q_scale": "x"})

    assert len(refusal.value.details["errors"]) == 3


@pytest.mark.parametrize("key", ["nothing", "food_permit", "post_check"])
def test_make__no_matter(stage, key):
    with pytest.raises(NotFound):
        make(stage, key)


def test_make__merged_materials_are_asked_once(stage):
    rows = [
        {"material": "plan", "used_by": "alpha", "merge_key": "SITE"},
        {"material": "plan_of_fire", "used_by": "beta", "merge_key": "SITE"},
        {"material": "card", "exemption": "ECERT"},
    ]
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=rows))

    checklist = make(stage, "tiny", {})

    assert [(m["code"], m["used_by"], m["asked"]) for m in checklist["materials"]] == [
        ("plan", ["alpha", "beta"], True),
        ("card", ["alpha", "beta"], False),
    ]
    assert codes(checklists.missing(checklist, [], ["beta"])) == ["plan"]
    assert checklists.missing(checklist, ["plan"], ["alpha", "beta"]) == []
    assert checklists.missing(checklist, [], ["gamma"]) == []


def test_make__only_what_is_named(stage):
    checklist = make(stage, only=["signboard"])

    assert codes(checklist["items"]) == ["signboard"]
    assert "m_signdraw" in codes(checklist["materials"])


def test_make__frozen_on_the_case(stage, clerk):
    """The table changes; what an applicant was told does not."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, materials=[{"material": "plan"}]))
    case = clerk.submit("tiny")

    stage.deploy("tiny", **tiny.folder({"alpha": {}}, materials=[{"material": "plan"}, {"material": "more"}]))

    assert codes(stage.case(case).checklist["materials"]) == ["plan"]
    with pytest.raises(InvalidInput, match="plan"):
        clerk.complete(case, "一窗受理", outcome="accept")
    assert codes(make(stage, "tiny", {})["materials"]) == ["plan", "more"]


SIMPLE = {"how": "简易注销", "debts": True}
EXCLUSIONS = (
    ("简易注销", True, "有未结清的债务，不适用简易注销", "请选择普通注销", "市场主体登记管理条例第三十三条"),
    (None, True, "有未结清的债务", None, "公司法"),
)


@pytest.fixture
def excluding(stage):
    stage.deploy("tiny", **tiny.with_exclusions(tiny.folder({"alpha": {}, "beta": {}}), *EXCLUSIONS))


@pytest.mark.usefixtures("excluding")
def test_make__where_the_bundle_is_not_offered(stage):
    """It is told before anything is submitted, with what to do instead; where it is offered, nothing is said of it."""
    told = make(stage, "tiny", SIMPLE)

    assert told["exclusions"] == [
        {"reason": "有未结清的债务，不适用简易注销", "instead": "请选择普通注销", "basis": "市场主体登记管理条例第三十三条"},
        {"reason": "有未结清的债务", "instead": "", "basis": "公司法"},
    ]
    assert "exclusions" not in make(stage, "tiny", SIMPLE | {"debts": False})
    assert "exclusions" not in make(stage, "tiny", {"how": "简易注销"})


@pytest.mark.usefixtures("excluding")
@pytest.mark.parametrize("items", [None, ["alpha"]])
def test_submit__where_the_bundle_is_not_offered(stage, clerk, items):
    with pytest.raises(InvalidInput) as refusal:
        clerk.submit("tiny", answers=SIMPLE, items=items)

    assert refusal.value.details["errors"] == [
        {
            "field": "answers",
            "message": "Expected a situation in which tiny is offered, but 有未结清的债务，不适用简易注销"
            "（市场主体登记管理条例第三十三条）：请选择普通注销",
        },
        {"field": "answers", "message": "Expected a situation in which tiny is offered, but 有未结清的债务（公司法）"},
    ]
    assert stage.tasks(clerk.submit("tiny", answers=SIMPLE | {"debts": False}, items=items)) == ["一窗受理"]


@pytest.mark.usefixtures("excluding")
def test_submit__an_item_alone_where_its_bundle_is_not_offered(stage, clerk):
    """Nobody is kept from applying: a bundle is a service, and what it bundles is applied for alone (行政许可法 art. 32)."""
    case = clerk.submit("alpha", answers=SIMPLE)

    assert stage.statuses(case) == {"alpha": "submitted"}
