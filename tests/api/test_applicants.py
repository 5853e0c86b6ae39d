"""Applicants over HTTP: whose a number is, who acts for them, and whether they can be reached."""

import pytest
from sqlalchemy import select

from engine.case_models import Case
from tests.api.bundle import APPLICANT, complete, item, submission, submit

SIGNBOARD = {"matter": "signboard", "materials": ["m_signdraw", "m_premises"]}
PASSPORT = {"kind": "person", "name": "Marie Exemple", "id_type": "passport", "id_country": "FRA", "id_number": "12345678"}
AGENT = {"name": "许文清", "id_number": "430105198809211448", "phone": "13900000002", "authority": "2026-02-27 委托书"}


def refused(answer):
    assert answer.status_code == 422, answer.json
    (error,) = answer.json["errors"]
    return error["field"], error["message"]


def signboard(clerk, applicant):
    case = submit(clerk, matter="signboard", materials=["m_signdraw", "m_premises"], applicant=applicant)
    complete(clerk, case, "一窗受理", outcome="accept")
    return item(case, "signboard")["number"]


@pytest.mark.parametrize("other", [{"id_country": "BEL"}, {"id_type": "taiwan_permit", "id_country": None}])
def test_adopt__of_somebody_else_whose_number_is_the_same(clerk, other):
    """Each country numbers its passports, and permits are numbered, too: an item of one was handed to the other."""
    theirs = signboard(clerk, {name: value for name, value in (PASSPORT | other).items() if value})
    case = submit(clerk, applicant=PASSPORT)
    complete(clerk, case, "一窗受理", outcome="accept")

    by_number = clerk.post(f"/cases/{case['number']}/adopt", {"item_no": theirs})
    at_once = clerk.post("/cases", submission(applicant=PASSPORT, adopt=[theirs]))

    assert (by_number.status_code, at_once.status_code) == (404, 404)
    assert "the items of that case" not in by_number.json["detail"]


def test_adopt__of_the_same_passport(clerk):
    own = signboard(clerk, PASSPORT | {"id_country": "fra", "id_number": "1234 5678"})

    assert clerk.post("/cases", submission(applicant=PASSPORT, adopt=[own])).status_code == 201


@pytest.mark.parametrize("country", ["D", "d", "D<<"])
def test_adopt__of_the_same_german_passport(clerk, country):
    """The only country whose code has one letter in passports: whoever copies it, or a reader of passports, is the same applicant."""
    german = PASSPORT | {"name": "Max Mustermann", "id_number": "C01X00T47"}
    own = signboard(clerk, german | {"id_country": country})

    bundle = clerk.post("/cases", submission(applicant=german | {"id_country": "DEU"}, adopt=[own]))

    assert (bundle.status_code, bundle.json["applicant"]["id_country"]) == (201, "DEU")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id_country": None}, "in three letters (CHN, USA, DEU …), but there is none"),
        ({"id_country": "DE"}, "in three letters (CHN, USA, DEU …), but it is 'DE'"),
        ({"id_country": "<"}, "in three letters (CHN, USA, DEU …), but there is none"),
        ({"id_country": "法国"}, "in three letters (CHN, USA, DEU …), but it is '法国'"),
        ({"id_type": "taiwan_permit"}, "Expected id_country of a passport alone, but the number is of taiwan_permit"),
        ({"id_type": None, "id_number": "430105198809211448"}, "Expected id_country of a passport alone, but the number is of id_number"),
    ],
)
def test_submit__country_of_a_passport(clerk, changes, words):
    applicant = {name: value for name, value in (PASSPORT | changes).items() if value}

    field, message = refused(clerk.post("/cases", submission(applicant=applicant)))

    assert field == "applicant.id_country"
    assert words in message


