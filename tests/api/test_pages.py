"""The plain pages: readable by people, without scripts, and telling strangers nothing."""

import pytest

from api import words
from engine.clock import Light
from engine.states import ClockStatus, ItemStatus, ToleranceStatus
from tests.api.bundle import APPLICANT, accepted, submit


def test_index__lists_matters_to_everybody(nobody):
    answer = nobody.page("/")

    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert "开办餐饮店" in text
    assert "新生儿出生" in text
    assert 'href="/reference"' in text
    assert "<script" not in text


def test_index__shows_a_case_as_text(clerk):
    case = accepted(clerk)

    text = clerk.page(f"/?case={case['number']}").get_data(as_text=True)

    for word in (
        case["number"],
        APPLICANT["name"],
        "食品经营许可",
        "办理中",
        "计时中",
        "2026-03-16",
        "绿灯",
        "现场检查",
        "受理通知书",
        "case accepted",
    ):
        assert word in text


def test_index__case_asked_for_by_a_stranger(nobody):
    answer = nobody.page("/?case=43010020260302000001")

    assert answer.status_code == 401
    assert "Basic" in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("number", ["43010020260302000099", "<script>alert(1)</script>", "%27%20or%201=1"])
def test_index__no_such_case(clerk, number):
    answer = clerk.page(f"/?case={number}")

    assert answer.status_code == 404
    assert "您无权查看" in answer.get_data(as_text=True)
    assert "<script>" not in answer.get_data(as_text=True)


def test_index__case_of_another_hall(call, clerk):
    case = submit(clerk)

    answer = call("clerk-yuelu").page(f"/?case={case['number']}")

    assert answer.status_code == 404
    assert APPLICANT["name"] not in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("said", "kind"), [(words.ITEMS, ItemStatus), (words.CLOCKS, ClockStatus), (words.TOLERANCES, ToleranceStatus), (words.LIGHTS, Light)]
)
def test_words__for_every_status(said, kind):
    assert set(said) == set(kind)
