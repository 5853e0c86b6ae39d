"""What an applicant has had handled alone, or has under way: whoever takes a bundle in looks before it is applied for again."""

import pytest
import time_machine
from sqlalchemy import text

from engine import archives
from tests.acceptance import applicants
from tests.api.bundle import APPLICANT, accepted, complete, item, submit, task

NUMBER = APPLICANT["id_number"]
SIGNBOARD = {"matter": "signboard", "materials": ["m_signdraw", "m_premises"]}


def listed(caller, query=""):
    answer = caller.get(f"/items?applicant_number={NUMBER}{query}")
    assert answer.status_code == 200, answer.json
    return {each["number"]: each for each in answer.json["data"]}


@pytest.fixture
def alone(clerk):
    """An item that was applied for alone, and is with its department."""
    case = submit(clerk, **SIGNBOARD)
    complete(clerk, case, "一窗受理", outcome="accept")
    return item(case, "signboard")["number"]


def test_list__what_is_under_way_and_can_be_adopted(call, clerk, alone):
    """Also at another hall, whose cases the clerk does not see; and it can be adopted as the list says."""
    elsewhere = call("clerk-yuelu")

    assert elsewhere.get(f"/items/{alone}").status_code == 404
    (found,) = listed(elsewhere).values()
    told = ("number", "code", "status", "hall", "applicant", "adoptable", "used_by", "certificate")
    assert [found[name] for name in told] == [alone, "signboard", "in_review", "changsha", APPLICANT["name"], True, None, None]
    bundle = submit(elsewhere, hall="yuelu", adopt=[alone])
    assert item(bundle, "signboard")["number"] == alone


def test_list__what_a_bundle_has(clerk, alone):
    bundle = accepted(clerk)
    assert clerk.post(f"/cases/{bundle['number']}/adopt", {"item_no": alone}).status_code == 200

    found = listed(clerk)

    assert {(each["adoptable"], each["used_by"]) for each in found.values()} == {(False, bundle["number"])}
    assert set(found) == {alone, *(each["number"] for each in bundle["items"])}


def test_list__finished_and_adopted_as_a_result(clerk, call, alone):
    """By its certificate, once; then the bundle that has it is named."""
    case = clerk.get(f"/items/{alone}").json["case"]
    complete(call("officer-urban"), clerk.get(f"/cases/{case}").json, "招牌备案审核", outcome="granted", certificate_no="ZP-7")
    complete(clerk, clerk.get(f"/cases/{case}").json, "统一出件", mode="unified", delivery="window")
    assert [listed(clerk)[alone][name] for name in ("status", "certificate", "adoptable")] == ["issued", "ZP-7", True]

    bundle = submit(clerk, adopt=["ZP-7"])

    assert [listed(clerk)[alone][name] for name in ("adoptable", "used_by")] == [False, bundle["number"]]
    assert item(bundle, "signboard")["number"] not in listed(clerk)  # it only shows the result of the other


def test_list__in_the_archive(app, clerk, call, alone):
    """It is adopted from there, too, years later."""
    case = clerk.get(f"/cases/{clerk.get(f'/items/{alone}').json['case']}").json
    complete(call("officer-urban"), case, "招牌备案审核", outcome="granted", certificate_no="ZP-7")
    complete(clerk, case, "统一出件", mode="unified", delivery="window")
    complete(clerk, case, "好差评", score=5)
    before = listed(clerk, "&matter=open_restaurant")
    with app.extensions["database"].transaction() as session:
        session.execute(text("UPDATE outbox SET sent_at = created_at"))
    with time_machine.travel("2033-03-02T09:00:00+08:00"):
        assert archives.sweep(app.extensions["database"]) == 1

    assert listed(clerk, "&matter=open_restaurant") == before
    assert (before[alone]["certificate"], before[alone]["adoptable"]) == ("ZP-7", True)
    bundle = submit(clerk, adopt=[alone])
    assert [listed(clerk)[alone][name] for name in ("adoptable", "used_by")] == [False, bundle["number"]]
    assert listed(clerk, "&matter=newborn") == {}


