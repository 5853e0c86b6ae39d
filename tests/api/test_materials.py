"""Materials over HTTP: files and data, each once, seen by whom they serve."""

import copy
import errno
import io
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from api import repeats
from tests.api.bundle import MATERIALS, accepted, complete, item, submit
from tests.documents import OFD, PDF


@pytest.fixture
def case(clerk):
    """A case in which the site plan is missing."""
    return submit(clerk, materials=[code for code in MATERIALS if code != "m_plan"])


def upload(caller, case, content=PDF, name="平面图.pdf", code="m_plan", **headers):
    parts = {"code": code, "file": (io.BytesIO(content), name)}
    return caller.post(f"/cases/{case['number']}/materials", data=parts, headers=headers)


def test_hand_in__file(clerk, case):
    answer = upload(clerk, case)

    got = clerk.get(f"/cases/{case['number']}/materials/{answer.json['no']}/file")
    assert answer.status_code == 201
    assert (answer.json["filename"], answer.json["media_type"], answer.json["size"]) == ("平面图.pdf", "application/pdf", len(PDF))
    assert got.data == PDF
    assert got.headers["Content-Disposition"].startswith("attachment")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert clerk.get(f"/cases/{case['number']}").json["missing"] == []
    got.close()


def test_hand_in__same_content_is_stored_once(app, clerk, case):
    first, again = upload(clerk, case), upload(clerk, case, name="again.pdf", code="m_evac")

    stored = [path for path in app.extensions["files"].folder.rglob("*") if path.is_file()]
    assert first.json["sha256"] == again.json["sha256"]
    assert [path.name for path in stored] == [first.json["sha256"]]


def test_hand_in__data(clerk, case):
    answer = clerk.post(f"/cases/{case['number']}/materials", {"code": "m_plan", "fields": {"area": 120, "rooms": ["厨房", "大厅"]}})

    assert answer.status_code == 201
    assert answer.json["fields"] == {"area": 120, "rooms": ["厨房", "大厅"]}
    none = clerk.get(f"/cases/{case['number']}/materials/{answer.json['no']}/file")
    assert (none.status_code, "was handed in without one" in none.json["detail"]) == (404, True)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg"),
        (b"<html><script>1</script>", "a.pdf"),
        (PDF, "a.png"),
        (PDF + OFD, "a.pdf"),
        (b"", "a.pdf"),
    ],
)
def test_hand_in__file_that_is_not_taken(app, clerk, case, content, name):
    answer = upload(clerk, case, content, name)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "file"
    assert ("but the file is empty" in answer.json["detail"]) == (content == b"")
    assert [path for path in app.extensions["files"].folder.rglob("*") if path.is_file()] == []
    assert clerk.get(f"/cases/{case['number']}").json | {"under_way": []} == case


@pytest.mark.parametrize(
    "parts",
    [
        {"code": "m_plan"},
        {"file": (io.BytesIO(PDF), "a.pdf")},
        {"code": "m_plan", "file": (io.BytesIO(PDF), "a.pdf"), "more": "x"},
        {"code": "m_plan", "other": (io.BytesIO(PDF), "a.pdf")},
        {"code": "m_plan", "file": [(io.BytesIO(PDF), "a.pdf"), (io.BytesIO(PDF), "b.pdf")]},
        {"code": ["m_plan", "m_evac"], "file": (io.BytesIO(PDF), "a.pdf")},
    ],
)
def test_hand_in__form_of_another_shape(clerk, case, parts):
    sent = copy.deepcopy(parts)  # sending closes the files, and the other database gets them, too

    assert clerk.post(f"/cases/{case['number']}/materials", data=sent, content_type="multipart/form-data").status_code == 422


def test_hand_in__file_too_large(clerk, case):
    assert upload(clerk, case, PDF + b"x" * 300_000).status_code == 413


@pytest.mark.parametrize(("fault", "status"), [(errno.ENOSPC, 503), (errno.EROFS, 503), (errno.EBADF, 500)])
def test_hand_in__no_room_for_what_comes_in(clerk, case, monkeypatch, fault, status):
    """A large file waits on the disk until it has come as a whole: another node may have room; what is no fault of a disk is one of ours."""

    def fail(*_args, **_kwargs):
        raise OSError(fault, os.strerror(fault))

    with monkeypatch.context() as patched:
        patched.setattr("werkzeug.wrappers.request.default_stream_factory", fail)
        answer = upload(clerk, case)

    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, "1" if status == 503 else None)
    assert upload(clerk, case).status_code == 201


def test_hand_in__not_on_the_checklist(clerk, case):
    """Whoever writes what it is called is told its code."""
    answer = upload(clerk, case, code="场所平面布置图")

    assert answer.status_code == 422
    assert "场所平面布置图 m_plan、" in answer.json["detail"]


def test_hand_in__repeated_with_its_key(clerk, case):
    first, again = (upload(clerk, case, **{"Idempotency-Key": "k"}) for _ in range(2))

    assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [m["code"] for m in clerk.get(f"/cases/{case['number']}/materials").json["data"]].count("m_plan") == 1
    assert upload(clerk, case, OFD, "a.ofd", **{"Idempotency-Key": "k"}).status_code == 422


