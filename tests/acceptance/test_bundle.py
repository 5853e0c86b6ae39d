"""Bundles from the window to the certificate, as their users would judge them."""

import pytest
from sqlalchemy import select

from engine.case_models import Item
from engine.models import Instance
from tests.acceptance.applicants import newborn, restaurant, single
from tests.hall import Person, Refused, item, items, open_tasks

FOOD = ("m_layout_food", "m_food_rules", "m_plan", "m_premises")


def accepted(hall, **bundle):
    """A restaurant that the window has accepted."""
    case = hall["clerk"].submit(**restaurant(**bundle))
    hall["clerk"].complete(case, "一窗受理", outcome="accept")
    return case


def notices(case, kind):
    return [notice for notice in case["notices"] if notice["kind"] == kind]


def test_bundle__fire_check_by_commitment_without_a_signboard(hall, clerk):
    case = accepted(hall)
    assert sorted(items(case)) == ["business_licence_check", "fire_check_commit", "food_permit"]

    hall["officer-fire"].complete(case, "消防承诺审查", outcome="granted")

    shown = clerk.case(case)
    fire = item(shown, "fire_check_commit")
    assert (fire["status"], fire["decided_at"][:10]) == ("granted", "2026-03-02")
    assert fire["promised_due"]["date"] == "2026-03-03"  # one working day
    assert [(c["kind"], c["status"], c["verify_due_on"]) for c in shown["commitments"]] == [("informed", "verify_due", "2026-03-30")]
    assert open_tasks(shown)["department-fire"] == ["事后核查"]


def test_tolerance__departments_start_issuance_holds_supply_releases(hall, clerk):
    case = clerk.submit(**restaurant(without=["m_plan"]))
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    assert set(items(clerk.case(case)).values()) <= {"in_review", "granted"}

    hall["officer-fire"].complete(case, "消防承诺审查", outcome="granted")
    hall["officer-market"].complete(case, "食品经营许可审批", outcome="granted")
    held = clerk.case(case)
    assert [(t["code"], t["status"], sorted(t["used_by"])) for t in held["tolerances"]] == [
        ("m_plan", "open", ["fire_check_commit", "food_permit"])
    ]
    assert "window" not in open_tasks(held)

    clerk.hand_in(case, "m_plan")
    clerk.complete(case, "统一出件", mode="unified", delivery="window")

    shown = clerk.case(case)
    assert set(items(shown).values()) == {"issued"}
    assert [t["status"] for t in shown["tolerances"]] == ["met"]
    assert shown["outcome"] == "all_granted"


def test_tolerance__not_supplied(hall, clerk):
    case = clerk.submit(
        **restaurant(without=["m_plan"], q_signboard="是", materials=(*FOOD, "m_fire_rules", "m_evac", "m_fireplan", "m_signdraw"))
    )
    clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    hall["officer-urban"].complete(case, "招牌备案审核", outcome="granted")
    hall["officer-fire"].complete(case, "消防承诺审查", outcome="granted")
    assert [t["due_on"] for t in clerk.case(case)["tolerances"]] == ["2026-03-03"]  # the fire check's promise

    hall.at("2026-03-03T10:00:00")
    assert not notices(clerk.case(case), "reminder")  # it was promised on the day before, when one would have been sent
    hall.at("2026-03-04T10:00:00")
    overdue = clerk.case(case)
    assert [t["status"] for t in overdue["tolerances"]] == ["overdue"]
    assert item(overdue, "food_permit")["clock"] == "paused"
    assert item(overdue, "signboard")["status"] in {"granted", "issued"}
    hall.at("2026-04-30T10:00:00")

    shown = clerk.case(case)
    assert [t["status"] for t in shown["tolerances"]] == ["expired"]
    assert items(shown)["food_permit"] == "returned"  # the end that the diagram configures
    assert items(shown)["fire_check_commit"] == "returned"
    assert items(shown)["signboard"] == "issued" or open_tasks(shown)["window"] == ["统一出件"]
    assert shown["outcome"] == "partial"