def test_list__what_counts_for_nothing(clerk, alone):
    assert clerk.post(f"/items/{alone}/withdraw", {"reason": "不办了"}).status_code == 200

    assert listed(clerk) == {}


def test_list__while_corrections_are_out(clerk):
    case = submit(clerk, matter="signboard", materials=["m_signdraw"])
    complete(clerk, case, "一窗受理", outcome="supplement")

    (found,) = listed(clerk).values()

    assert (found["status"], found["adoptable"], found["used_by"]) == ("correcting", False, None)


def test_list__of_a_matter(clerk, alone):
    assert set(listed(clerk, "&matter=open_restaurant")) == {alone}
    assert listed(clerk, "&matter=newborn") == {}
    refused = clerk.get(f"/items?applicant_number={NUMBER}&matter=nosuch")
    assert (refused.status_code, [error["field"] for error in refused.json["errors"]]) == (422, ["matter"])


def test_list__of_another_document_of_the_same_number(clerk, alone):
    """Two people: what is whose is not mixed up."""
    assert listed(clerk, "&id_type=passport&id_country=USA") == {}
    assert alone in listed(clerk)


@pytest.mark.parametrize("name", ["officer-market", "designer", "worker", "admin"])
def test_list__who_could_adopt_nothing(call, alone, name):
    """It is the whole of an applicant, in all halls."""
    assert alone
    assert call(name).get(f"/items?applicant_number={NUMBER}").status_code == 403


@pytest.mark.parametrize("query", ["", "?applicant_number=", "?applicant_number=123", f"?applicant_number={NUMBER}&id_type=dog"])
def test_list__of_nobody(clerk, query):
    """A number that can be nobody's is refused: an empty list would say that nothing is under way."""
    assert clerk.get(f"/items{query}").status_code == 422


def test_list__of_somebody_who_has_nothing(clerk):
    answer = clerk.get(f"/items?applicant_number={applicants.MOTHER['id_number']}")

    assert (answer.status_code, answer.json) == (200, {"data": []})


def test_adopt__an_item_that_the_bundle_handles_already(clerk):
    """The refusal says what to do; and that helps."""
    alone = submit(clerk, matter="food_permit", materials=["m_layout_food", "m_food_rules", "m_plan", "m_premises"])
    complete(clerk, alone, "一窗受理", outcome="accept")
    number, bundle = item(alone, "food_permit")["number"], accepted(clerk)
    own = item(bundle, "food_permit")["number"]

    refused = clerk.post(f"/cases/{bundle['number']}/adopt", {"item_no": number})

    assert (refused.status_code, refused.json["item"]) == (409, own)
    assert f"but it does as {own}: withdraw that first (POST /items/{own}/withdraw), if {number} is to count" in refused.json["detail"]
    assert clerk.post(f"/items/{own}/withdraw", {"reason": "已单独申请"}).status_code == 200
    assert clerk.post(f"/cases/{bundle['number']}/adopt", {"item_no": number}).status_code == 200


# Applied for a second time ----------------------------------------------------------------------------------------------------------------


def under_way(caller, case, name="一窗受理"):
    return caller.get(f"/tasks/{task(caller, case, name)['id']}").json["under_way"]


def test_submit__what_is_under_way_elsewhere(call, clerk):
    """It is taken, for a second restaurant is lawful; whoever takes it in is told, also at another hall, and so is the intake."""
    first = submit(clerk)
    elsewhere = call("clerk-yuelu")

    second = submit(elsewhere, hall="yuelu")

    assert first["under_way"] == []
    assert [each["number"] for each in second["under_way"]] == sorted((each["number"] for each in first["items"]), reverse=True)
    told = {tuple(each[name] for name in ("case", "hall", "status", "adoptable", "used_by")) for each in second["under_way"]}
    assert told == {(first["number"], "changsha", "submitted", False, first["number"])}
    assert under_way(elsewhere, second) == second["under_way"]
    assert [each["case"] for each in under_way(clerk, first)] == [second["number"]] * len(first["items"])
    complete(elsewhere, second, "一窗受理", outcome="accept")
    assert second["under_way"][0].keys() == clerk.get(f"/items?applicant_number={NUMBER}").json["data"][0].keys()


