"""An empty list is an answer (nothing is late, nobody has applied): it is given only where what was asked for can be found."""

import pytest

from tests.api.bundle import APPLICANT, submit

NUMBER = APPLICANT["id_number"]


def refused(answer):
    """Field and words of a refusal."""
    assert answer.status_code == 422, answer.json
    [error] = answer.json["errors"]
    return error["field"], error["message"]


@pytest.mark.parametrize(
    ("path", "field", "words"),
    [
        ("/deadlines?light=red&department=市场监管局", "department", "'市场监管局' is none: write market"),
        ("/deadlines?department=markt", "department", "GET /departments lists them"),
        ("/alerts?kind=overdue&department=消防", "department", "write fire"),
        ("/deadlines?hall=岳麓", "hall", "write yuelu"),
        ("/deadlines?hall=nowhere&format=csv", "hall", "GET /halls lists them"),
        ("/tasks?hall=nowhere", "hall", "the code of a hall"),
        ("/tasks?group=department-markt", "group", "'markt' is none"),
        ("/tasks?matter=开办餐饮店", "matter", "write open_restaurant"),
        ("/cases?matter=open-restaurant", "matter", "GET /matters lists them"),
        ("/cases?archived=true&matter=nothing", "matter", "the key of a matter"),
    ],
)
def test_list__of_what_there_is_not(supervisor, path, field, words):
    where, message = refused(supervisor.get(path))

    assert where == field
    assert words in message


@pytest.mark.parametrize(
    "path", ["/deadlines?department=market", "/tasks?group=department-fire", "/alerts?hall=changsha", "/cases?matter=newborn&hall=yuelu"]
)
def test_list__of_what_there_is_and_nothing_found(supervisor, path):
    answer = supervisor.get(path)

    assert (answer.status_code, answer.json["data"]) == (200, [])


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("11010519491231003X", "its check character is wrong"),
        ("110105194912310021", "its check character is wrong"),
        ("110105194913310021", "its date of birth is none"),
        ("430105", "it has the form of none"),
        ("湘味小馆", "it has the form of none"),
    ],
)
def test_list_cases__of_a_number_that_nobody_has(clerk, typed, words):
    """A digit that the window mistypes is no “you have no case here”."""
    where, message = refused(clerk.get("/cases", query_string={"applicant_number": typed}))

    assert where == "applicant_number"
    assert words in message


@pytest.mark.parametrize(
    "typed", ["11010519491231002X", "91350100M0001TGQXM", "91350100M000100Y43", "E12345678", "h12345678", "CAN110108070708"]
)
def test_list_cases__of_somebody_who_has_none(clerk, typed):
    assert clerk.get("/cases", query_string={"applicant_number": typed}).json["data"] == []


@pytest.mark.parametrize("typed", [f"{NUMBER[:8]} {NUMBER[8:]}", f"\u202a{NUMBER}\u202c", f"{NUMBER.lower()}\u200b"])
def test_list_cases__by_a_number_that_was_copied_or_typed_in_groups(clerk, typed):
    case = submit(clerk, applicant=APPLICANT | {"id_number": typed})

    assert case["applicant"]["id_number"] == NUMBER
    assert [found["number"] for found in clerk.get("/cases", query_string={"applicant_number": typed}).json["data"]] == [case["number"]]


def test_submit__text_that_was_copied(clerk):
    """What nobody sees would stand on the certificate, and a message would go to no telephone; what belongs to a name stays."""
    given = {
        "name": "\ufeff湘味\u200b小馆\n（总店）\u202c",
        "phone": "１３８００００００01\u200b",
        "contact": "𠮷〇·买买提",
        "address": "a\u200db",
    }

    applicant = submit(clerk, applicant=APPLICANT | given)["applicant"]

    assert [applicant[name] for name in given] == ["湘味小馆 （总店）", "13800000001", "𠮷〇·买买提", "a\u200db"]


def test_submit__name_of_which_nothing_is_seen(clerk):
    assert refused(clerk.post("/cases", {"matter": "open_restaurant", "applicant": APPLICANT | {"name": "\u200b\ufeff"}, "answers": {}}))[
        0
    ] == ("applicant.name")


def test_get_case__by_the_number_of_an_item(clerk):
    case = submit(clerk)

    answer = clerk.get(f"/cases/{case['items'][0]['number']}")

    assert answer.status_code == 404
    assert f"the number of an item, whose case is {case['number']}" in answer.json["detail"]
