"""Drafts over HTTP: saved while somebody types, read by whoever goes on, never in each other's way."""

import pytest

from tests.api.bundle import submit, task

NOTHING = {"data": None, "saved_at": None, "saved_by": None}
HALF = {"outcome": "refuse", "reason": None}


@pytest.fixture
def store(sqlite):
    """One database; that both keep drafts alike is shown below HTTP."""
    return sqlite


@pytest.fixture
def draft(clerk):
    """Where the draft of an intake is."""
    return f"/tasks/{task(clerk, submit(clerk), '一窗受理')['id']}/draft"


def test_draft__saved_read_and_thrown_away(clerk, supervisor, draft):
    assert clerk.get(draft).json == NOTHING

    saved = clerk.put(draft, HALF)

    assert (saved.status_code, saved.json["data"], saved.json["saved_by"]) == (200, HALF, "clerk")
    assert saved.json["saved_at"].startswith("2026-03-02T01:00:")
    assert supervisor.get(draft).json == saved.json
    assert supervisor.delete(draft).json == supervisor.get(draft).json == NOTHING


def test_draft__saving_is_not_completing(clerk, draft):
    place = draft.removesuffix("/draft")
    before = clerk.get(place)

    clerk.put(draft, HALF)

    assert clerk.get(place).json == before.json
    assert clerk.post(f"{place}/complete", HALF).status_code == 422
    whoever_saw_the_task = clerk.post(f"{place}/complete", {"outcome": "accept"}, headers={"If-Match": before.headers["ETag"]})
    assert whoever_saw_the_task.status_code == 200
    assert (clerk.get(draft).status_code, clerk.get(draft).json["current_status"]) == (409, "completed")


def test_save__somebody_else_has_saved_meanwhile(clerk, supervisor, draft):
    """Also when there was nothing to begin with."""
    seen = clerk.get(draft).headers["ETag"]
    mine = clerk.put(draft, HALF, headers={"If-Match": seen})
    assert mine.status_code == 200

    theirs = supervisor.put(draft, {"outcome": "accept"}, headers={"If-Match": seen})
    thrown = supervisor.delete(draft, headers={"If-Match": seen})

    assert (theirs.status_code, thrown.status_code) == (412, 412)
    assert clerk.get(draft).json["data"] == HALF
    assert clerk.put(draft, {"outcome": "tolerate"}, headers={"If-Match": mine.headers["ETag"]}).status_code == 200


def test_save__its_tag_is_that_of_reading(clerk, draft):
    saved = clerk.put(draft, HALF)

    assert saved.headers["ETag"] == clerk.get(draft).headers["ETag"]
    assert clerk.get(draft, headers={"If-None-Match": saved.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("data", "field"),
    [({"surprise": 1}, "surprise"), ({"outcome": ["accept"]}, "outcome"), ({"outcome": "accept\0"}, "outcome"), ({"reason": 1}, "reason")],
)
def test_save__unacceptable(clerk, draft, data, field):
    clerk.put(draft, HALF)

    answer = clerk.put(draft, data)

    assert answer.status_code == 422
    assert [error["field"] for error in answer.json["errors"]] == [field]
    assert clerk.get(draft).json["data"] == HALF


@pytest.mark.parametrize("body", ["[]", '"accept"', "null", "{"])
def test_save__no_object(clerk, draft, body):
    assert clerk.put(draft, data=body, content_type="application/json").status_code in {400, 422}


def test_draft__task_of_somebody_else(call, clerk, fire, draft):
    clerk.put(draft, HALF)

    for stranger in (fire, call("clerk-yuelu"), call("designer")):
        assert {stranger.get(draft).status_code, stranger.put(draft, {}).status_code, stranger.delete(draft).status_code} == {404}
    assert clerk.get(draft).json["data"] == HALF


def test_draft__unknown_task(clerk):
    assert clerk.get("/tasks/00000000-0000-0000-0000-000000000000/draft").status_code == 404