def test_submit__what_is_handled_alone_can_be_adopted(clerk, alone):
    second = submit(clerk, **SIGNBOARD)
    (found,) = second["under_way"]
    assert [found[name] for name in ("number", "status", "adoptable", "used_by")] == [alone, "in_review", True, None]

    bundle = submit(clerk, adopt=[alone])

    assert bundle["under_way"] == []
    assert [(each["number"], each["used_by"]) for each in under_way(clerk, second)] == [(alone, bundle["number"])]
    assert clerk.post(f"/items/{alone}/withdraw", {"reason": "不办了"}).status_code == 200
    assert under_way(clerk, second) == []


def test_submit__nothing_is_under_way(clerk, alone):
    """Other items, another applicant, another document of the same number, and what is there as a result."""
    assert alone
    assert submit(clerk)["under_way"] == []
    one, other = (
        {"kind": "person", "name": "王某", "id_number": "E12345678", "id_type": "passport", "id_country": c} for c in ("USA", "FRA")
    )
    assert submit(clerk, **SIGNBOARD, applicant=one)["under_way"] == submit(clerk, **SIGNBOARD, applicant=other)["under_way"] == []
    assert len(submit(clerk, **SIGNBOARD, applicant=other)["under_way"]) == 1


def test_follow_on__what_joins_is_under_way_elsewhere(clerk, alone):
    bundle = accepted(clerk)
    assert clerk.post(f"/cases/{bundle['number']}/follow-on", {"items": ["signboard"]}).status_code == 200

    assert [each["number"] for each in under_way(clerk, bundle, "接续受理")] == [alone]


def test_under_way__only_for_whoever_could_adopt_it(call, clerk, alone):
    """A channel submits, and is told nothing of what else its applicant has; nor is anything told of what is no intake."""
    portal = {"name": "portal-of-the-city", "display_name": "门户", "password": "portal-of-the-city"}
    assert call("admin").post("/accounts", portal).status_code == 201
    assert call("admin").post(f"/accounts/{portal['name']}/grants", {"role": "channel"}).status_code < 300
    made = submit(call(portal["name"]), **SIGNBOARD, hall="changsha")

    assert made["under_way"] is None
    assert [each["number"] for each in under_way(clerk, made)] == [alone]
    done = complete(clerk, made, "一窗受理", outcome="accept")
    assert done["under_way"] is None
    assert under_way(call("officer-urban"), made, "招牌备案审核") is None


def test_under_way__what_comes_in_elsewhere_does_not_change_the_intake(call, clerk):
    """Who has an intake open completes it as he has seen it (If-Match), whatever another hall takes in meanwhile; but he may see that."""
    case = submit(clerk)
    place = f"/tasks/{task(case=case, caller=clerk, name='一窗受理')['id']}"
    seen = clerk.get(place).headers["ETag"]

    submit(call("clerk-yuelu"), hall="yuelu")

    now = clerk.get(place, headers={"If-None-Match": seen})
    assert (now.status_code, len(now.json["under_way"])) == (200, len(case["items"]))
    assert clerk.get(place, headers={"If-None-Match": now.headers["ETag"]}).status_code == 304
    assert clerk.call("HEAD", place).headers["ETag"] == now.headers["ETag"]
    claimed = clerk.post(f"{place}/claim", headers={"If-Match": seen})
    assert (claimed.status_code, claimed.json["assignee"]) == (200, "clerk")
    stale = clerk.post(f"{place}/complete", {"outcome": "accept"}, headers={"If-Match": f'"another", {seen}'})
    assert stale.status_code == 412
    fresh = clerk.get(place).headers["ETag"]
    done = clerk.post(f"{place}/complete", {"outcome": "accept"}, headers={"If-Match": f'"another", {fresh}'})
    assert done.status_code == 200, done.json
