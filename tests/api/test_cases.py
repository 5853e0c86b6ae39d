"""Cases over HTTP: submitted, seen by whom they concern, joined, taken back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine

from engine import idempotency, retention
from tests.acceptance.applicants import newborn
from tests.api.bundle import ANSWERS, APPLICANT, accepted, complete, item, submission, submit, task


def test_submit__answers_with_number_and_open_tasks(clerk):
    answer = clerk.post("/cases", submission())

    case = answer.json
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/cases/{case['number']}"
    assert [t["name"] for t in case["tasks"]] == ["一窗受理"]
    assert {i["code"]: i["status"] for i in case["items"]} == dict.fromkeys(
        ["business_licence_check", "food_permit", "fire_check"], "submitted"
    )
    assert (case["hall"], case["outcome"], case["missing"]) == ("changsha", "open", [])
    assert clerk.get(f"/cases/{case['number']}").json | {"under_way": []} == case


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"matter": "nothing"}, 404, None),
        ({"hall": "moon"}, 422, "hall"),
        ({"hall": "yuelu"}, 403, None),
        ({"applicant": {}}, 422, "applicant.name"),
        ({"applicant": APPLICANT | {"kind": "ghost"}}, 422, "applicant.kind"),
        ({"applicant": APPLICANT | {"shoe_size": 44}}, 422, "applicant.shoe_size"),
        ({"applicant": APPLICANT | {"name": ""}}, 422, "applicant.name"),
        ({"applicant": APPLICANT | {"name": "　 "}}, 422, "applicant.name"),
        ({"answers": {name: answer for name, answer in ANSWERS.items() if name != "q_fire_mode"}}, 422, "answers.q_fire_mode"),
        ({"answers": {"q_unknown": 1}}, 422, "answers.q_unknown"),
        ({"answers": []}, 422, "answers"),
        ({"materials": ["m_unknown"]}, 422, "code"),
        ({"materials": [5]}, 422, "materials.0"),
        ({"materials": [{"fields": {}}]}, 422, "materials.0.code"),
        ({"materials": [""]}, 422, "materials.0.code"),
        ({"items": []}, 422, "items"),
        ({"adopt": ["43010020260302000099-01"]}, 404, None),
        ({"surprise": 1}, 422, "surprise"),
    ],
)
def test_submit__refused(clerk, changes, status, field):
    answer = clerk.post("/cases", submission(**changes))

    assert answer.status_code == status
    assert field is None or field in [error["field"] for error in answer.json["errors"]]
    assert clerk.get("/cases").json["data"] == []


@pytest.mark.parametrize("typed", ["11010519491231002x", " 11010519491231002X ", "１１０１０５１９４９１２３１００２ｘ"])
def test_submit__number_as_it_is_typed(clerk, typed):
    """Whoever is looked for by it is found, too."""
    case = submit(clerk, applicant={"kind": "person", "name": "许文清 ", "id_number": typed})

    found = clerk.get("/cases", query_string={"applicant_number": typed}).json["data"]
    assert (case["applicant"]["id_number"], case["applicant"]["name"]) == ("11010519491231002X", "许文清")
    assert [c["number"] for c in found] == [case["number"]]


def test_submit__by_a_department(market):
    assert market.post("/cases", submission(hall="changsha")).status_code == 403


def test_submit__nobody_says_which_hall(admin):
    answer = admin.post("/cases", submission())

    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "hall")


def test_submit__repeated_with_its_key(clerk):
    first, again = (clerk.post("/cases", submission(), headers={"Idempotency-Key": "bundle-1"}) for _ in range(2))

    assert first.json == again.json
    assert len(clerk.get("/cases").json["data"]) == 1


def test_submit__twice_at_once_with_one_key(call, clerk):
    callers = [call("clerk") for _ in range(2)]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda c: c.post("/cases", submission(), headers={"Idempotency-Key": "k"}), callers))

    assert {a.status_code for a in answers} == {201}
    assert len({a.json["number"] for a in answers}) == 1
    assert len(clerk.get("/cases").json["data"]) == 1


def test_submit__one_item_alone(clerk):
    case = submit(clerk, matter="food_permit", materials=["m_layout_food"])

    assert [i["code"] for i in case["items"]] == ["food_permit"]


def test_get__head(clerk):
    """The same headers, and nothing else."""
    path = f"/cases/{submit(clerk)['number']}"
    whole, head = (clerk.call(method, path) for method in ("GET", "HEAD"))

    assert (head.status_code, head.data) == (200, b"")
    assert [head.headers[name] for name in ("ETag", "Content-Length")] == [whole.headers["ETag"], str(len(whole.data))]
    assert clerk.call("HEAD", path, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", ["", "/journal", "/diagram", "/materials", "/materials/1"])
def test_get__of_another_hall(call, clerk, submitted, path):
    other = call("clerk-yuelu")

    assert clerk.get(f"/cases/{submitted['number']}{path}").status_code == 200
    assert other.get(f"/cases/{submitted['number']}{path}").status_code == 404
    assert other.get("/cases").json["data"] == []


def test_get__by_a_department(running, fire):
    seen = fire.get(f"/cases/{running['number']}").json

    assert [i["code"] for i in seen["items"]] == ["fire_check"]
    assert {t["item"] for t in seen["tasks"]} == {item(running, "fire_check")["number"]}
    assert (seen["checklist"], seen["tolerances"]) == (None, [])
    # What it decides by, and nothing that only others do.
    assert seen["answers"] == {name: ANSWERS[name] for name in ("q_area", "q_fire_mode", "q_gas", "q_music")}
    assert {m["code"] for m in seen["materials"]} < {m["code"] for m in running["materials"]}
    assert "m_fire_decl" in {m["code"] for m in seen["materials"]}
    assert all(item(running, "fire_check")["number"] in n["number"] for n in seen["notices"])


def test_get__by_a_department_without_an_item(running, call):
    assert call("officer-health").get(f"/cases/{running['number']}").status_code == 404


def test_list__pages_newest_first(clerk):
    numbers = [submit(clerk)["number"] for _ in range(3)]

    first = clerk.get("/cases?limit=2").json
    second = clerk.get(f"/cases?limit=2&cursor={first['next']}").json

    assert [c["number"] for c in first["data"] + second["data"]] == numbers[::-1]
    assert second["next"] is None


def test_list__filters(clerk, running):
    submit(clerk, applicant=APPLICANT | {"id_number": "91430100MA4R3H5E82"})

    def found(query):
        return [c["number"] for c in clerk.get(f"/cases?{query}").json["data"]]

    assert found(f"applicant_number={APPLICANT['id_number']}") == [running["number"]]
    assert found("light=green") == [running["number"]]
    assert found("light=red") == found("matter=newborn") == found("open=false") == []
    assert len(found("open=true")) == 2


def test_list__by_the_day_of_submission(clerk):
    """In Beijing, where it is the next day already in the evening of London."""
    with time_machine.travel("2026-03-01T23:59:00+08:00", tick=False):
        first = submit(clerk)["number"]
    with time_machine.travel("2026-03-02T00:01:00+08:00", tick=False):
        second = submit(clerk)["number"]

    def found(query):
        return [c["number"] for c in clerk.get(f"/cases?{query}").json["data"]]

    assert found("since=2026-03-01") == found("until=2026-03-02") == found("since=2026-03-01&until=2026-03-02") == [second, first]
    assert found("since=2026-03-02") == [second]
    assert found("until=2026-03-01&matter=open_restaurant") == [first]
    assert found("since=2026-03-03") == found("until=2026-02-28") == []
    assert clerk.get("/cases?since=2026-03-02&until=2026-03-01").json["errors"][0]["field"] == "until"


def test_journal__tells_what_happened(clerk, running, fire):
    entries = clerk.get(f"/cases/{running['number']}/journal").json["data"]
    theirs = fire.get(f"/cases/{running['number']}/journal").json["data"]

    assert [e["what"] for e in entries[:3]] == ["case submitted", "case accepted", "task completed"]
    assert [e["at"] for e in entries] == sorted(e["at"] for e in entries)
    assert {e["details"]["item"] for e in theirs} == {item(running, "fire_check")["number"]}


def test_diagram__shows_where_the_tokens_are(clerk, running, fire):
    number = item(running, "fire_check")["number"]

    whole = clerk.get(f"/cases/{running['number']}/diagram").json
    one = fire.get(f"/cases/{running['number']}/diagram?item={number}").json

    assert "<bpmn:definitions" in whole["xml"]
    assert "call" in {t["kind"] for t in whole["tokens"]}
    assert (one["key"], [t["name"] for t in one["tokens"] if t["kind"] == "user_task"]) == ("fire_check", ["现场检查"])
    assert all(f'id="{t["element"]}"' in one["xml"] for t in one["tokens"])


def test_follow_on__joins_while_departments_work(clerk, running):
    joined = clerk.post(f"/cases/{running['number']}/follow-on", {"items": ["signboard"]})

    assert joined.status_code == 200
    assert item(joined.json, "signboard")["status"] == "submitted"
    assert "接续受理" in [t["name"] for t in joined.json["tasks"]]


@pytest.mark.parametrize(("items", "status"), [(["nothing"], 422), (["food_permit"], 409), ([], 422), ([1], 422)])
def test_follow_on__refused(clerk, running, items, status):
    assert clerk.post(f"/cases/{running['number']}/follow-on", {"items": items}).status_code == status


def test_follow_on__changed_since_it_was_seen(clerk, running, market):
    tag = clerk.get(f"/cases/{running['number']}").headers["ETag"]
    complete(market, running, "食品经营许可审批", outcome="granted")

    stale = clerk.post(f"/cases/{running['number']}/follow-on", {"items": ["signboard"]}, headers={"If-Match": tag})
    fresh = clerk.get(f"/cases/{running['number']}").headers["ETag"]

    assert stale.status_code == 412
    assert clerk.post(f"/cases/{running['number']}/follow-on", {"items": ["signboard"]}, headers={"If-Match": fresh}).status_code == 200


def test_adopt__item_that_runs_alone(clerk):
    alone = submit(clerk, matter="signboard", materials=["m_signdraw", "m_premises"])
    complete(clerk, alone, "一窗受理", outcome="accept")
    case = accepted(clerk)

    adopted = clerk.post(f"/cases/{case['number']}/adopt", {"item_no": item(alone, "signboard")["number"]})
    again = clerk.post(f"/cases/{submit(clerk)['number']}/adopt", {"item_no": item(alone, "signboard")["number"]})

    assert (adopted.status_code, adopted.json["case"], adopted.json["origin"]) == (200, case["number"], "continued")
    assert (again.status_code, again.json["case"]) == (409, case["number"])


def test_submit__adopts_an_item_that_is_named_twice(clerk):
    alone = item(submit(clerk, matter="signboard", materials=["m_signdraw", "m_premises"]), "signboard")["number"]

    case = submit(clerk, adopt=[alone, alone])

    assert (case["entry"], item(case, "signboard")["number"]) == ("follow_on", alone)


def test_withdraw__before_anything_is_decided(clerk, submitted):
    withdrawn = clerk.post(f"/cases/{submitted['number']}/withdraw", {"reason": "不开了"})

    assert (withdrawn.status_code, withdrawn.json["outcome"]) == (200, "withdrawn")
    assert clerk.post(f"/cases/{submitted['number']}/withdraw", {"reason": "不开了"}).status_code == 409


def test_withdraw__without_reason(clerk, submitted):
    assert clerk.post(f"/cases/{submitted['number']}/withdraw", {"reason": " "}).status_code == 422
    assert clerk.post(f"/cases/{submitted['number']}/withdraw", {}).status_code == 422


@pytest.mark.parametrize(
    ("document", "typed", "kept"),
    [
        ("passport", "e 12345678", "E12345678"),
        ("hk_macao_permit", "H12345678", "H12345678"),
        ("taiwan_permit", "１２３４５６７８", "12345678"),
        ("residence_card", "can110108070708", "CAN110108070708"),
    ],
)
def test_submit__by_somebody_without_an_identity_number(clerk, document, typed, kept):
    """Who has come from elsewhere can apply, is found by the number, and is issued what is granted."""
    somebody = {"kind": "person", "name": "Marie Exemple", "id_type": document, "id_number": typed}
    somebody |= {"id_country": "FRA"} if document == "passport" else {}

    case = submit(clerk, applicant=somebody)

    assert case["applicant"] == somebody | {"id_number": kept}
    assert [each["number"] for each in clerk.get(f"/cases?applicant_number={typed}").json["data"]] == [case["number"]]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"id_number": "E12345678"}, "id_number", "if it is of another document, say so (id_type: passport)"),
        ({"id_number": "H12345678"}, "id_number", "(id_type: passport or hk_macao_permit)"),
        ({"id_number": "430102199001011239"}, "id_number", "Expected id_number, but its check character is wrong"),
        (
            {"id_type": "taiwan_permit", "id_number": "E12345678"},
            "id_number",
            "Expected taiwan_permit, but it has not the form of one (8 digits)",
        ),
        ({"id_type": "passport", "id_country": "FRA", "id_number": "430102199001011238"}, "id_number", "Expected passport, but"),
        (
            {"id_type": "passport", "kind": "enterprise", "id_number": "E12345678"},
            "id_type",
            "or left out, but it is 'passport' for kind enterprise",
        ),
        ({"id_type": "driving licence"}, "id_type", "Expected 'passport', 'hk_macao_permit', "),
    ],
)
def test_submit__with_a_number_of_another_document(clerk, changes, field, words):
    somebody = {"kind": "person", "name": "Marie Exemple", "id_number": "430102199001011238"}

    answer = clerk.post("/cases", submission(applicant=somebody | changes))

    [error] = answer.json["errors"]
    assert (answer.status_code, error["field"]) == (422, f"applicant.{field}")
    assert words in error["message"]


def test_submit__names_of_what_is_meant(clerk):
    """Who writes what it is called is told its code: it was no process, and a hall in which one does not work."""
    matter, hall = (clerk.post("/cases", submission(**given)) for given in ({"matter": "开办餐饮店"}, {"hall": "长沙市政务服务中心"}))
    item = clerk.post("/cases", submission(items=["户外招牌"]))

    assert (matter.status_code, matter.json["detail"].rpartition(": ")[2]) == (404, "write open_restaurant")
    assert (hall.status_code, hall.json["errors"][0]["field"]) == (422, "hall")
    assert hall.json["detail"].endswith("write changsha")
    assert "it has business_licence_check, food_permit, " in item.json["errors"][0]["message"]


def test_get__answers_that_concern_nobody_else(clerk, call):
    """Whether a child was born in wedlock is for who registers it; who makes out a card is not told."""
    case = submit(clerk, **newborn())
    complete(clerk, case, "一窗受理", outcome="accept")

    police, social = (call(f"officer-{name}").get(f"/cases/{case['number']}").json["answers"] for name in ("police", "hrss"))

    assert {"q_wedlock", "q_hukou_kind"} <= police.keys()
    assert "q_card_bank" not in police
    assert social == {"q_card_bank": "邮寄不激活金融功能"}


def test_get__answers_of_an_item_alone(clerk, call):
    """They are asked by the bundle that calls it, and told as that says."""
    case = submit(clerk, matter="signboard", materials=["m_signdraw", "m_premises"])

    assert call("officer-urban").get(f"/cases/{case['number']}").json["answers"] == {"q_signboard": "否"}


def test_contact__corrected(clerk, submitted, admin):
    """What nobody has carried yet goes there, too; who applies stays the same."""
    corrected = clerk.post(f"/cases/{submitted['number']}/contact", {"phone": "13911112222"})
    complete(clerk, submitted, "一窗受理", outcome="accept")

    assert (corrected.status_code, corrected.json["applicant"]) == (200, APPLICANT | {"phone": "13911112222"})
    told = [message["payload"] for message in admin.get("/messages?topic=notice").json["data"]]
    assert [(each["kind"], each["to"]) for each in told[:2]] == [("receipt", "13911112222"), ("acceptance", "13911112222")]
    journal = clerk.get(f"/cases/{submitted['number']}/journal").json["data"]
    assert [e["details"] for e in journal if e["what"] == "contact corrected"] == [{"fields": ["phone"]}]


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, ["phone", "contact", "address"]),
        ({"phone": " ", "contact": "李"}, ["phone"]),
        ({"phone": None}, ["phone", "contact", "address"]),
        ({"name": "别人"}, ["name"]),
    ],
)
def test_contact__refused(clerk, submitted, changes, fields):
    answer = clerk.post(f"/cases/{submitted['number']}/contact", changes)

    assert (answer.status_code, [error["field"] for error in answer.json["errors"]]) == (422, fields)
    assert clerk.get(f"/cases/{submitted['number']}").json == submitted


@pytest.mark.parametrize(("name", "status"), [("officer-market", 403), ("clerk-yuelu", 404)])
def test_contact__by_others(running, call, name, status):
    assert call(name).post(f"/cases/{running['number']}/contact", {"phone": "13911112222"}).status_code == status


def test_name__corrected(clerk, market, fire):
    """What is issued from now on is in the right name; the journal says that it was another one, and why."""
    case = submit(clerk, applicant=APPLICANT | {"name": "长沙香味小馆餐饮有限公司"})
    complete(clerk, case, "一窗受理", outcome="accept")

    corrected = clerk.post(f"/cases/{case['number']}/name", {"name": APPLICANT["name"], "reason": "录入有误"})

    assert (corrected.status_code, corrected.json["applicant"]) == (200, APPLICANT)
    assert [each["applicant"] for each in clerk.get("/cases").json["data"]] == [APPLICANT["name"]]
    journal = clerk.get(f"/cases/{case['number']}/journal").json["data"]
    assert [e["details"] for e in journal if e["what"] == "name corrected"] == [{"reason": "录入有误"}]
    complete(market, case, "食品经营许可审批", outcome="granted")
    complete(fire, case, "现场检查", inspectors="刘洋、何静", findings="合格")
    complete(fire, case, "消防检查决定", outcome="granted")
    complete(clerk, case, "统一出件", mode="unified", delivery="window")
    assert item(clerk.get(f"/cases/{case['number']}").json, "food_permit")["certificate"]["holder"] == APPLICANT["name"]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": APPLICANT["name"], "reason": "录入有误"}, "name"),
        ({"name": f" {APPLICANT['name']} ", "reason": "录入有误"}, "name"),
        ({"name": " ", "reason": "录入有误"}, "applicant.name"),
        ({"name": "别的名字"}, "reason"),
    ],
)
def test_name__refused(clerk, submitted, said, field):
    answer = clerk.post(f"/cases/{submitted['number']}/name", said)

    assert (answer.status_code, [error["field"] for error in answer.json["errors"]]) == (422, [field])
    assert clerk.get(f"/cases/{submitted['number']}").json == submitted


def test_name__of_a_case_that_has_ended(clerk, submitted):
    clerk.post(f"/cases/{submitted['number']}/withdraw", {"reason": "不办了"})

    answer = clerk.post(f"/cases/{submitted['number']}/name", {"name": "别的名字", "reason": "录入有误"})

    assert (answer.status_code, "has ended" in answer.json["detail"]) == (409, True)


@pytest.mark.parametrize(("name", "status"), [("officer-market", 403), ("clerk-yuelu", 404)])
def test_name__by_others(running, call, name, status):
    assert call(name).post(f"/cases/{running['number']}/name", {"name": "别的名字", "reason": "录入有误"}).status_code == status


def test_rate__too_early(clerk, submitted):
    assert clerk.post(f"/cases/{submitted['number']}/rate", {"score": 5}).status_code == 409


@pytest.mark.parametrize("score", [0, 6, "5", 4.5, True, None])
def test_rate__no_mark(clerk, submitted, score):
    assert clerk.post(f"/cases/{submitted['number']}/rate", {"score": score}).status_code == 422


def test_rate__after_everything_is_out(clerk, running, market, fire):
    complete(market, running, "食品经营许可审批", outcome="granted")
    complete(fire, running, "现场检查", inspectors="刘洋、何静", findings="合格")
    complete(fire, running, "消防检查决定", outcome="granted")
    complete(clerk, running, "统一出件", mode="unified", delivery="window")

    rated = clerk.post(f"/cases/{running['number']}/rate", {"score": 5, "comment": "很快"})

    assert rated.status_code == 200
    assert (rated.json["outcome"], rated.json["rating"]["score"]) == ("all_granted", 5)
    assert item(rated.json, "food_permit")["certificate"]["holder"] == APPLICANT["name"]
    assert clerk.post(f"/cases/{running['number']}/rate", {"score": 1}).status_code == 409


def test_task__helper_sees_what_is_open(clerk):
    assert task(clerk, submit(clerk), "一窗受理")["groups"] == ["window"]


def test_submit__again_when_its_answer_is_being_forgotten(app, clerk, monkeypatch):
    """What was reserved for it is still found, the answer no more: it is new then, as it is a moment later."""
    database, find, headers = app.extensions["database"], idempotency._find, {"Idempotency-Key": "k"}
    first = clerk.post("/cases", submission(), headers=headers).json
    forgotten = []

    def forget(session, command):
        forgotten.append(command)
        retention.sweep(database, answers=timedelta(0))
        return find(session, command)

    monkeypatch.setattr(idempotency, "_find", forget)

    again = clerk.post("/cases", submission(), headers=headers)

    assert len(forgotten) == 1
    assert again.status_code == 201, again.json
    assert again.json["number"] != first["number"]
    assert {case["number"] for case in clerk.get("/cases").json["data"]} == {first["number"], again.json["number"]}
