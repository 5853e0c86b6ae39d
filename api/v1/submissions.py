"""Submissions (申报提交), as programs write them: who applies for what, with which answers and materials."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from api.shapes import Body, Data, Line

#: Documents of a person that a number may be of (`bpmn.identifiers`), besides the identity card.
Document = Literal["passport", "hk_macao_permit", "taiwan_permit", "residence_card"]
Codes = Annotated[list[Line], Field(min_length=1, max_length=100)]


class Agent(Body):
    """Who acts for the applicant (代办人)."""

    #: As it stands in the document that has the number.
    name: Line
    #: As of an applicant; an agent is a person.
    id_type: Document | None = None
    id_country: Line | None = None
    id_number: Annotated[str, Field(min_length=1, max_length=40)]
    phone: Line | None = None
    #: What says that he may: number or date of the letter of authority (委托书).
    authority: Line | None = None


class Applicant(Body):
    """Who applies (申请人)."""

    #: Who it is, and thereby which number goes with it.
    kind: Literal["person", "enterprise"]
    #: As it stands in the document that has the number.
    name: Line
    #: Document of a person that the number is of (证件类型), unless it is the identity card: 护照, 港澳居民来往内地通行证,
    #: 台湾居民来往大陆通行证, 外国人永久居留身份证 of 15 characters.
    id_type: Document | None = None
    #: Country that has issued a passport (签发国家), needed with one: three letters (GB/T 2659.1: CHN, USA, DEU …), or as
    #: its lowest lines have it, where a German one has D.
    id_country: Line | None = None
    #: Identity number (居民身份证号; 港澳台居民居住证 and 外国人永久居留身份证 with 18 digits have one, too), number of the document
    #: of `id_type`, or credit code (统一社会信用代码).
    id_number: Annotated[str, Field(min_length=1, max_length=40)]
    #: To which notices are sent.
    phone: Line | None = None
    #: Who speaks for an enterprise.
    contact: Line | None = None
    #: Who is at the window for the applicant (代办), and signs.
    agent: Agent | None = None
    #: Where post goes.
    address: Line | None = None
    #: Status in the register of enterprises, as shared data give it.
    licence_status: Line | None = None
    #: Listed for dishonesty that is not repaired (失信): excludes tolerance.
    dishonest: bool | None = None


class MaterialGiven(Body):
    """A material as data; files are handed in afterwards."""

    #: Code of the requirement in the checklist.
    code: Line
    #: What it says; null: it was seen on paper.
    fields: Data | None = None


def _as_given(material: Any) -> Any:
    return {"code": material} if isinstance(material, str) else material


class NewCase(Body):
    """A bundle, or one item alone."""

    #: Key of a matter, or code of a single item.
    matter: Line
    #: May be left out by those who work in one hall only.
    hall: Line | None = None
    #: Who applies.
    applicant: Applicant
    #: Answers to the questions of the matter (`situations`), by id.
    answers: Data = Field(default_factory=dict)
    #: Items that are wanted, instead of letting the answers choose.
    items: Codes | None = None
    #: Materials that are there already, by code or with their data.
    materials: list[Annotated[MaterialGiven, BeforeValidator(_as_given, json_schema_input_type=Line | MaterialGiven)]] = Field(
        default_factory=list, max_length=200
    )
    #: Items that run or are finished already, by their numbers or those of what was issued: then it is a follow-on case (接续受理).
    adopt: list[Line] = Field(default_factory=list, max_length=100)
