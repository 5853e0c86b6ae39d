"""What must leave the building: fetched until it is confirmed."""

import pytest

from tests.api.bundle import submit


@pytest.fixture
def carrier(call):
    return call("admin")


def test_fetch__until_it_is_confirmed(clerk, carrier):
    case = submit(clerk)

    first, again = (carrier.get("/messages?topic=notice").json["data"] for _ in range(2))
    confirmed = carrier.post("/messages/confirm", {"ids": [message["id"] for message in first]})

    assert first == again
    assert [(m["topic"], m["payload"]["case"], m["payload"]["title"]) for m in first] == [("notice", case["number"], "收件凭证")]
    assert confirmed.json == {"confirmed": 1}
    assert carrier.get("/messages?topic=notice").json["data"] == []
    assert carrier.post("/messages/confirm", {"ids": [message["id"] for message in first]}).json == {"confirmed": 0}


@pytest.mark.parametrize("query", ["topic=gossip", "limit=0", "cursor=x"])
def test_fetch__unacceptable_query(carrier, query):
    assert carrier.get(f"/messages?{query}").status_code == 422


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": ["x"]}, {"ids": [1]}])
def test_confirm__unacceptable(carrier, body):
    assert carrier.post("/messages/confirm", body).status_code == 422


def test_fetch__by_a_clerk(clerk):
    assert clerk.get("/messages").status_code == 403
    assert clerk.post("/messages/confirm", {"ids": ["00000000-0000-0000-0000-000000000000"]}).status_code == 403