def test_supplement__one_notice_lists_everything_and_a_second_is_refused(hall, clerk):
    case = clerk.submit(**restaurant(without=["m_fire_rules", "m_premises", "m_plan"]))
    with pytest.raises(Refused) as critical:
        clerk.complete(case, "一窗受理", outcome="tolerate", commitment_signed=True)
    assert critical.value.status == 422

    clerk.complete(case, "一窗受理", outcome="supplement")
    (told,) = clerk.case(case)["supplements"]
    assert {m["code"] for m in told["missing"]} == {"m_fire_rules", "m_premises", "m_plan"}
    clerk.hand_in(case, "m_fire_rules", "m_premises", "m_plan")
    clerk.complete(case, "补正材料", answered=True)

    with pytest.raises(Refused) as second:
        clerk.complete(case, "一窗受理", outcome="supplement", defects="还要一份")
    assert second.value.status == 409
    assert len(clerk.case(case)["supplements"]) == 1
    clerk.complete(case, "一窗受理", outcome="accept")
    assert set(items(clerk.case(case)).values()) <= {"in_review", "granted"}


def test_intake__five_working_days_of_silence(hall, clerk):
    case = clerk.submit(**restaurant(without=["m_premises"]))

    hall.at("2026-03-09T23:59:00")
    assert set(items(clerk.case(case)).values()) == {"submitted"}
    hall.at("2026-03-10T00:01:00")

    shown = clerk.case(case)
    assert set(items(shown).values()) <= {"in_review", "granted"}
    assert {i["accepted_by"] for i in shown["items"]} == {"deemed"}
    assert ("deemed_acceptance", "red") in {(a["kind"], a["light"]) for a in shown["alerts"]}
    assert item(shown, "food_permit")["promised_due"]["date"] == "2026-03-16"  # counted from the day of receipt


def test_follow_on__five_working_days_of_silence(hall, clerk):
    """What joins on Wednesday and is not answered is accepted by law on the Wednesday after, as of the day it joined."""
    case = accepted(hall)
    hall.at("2026-03-04T09:00:00")
    clerk.follow_on(case, "signboard")

    hall.at("2026-03-11T23:59:00")
    assert items(clerk.case(case))["signboard"] == "submitted"
    assert open_tasks(clerk.case(case))["window"] == ["接续受理"]
    hall.at("2026-03-12T00:01:00")

    shown = clerk.case(case)
    signboard = item(shown, "signboard")
    assert (signboard["status"], signboard["accepted_by"]) == ("in_review", "deemed")
    assert signboard["promised_due"]["date"] == "2026-03-05"
    assert ("deemed_acceptance", "red") in {(a["kind"], a["light"]) for a in shown["alerts"]}
    assert notices(shown, "acceptance")[-1]["content"]["basis"] == "deemed"
    assert "window" not in open_tasks(shown)
    hall["officer-urban"].complete(case, "招牌备案审核", outcome="granted")
    assert items(clerk.case(case))["signboard"] == "granted"


def test_follow_on__a_licence_handled_alone_is_adopted(hall, clerk):
    alone = clerk.submit(**single("food_permit", materials=FOOD))
    clerk.complete(alone, "一窗受理", outcome="accept")
    licence = item(clerk.case(alone), "food_permit")

    hall.at("2026-03-05T09:00:00")
    bundle = clerk.submit(**restaurant(materials=("m_fire_rules", "m_evac", "m_fireplan")), adopt=[licence["number"]])
    assert clerk.case(bundle)["missing"] == []  # what the licence brought along is not asked again
    clerk.complete(bundle, "接续受理", outcome="accept")

    shown = clerk.case(bundle)
    adopted = item(shown, "food_permit")
    assert (adopted["number"], adopted["origin"], adopted["status"]) == (licence["number"], "continued", "in_review")
    assert adopted["promised_due"] == licence["promised_due"]
    assert item(shown, "fire_check_commit")["promised_due"]["date"] == "2026-03-06"
    assert clerk.case(alone)["outcome"] == "adopted"
    hall["officer-market"].complete(bundle, "食品经营许可审批", outcome="granted")
    hall["officer-fire"].complete(bundle, "消防承诺审查", outcome="granted")
    clerk.complete(bundle, "统一出件", mode="unified", delivery="window")
    assert clerk.case(bundle)["outcome"] == "all_granted"