def test_hand_in__repeated_while_the_disk_is_full(clerk, case, monkeypatch):
    """Whoever has not got the answer asks for it: nothing is to be written any more.  What is new is told that there is no room."""
    first = upload(clerk, case, **{"Idempotency-Key": "k"})

    def fail(*_args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr(repeats, "PAUSES", ())
    again, other = upload(clerk, case, **{"Idempotency-Key": "k"}), upload(clerk, case, OFD, "a.ofd", **{"Idempotency-Key": "k"})
    new = [upload(clerk, case, **headers) for headers in ({"Idempotency-Key": "new"}, {})]

    assert (first.status_code, again.status_code, again.json) == (201, 201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.status_code == 422
    assert [answer.status_code for answer in new] == [503, 503]


def test_hand_in__at_once_with_one_key(call, clerk, case):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda c: upload(c, case, **{"Idempotency-Key": "k"}), [call("clerk") for _ in range(4)]))

    assert {(answer.status_code, answer.text) for answer in answers} == {(201, answers[0].text)}
    assert [m["code"] for m in clerk.get(f"/cases/{case['number']}/materials").json["data"]].count("m_plan") == 1


def test_hand_in__into_a_case_of_another_hall(call, case):
    assert upload(call("clerk-yuelu"), case).status_code == 404


def test_get__by_departments_it_serves(clerk, call, market, fire):
    case = accepted(clerk)
    materials = {m["code"]: m["no"] for m in case["materials"]}
    fire_only = materials["m_fire_decl"]

    assert fire.get(f"/cases/{case['number']}/materials/{fire_only}").status_code == 200
    assert market.get(f"/cases/{case['number']}/materials/{fire_only}").status_code == 404
    assert market.get(f"/cases/{case['number']}/materials/{fire_only}/file").status_code == 404
    assert call("officer-health").get(f"/cases/{case['number']}/materials").status_code == 404


def test_hand_in__what_was_tolerated_releases_the_item(clerk, market, case):
    complete(clerk, case, "一窗受理", outcome="tolerate", commitment_signed=True)
    before = clerk.get(f"/cases/{case['number']}").json

    upload(clerk, case)

    after = clerk.get(f"/cases/{case['number']}").json
    assert [t["status"] for t in before["tolerances"]] == ["open"]
    assert [t["status"] for t in after["tolerances"]] == ["met"]
    assert "m_plan" in {m["code"] for m in market.get(f"/cases/{case['number']}").json["materials"]} | {
        m["code"] for m in after["materials"]
    }
    assert item(after, "food_permit")["status"] == "in_review"


def test_reject__shown_with_the_copy_that_is_not_good(clerk, market, fire, case):
    """To whom the bundle is, and to the department that says so; the material is missing again, until one comes that is not rejected."""
    complete(clerk, case, "一窗受理", outcome="tolerate", commitment_signed=True)
    no, number = upload(clerk, case).json["no"], item(case, "food_permit")["number"]
    assert market.post(f"/items/{number}/materials/{no}/reject", {"reason": "图纸模糊"}).status_code == 200

    address, (_, again) = f"/cases/{case['number']}/materials", clerk.get(f"/cases/{case['number']}").json["tolerances"]
    shown = clerk.get(f"{address}/{no}").json["rejections"]

    assert [(r["item"], r["reason"], r["due_on"]) for r in shown] == [(number, "图纸模糊", again["due_on"])]
    assert market.get(f"{address}/{no}").json["rejections"] == shown
    for who in (clerk, market):
        assert [m["rejections"] for m in who.get(address).json["data"] if m["rejections"]] == [shown]
        assert [m["rejections"] for m in who.get(f"/cases/{case['number']}").json["materials"] if m["rejections"]] == [shown]
    assert all(m["rejections"] == [] for m in fire.get(address).json["data"])
    assert [m["code"] for m in clerk.get(f"/cases/{case['number']}").json["missing"]] == ["m_plan"]
    assert upload(clerk, case).json["rejections"] == []
    assert clerk.get(f"/cases/{case['number']}").json["missing"] == []


def test_case__a_department_knows_what_of_its_item_is_owed(clerk, market, fire):
    """It decides whether to wait for it; what only another department waits for is not told, nor which other item needs the same."""
    lacking = {"m_plan", "m_food_rules"}
    case = submit(clerk, materials=[code for code in MATERIALS if code not in lacking])
    complete(clerk, case, "一窗受理", outcome="tolerate", commitment_signed=True)

    its, others = (who.get(f"/cases/{case['number']}").json for who in (fire, market))

    assert [(m["code"], m["used_by"]) for m in its["missing"]] == [("m_plan", ["fire_check"])]
    assert [(t["code"], t["used_by"], t["status"]) for t in its["tolerances"]] == [("m_plan", ["fire_check"], "open")]
    assert {m["code"] for m in others["missing"]} == {t["code"] for t in others["tolerances"]} == lacking
    assert all(m["used_by"] == ["food_permit"] for m in others["missing"])


def test_reject__is_owed_to_who_rejected_it_only(clerk, market, fire, case):
    complete(clerk, case, "一窗受理", outcome="tolerate", commitment_signed=True)
    no, number = upload(clerk, case).json["no"], item(case, "food_permit")["number"]
    market.post(f"/items/{number}/materials/{no}/reject", {"reason": "图纸模糊"})

    its, others = (who.get(f"/cases/{case['number']}").json for who in (fire, market))

    assert ([m["code"] for m in its["missing"]], [t["status"] for t in its["tolerances"]]) == ([], ["met"])
    assert ([m["code"] for m in others["missing"]], [t["status"] for t in others["tolerances"]]) == (["m_plan"], ["met", "open"])