def test_submit__by_an_agent(clerk, market):
    """He is named, to the department, too, and what is promised bears his signature."""
    case = submit(clerk, applicant=APPLICANT | {"agent": AGENT}, materials=["m_fire_rules", "m_premises", "m_fire_decl"])
    complete(clerk, case, "一窗受理", outcome="tolerate", commitment_signed=True)

    shown = clerk.get(f"/cases/{case['number']}").json

    assert shown["applicant"]["agent"] == market.get(f"/cases/{case['number']}").json["applicant"]["agent"] == AGENT
    assert [commitment["signed_by"] for commitment in shown["commitments"]] == [AGENT["name"]]
    assert "代办人：许文清（2026-02-27 委托书）" in clerk.page(f"/?case={case['number']}").get_data(as_text=True)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"id_number": "430105198809211449"}, "id_number"),
        ({"name": "\u200b"}, "name"),
        ({"phone": "1390000000"}, "phone"),
        ({"id_type": "passport", "id_number": "E12345678"}, "id_country"),
        ({"kind": "person"}, "kind"),
    ],
)
def test_submit__agent_who_is_none(clerk, changes, field):
    assert refused(clerk.post("/cases", submission(applicant=APPLICANT | {"agent": AGENT | changes})))[0] == f"applicant.agent.{field}"


@pytest.fixture
def acted(clerk):
    """A case in which somebody acts for the applicant, whose name and authority were mistyped."""
    return submit(clerk, applicant=APPLICANT | {"agent": AGENT | {"name": "许文情", "phone": None}})


def test_agent__corrected(clerk, acted):
    """What is promised from now on is signed in the right name; the journal says what was corrected, and why, not what it was."""
    corrected = clerk.post(f"/cases/{acted['number']}/agent", {"agent": AGENT | {"id_number": "43010519880921144 8"}, "reason": "录入有误"})

    assert (corrected.status_code, corrected.json["applicant"]) == (200, APPLICANT | {"agent": AGENT})
    journal = clerk.get(f"/cases/{acted['number']}/journal").json["data"]
    told = [entry["details"] for entry in journal if entry["what"] == "agent corrected"]
    assert told == [{"fields": ["name", "phone"], "reason": "录入有误"}]


def test_agent__what_is_left_out_is_said_no_more(clerk, acted):
    """He has been written down with a passport that is another's: his identity card has no country."""
    passport = AGENT | {"id_type": "passport", "id_country": "FRA", "id_number": "12345678"}
    for agent in (passport, AGENT):
        shown = clerk.post(f"/cases/{acted['number']}/agent", {"agent": agent, "reason": "录入有误"}).json

    assert shown["applicant"]["agent"] == AGENT


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"agent": AGENT | {"phone": "1390000000"}, "reason": "录入有误"}, "agent.phone"),
        ({"agent": AGENT | {"id_number": "430105198809211449"}, "reason": "录入有误"}, "agent.id_number"),
        ({"agent": AGENT | {"name": " "}, "reason": "录入有误"}, "agent.name"),
        ({"agent": {name: AGENT[name] for name in ("id_number", "authority")} | {"name": "许文情"}, "reason": "录入有误"}, "agent"),
        ({"agent": AGENT}, "reason"),
        ({"reason": "录入有误"}, "agent"),
    ],
)
def test_agent__refused(clerk, acted, said, field):
    assert refused(clerk.post(f"/cases/{acted['number']}/agent", said))[0] == field
    assert clerk.get(f"/cases/{acted['number']}").json | {"under_way": []} == acted


def test_agent__where_nobody_acts_for_the_applicant(clerk, running):
    answer = clerk.post(f"/cases/{running['number']}/agent", {"agent": AGENT, "reason": "录入有误"})

    assert (answer.status_code, "nobody acts for its applicant" in answer.json["detail"]) == (409, True)


def test_agent__of_a_case_that_has_ended(clerk, acted):
    clerk.post(f"/cases/{acted['number']}/withdraw", {"reason": "不办了"})

    answer = clerk.post(f"/cases/{acted['number']}/agent", {"agent": AGENT, "reason": "录入有误"})

    assert (answer.status_code, "has ended" in answer.json["detail"]) == (409, True)


@pytest.mark.parametrize(("name", "status"), [("officer-market", 403), ("clerk-yuelu", 404)])
def test_agent__by_others(running, call, name, status):
    assert call(name).post(f"/cases/{running['number']}/agent", {"agent": AGENT, "reason": "录入有误"}).status_code == status