def test_follow_on__a_finished_licence_is_imported(hall, clerk):
    alone = clerk.submit(**single("food_permit", materials=FOOD))
    clerk.complete(alone, "一窗受理", outcome="accept")
    hall["officer-market"].complete(alone, "食品经营许可审批", outcome="granted", certificate_no="JY14301000001")
    clerk.complete(alone, "统一出件", mode="unified", delivery="window")
    number = item(clerk.case(alone), "food_permit")["number"]

    bundle = clerk.submit(**restaurant(materials=("m_fire_rules", "m_evac", "m_fireplan")), adopt=[number])
    clerk.complete(bundle, "接续受理", outcome="accept")

    shown = clerk.case(bundle)
    assert items(shown)["food_permit"] == "imported"
    assert "食品经营许可审批" not in [task["name"] for task in shown["tasks"]]


def test_adopt__two_bundles_want_the_same_running_item(hall, clerk):
    alone = clerk.submit(**single("food_permit", materials=FOOD))
    clerk.complete(alone, "一窗受理", outcome="accept")
    number = item(clerk.case(alone), "food_permit")["number"]
    first, second = (clerk.submit(**restaurant()) for _ in range(2))

    clerk.adopt(first, number)
    with pytest.raises(Refused) as lost:
        clerk.adopt(second, number)

    assert lost.value.status == 409
    assert first["number"] in lost.value.problem["detail"]
    assert lost.value.problem["case"] == first["number"]


def test_follow_on__an_item_is_added_while_departments_work(hall, clerk):
    case = accepted(hall)
    clerk.follow_on(case, "signboard")
    clerk.hand_in(case, "m_signdraw")
    clerk.complete(case, "接续受理", outcome="accept")
    assert items(clerk.case(case))["signboard"] == "in_review"

    hall["officer-fire"].complete(case, "消防承诺审查", outcome="granted")
    hall["officer-market"].complete(case, "食品经营许可审批", outcome="granted")
    assert "window" not in open_tasks(clerk.case(case))  # the bundle waits for the signboard
    hall["officer-urban"].complete(case, "招牌备案审核", outcome="granted")

    assert open_tasks(clerk.case(case))["window"] == ["统一出件"]


def test_decision__food_granted_fire_refused_and_applied_for_again(hall, clerk):
    case = accepted(hall, q_fire_mode="一般程序", materials=(*FOOD, "m_fire_rules", "m_evac", "m_fireplan", "m_fire_decl"))
    hall["officer-market"].complete(case, "食品经营许可审批", outcome="granted")
    fire = next(t["name"] for t in hall["officer-fire"].tasks(case=case["number"]))
    deny(hall, case, fire)
    clerk.complete(case, "统一出件", mode="classified", delivery="window")

    ended = clerk.case(case)
    assert (items(ended)["food_permit"], items(ended)["fire_check"]) == ("issued", "denied")
    assert ended["outcome"] == "partial"
    assert ended["ended_at"] is not None
    denied = item(ended, "fire_check")
    assert denied["reason"]["reason"]
    assert "行政复议" in denied["reason"]["remedies"]

    again = clerk.post(f"/items/{denied['number']}/reapply")

    assert item(again, "fire_check")["previous_number"] == denied["number"]
    assert again["previous"] == case["number"]
    assert {m["code"] for m in again["materials"]} >= {"m_fire_rules", "m_evac", "m_fireplan", "m_fire_decl", "m_premises", "m_plan"}
    assert again["missing"] == []
    clerk.complete(again, "一窗受理", outcome="accept")
    assert items(clerk.case(again)) == {"fire_check": "in_review"}


def deny(hall, case, task):
    """The general fire check goes to the site first, then is decided."""
    officer = hall["officer-fire"]
    officer.complete(case, task, inspectors="李工、王工", findings="疏散通道宽度不足")
    (decision,) = officer.tasks(case=case["number"])
    officer.complete(case, decision["name"], outcome="denied", reason_code="conditions", reason="疏散通道宽度不足")


