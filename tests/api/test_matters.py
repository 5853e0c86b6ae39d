"""What is offered, and the one-time notice."""

import pytest

from tests.api.bundle import ANSWERS


def checklist(caller, **body):
    return caller.post("/matters/open_restaurant/checklist", body)


def test_list__shipped_matters(clerk):
    found = clerk.get("/matters").json["data"]

    assert {m["key"]: m["name"] for m in found} == {"newborn": "新生儿出生", "open_restaurant": "开办餐饮店"}


def test_get__questions_and_items(clerk):
    matter = clerk.get("/matters/open_restaurant").json

    assert "q_fire_mode" in [question["id"] for question in matter["situations"]]
    assert [(q["min"], q["max"], q["required"]) for q in matter["situations"] if q["id"] == "q_area"] == [(1, None, True)]
    assert {"food_permit", "fire_check"} <= {item["code"] for item in matter["offered"]}


@pytest.mark.parametrize("key", ["nothing", "food_permit", "post_check"])
def test_get__no_matter(clerk, key):
    assert clerk.get(f"/matters/{key}").status_code == 404


def test_checklist__same_answers_same_hash(clerk, market):
    ours, theirs = checklist(clerk, answers=ANSWERS), checklist(market, answers=ANSWERS)

    assert ours.status_code == 200
    assert [i["code"] for i in ours.json["items"]] == ["business_licence_check", "food_permit", "fire_check"]
    assert ours.json["hash"] == theirs.json["hash"]
    assert "q_raw" in ours.json["unanswered"]
    assert ours.json["exclusions"] == []


def test_checklist__other_answers(clerk):
    committed = checklist(clerk, answers=ANSWERS | {"q_fire_mode": "告知承诺"}).json

    assert "fire_check_commit" in [i["code"] for i in committed["items"]]
    assert committed["hash"] != checklist(clerk, answers=ANSWERS).json["hash"]


@pytest.mark.parametrize(
    ("answers", "field"),
    [
        ({"q_unknown": 1}, "answers.q_unknown"),
        ({"q_area": "large"}, "answers.q_area"),
        ({"q_area": True}, "answers.q_area"),
        ({"q_scale": "酒店"}, "answers.q_scale"),
        ({"q_music": "无"}, "answers.q_music"),
        ({"q_scale": ["餐饮服务经营者"]}, "answers.q_scale"),
        ({"q_area": {"a": 1}}, "answers.q_area"),
        ({"q_music": [{}]}, "answers.q_music"),
    ],
)
def test_checklist__unacceptable_answers(clerk, answers, field):
    answer = checklist(clerk, answers=answers)

    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json["errors"]]


def test_checklist__unknown_item(clerk):
    assert checklist(clerk, items=["nothing"]).status_code in {404, 422}