@pytest.mark.parametrize("phone", ["1380000000", "138000000011", "+86 138 0000 000", "86-138000000011", "138", "无", "12345"])
def test_submit__telephone_that_is_none(clerk, running, phone):
    """A digit was lost or doubled: every notice went nowhere, and nobody was told."""
    assert refused(clerk.post("/cases", submission(applicant=APPLICANT | {"phone": phone})))[0] == "applicant.phone"
    assert refused(clerk.post(f"/cases/{running['number']}/contact", {"phone": phone}))[0] == "phone"


@pytest.mark.parametrize(
    "phone",
    [
        "138 0000 0001",
        "+86 138-0000-0001",
        "8613800000001",
        "0731-84600000",
        "84600000-8012",
        "4008123123",
        "+852 9123 4567",
        "+33123456789",
    ],
)
def test_contact__telephone_of_any_kind(clerk, running, phone):
    assert clerk.post(f"/cases/{running['number']}/contact", {"phone": phone}).json["applicant"]["phone"] == phone


def test_reapply__who_was_known_before_is_not_asked_anew(app, clerk, running, market):
    """What was taken in before a number was looked at is corrected, not refused."""
    complete(market, running, "食品经营许可审批", outcome="denied", reason_code="conditions", reason="操作间未分区")
    with app.extensions["database"].transaction() as session:
        row = session.scalars(select(Case).where(Case.number == running["number"])).one()
        row.applicant = {**row.applicant, "phone": "138"}

    renamed = clerk.post(f"/cases/{running['number']}/name", {"name": "长沙湘味大馆餐饮有限公司", "reason": "录入有误"})
    again = clerk.post(f"/items/{item(running, 'food_permit')['number']}/reapply")

    assert (renamed.status_code, again.status_code) == (200, 201)


@pytest.mark.parametrize("dot", ["·", "•", "．", ".", "・", "‧", " • "])
def test_submit__dot_in_a_name(clerk, dot):
    """Keyboards have many dots; in the name of a person there is one (民委发〔2016〕33号)."""
    person = {"kind": "person", "name": f"阿卜杜热西提{dot}买买提{dot}艾力", "id_number": "11010519491231002x"}
    agent = {"name": f"古丽{dot}艾力", "id_number": "440524188001010014"}

    case = submit(clerk, **SIGNBOARD, applicant=person | {"agent": agent})

    assert (case["applicant"]["name"], case["applicant"]["agent"]["name"]) == ("阿卜杜热西提·买买提·艾力", "古丽·艾力")
    renamed = clerk.post(f"/cases/{case['number']}/name", {"name": f"阿卜杜{dot}买买提", "reason": "录入有误"})
    assert renamed.json["applicant"]["name"] == "阿卜杜·买买提"


@pytest.mark.parametrize(
    ("kind", "name"), [("enterprise", "长沙湘味.小馆"), ("person", "J. R. Smith"), ("person", "John·Smith"), ("person", "王.")]
)
def test_submit__dot_that_is_none(clerk, kind, name):
    """An enterprise is called as it is registered, and a foreigner as the passport has it."""
    number = APPLICANT["id_number"] if kind == "enterprise" else "11010519491231002X"
    case = submit(clerk, **SIGNBOARD, applicant={"kind": kind, "name": name, "id_number": number})

    assert case["applicant"]["name"] == name


def test_submit__credit_code_that_fails_its_check(clerk):
    """It is taken, for codes of the early pilot fail it, too (GB 32100); whoever takes it is told, and whoever opens the case."""
    code = "91430100MA4L0F1A2"
    good, bad = (submit(clerk, **SIGNBOARD, applicant=APPLICANT | {"id_number": code + check}) for check in "23")

    assert good["warnings"] == []
    (warning,) = bad["warnings"]
    assert warning["field"] == "applicant.id_number"
    assert "its check character should be 2" in warning["message"]
    assert clerk.get(f"/cases/{bad['number']}").json["warnings"] == [warning]
    told = "统一社会信用代码的校验位不符，请核对登记信息（早期试点代码除外）。"
    pages = [clerk.page(f"/?case={case['number']}").get_data(as_text=True) for case in (good, bad)]
    assert [told in page for page in pages] == [False, True]