def test_newborn__born_in_another_province(hall, clerk):
    case = clerk.submit(**newborn())
    shown = clerk.case(case)
    assert {items(shown)[code] for code in ("birth_cert", "vaccine_card")} == {"imported"}
    assert {item(shown, code)["clock"] for code in ("birth_cert", "vaccine_card")} == {"not_started"}

    clerk.complete(case, "一窗受理", outcome="accept")
    assert {items(clerk.case(case))[code] for code in ("med_insurance", "social_card")} == {"waiting"}
    hall["officer-police"].complete(case, "出生登记审批", outcome="granted", id_number="430102202602260015")

    shown = clerk.case(case)
    assert {items(shown)[code] for code in ("med_insurance", "social_card")} == {"in_review"}
    with hall.database.reading() as session:
        assert id_numbers(session, shown) == {"med_insurance": "430102202602260015", "social_card": "430102202602260015"}


def id_numbers(session, case):
    """What the processes of the later items know, without anybody having typed it."""
    rows = session.execute(select(Item.code, Instance).join(Instance, Instance.id == Item.instance_id))
    return {code: instance.variables.get("id_number") for code, instance in rows if code in {"med_insurance", "social_card"}}


def test_clock__across_the_spring_festival_with_an_inspection_in_between(hall, clerk):
    hall.at("2026-02-09T09:00:00")
    case = accepted(hall)
    assert item(clerk.case(case), "food_permit")["promised_due"]["date"] == "2026-02-28"  # Sat 14 and Sat 28 February are worked

    hall.at("2026-02-11T09:00:00")
    hall["officer-market"].complete(case, "食品经营许可审批", outcome="inspect")
    assert item(clerk.case(case), "food_permit")["clock"] == "paused"
    hall.at("2026-02-13T09:00:00")
    hall["officer-market"].complete(case, "现场核查", findings="符合", inspectors="李工、王工")

    food = item(clerk.case(case), "food_permit")
    assert food["promised_due"]["date"] == "2026-03-04"  # the 11th, 12th and 13th did not count
    hall.at("2026-03-02T23:00:00")
    assert reminders(clerk.case(case)) == 0
    hall.at("2026-03-03T00:01:00")  # one working day is left after it
    assert reminders(clerk.case(case)) == 1
    assert item(clerk.case(case), "food_permit")["light"] == "yellow"
    hall.at("2026-03-05T00:01:00")
    assert item(clerk.case(case), "food_permit")["light"] == "red"


def reminders(case):
    return len([alert for alert in case["alerts"] if alert["kind"] == "reminder" and alert["department"] == "market"])


def test_issuance__unified_waits_so_long_and_then_splits_by_itself(hall, clerk):
    case = accepted(hall)
    hall["officer-fire"].complete(case, "消防承诺审查", outcome="granted")
    (wait,) = {matter["longest_wait"] for matter in [clerk.get("/matters/open_restaurant")]}

    hall.at("2026-03-03T12:00:00")
    assert items(clerk.case(case))["fire_check_commit"] == "granted"
    hall.at("2026-03-20T12:00:00")

    shown = clerk.case(case)
    assert wait > 1
    assert items(shown)["fire_check_commit"] == "issued"
    assert item(shown, "fire_check_commit")["certificate"] is not None
    assert items(shown)["food_permit"] == "in_review"
    hall["officer-market"].complete(case, "食品经营许可审批", outcome="granted")
    clerk.complete(case, "统一出件", mode="unified", delivery="window")
    assert clerk.case(case)["outcome"] == "all_granted"


def test_rate__by_the_channel_that_submitted(hall, clerk):
    admin = hall["admin"]
    for name in ("app", "other"):
        admin.post("/accounts", {"name": name, "password": f"{name} of the city"})
        admin.post(f"/accounts/{name}/grants", {"role": "channel"})
    app, other = Person(hall, "app", "app of the city"), Person(hall, "other", "other of the city")
    case = app.submit(**restaurant())
    clerk.complete(case, "一窗受理", outcome="accept")
    hall["officer-fire"].complete(case, "消防承诺审查", outcome="granted")
    hall["officer-market"].complete(case, "食品经营许可审批", outcome="granted")
    clerk.complete(case, "统一出件", mode="unified", delivery="electronic")
    with pytest.raises(Refused) as caught:
        other.post(f"/cases/{case['number']}/rate", {"score": 1})
    assert caught.value.status == 404

    app.post(f"/cases/{case['number']}/rate", {"score": 4, "comment": "一次办好"})

    assert app.case(case)["rating"]["score"] == 4
    assert [task["name"] for task in app.tasks()] == []
