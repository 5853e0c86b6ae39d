"""Applicants (申请人): who may be one, the number by which they are known, who acts for them, and how they are reached."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy.orm import Session

from bpmn import identifiers
from bpmn.identifiers import Format, IdType
from engine import bundles, journal
from engine.actors import Actor, Role
from engine.case_models import Case
from engine.errors import InvalidInput, InvalidState
from engine.holdings import Held

#: What identifies each kind of applicant.
_IDENTITIES = {"person": Format.ID_NUMBER, "enterprise": Format.CREDIT_CODE}
_NEEDED = ("kind", "name", "id_number")
#: What is text when it is given.
_TEXTS = (*_NEEDED, "id_type", "id_country", "phone", "contact", "address", "licence_status", "authority")
#: What an agent (代办人) must say of himself; an agent is a person.
_AGENT_NEEDED = ("name", "id_number")
#: ISO 3166-1 alpha-3 (GB/T 2659.1), as passports have it in their lowest lines, with a few codes more (ICAO 9303).
_COUNTRY = re.compile(r"[A-Z]{3}")
#: The one that has fewer letters there (ICAO 9303), filled up with `<`.
_SHORTER = {"D": "DEU"}
#: How telephone numbers are parted, and what a mobile number of the mainland begins with.
_PARTED = re.compile(r"[\s().-]")
_MOBILE = re.compile(r"(?:\+86|0086|86(?=1[3-9]))?(1[3-9][0-9]*)")
_MOBILE_DIGITS, _FEWEST_DIGITS = 11, 7
#: What comes along with a name that is copied: marks that nobody sees (not the joiners, which belong to some scripts), and ends of lines.
_UNSEEN = re.compile(r"[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_BREAKS = re.compile(r"[\t-\r\x85\u2028\u2029]+")
#: What is typed for the dot in the name of a person (阿卜杜热西提·买买提); it is U+00B7 (民委发〔2016〕33号).
_DOTS = re.compile(r"(?<=[\u3400-\u9fff\U00020000-\U0003ffff])\s*[.．。•‧∙⋅・･●․·]\s*(?=[\u3400-\u9fff\U00020000-\U0003ffff])")


def number(typed: str) -> str:
    """Give the number of an applicant as it is kept, however somebody has typed it."""
    return identifiers.normal(typed)


def clean(applicant: Mapping[str, Any]) -> dict[str, Any]:
    """Give an applicant as it is kept.

    Raises InvalidInput unless it is a person or an enterprise, with a name and the number that goes with it: that of a person may be of
    another document than the identity card (`id_type`), of a passport with who has issued it (`id_country`). So with the agent (`agent`),
    if somebody acts for the applicant.
    """
    kept = _clean(applicant, _NEEDED, whose="applicant")
    if kept.get("agent"):
        kept["agent"] = _clean_agent(kept["agent"], whose="applicant.agent")
    return kept


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two applicants of one number are the same: numbers of two documents, or passports of two countries, may be alike.

    Of a passport that was written down without its country nobody knows: the number decides.
    """
    countries = [each.get("id_country") for each in (one, other)]
    alike = None in countries or countries[0] == countries[1]
    documents = [(number(each["id_number"]), each.get("id_type") or None) for each in (one, other)]
    return documents[0] == documents[1] and alike


def signer(applicant: Mapping[str, Any]) -> str:
    """Who signs for an applicant: the agent, who speaks for an enterprise, or the applicant."""
    agent = applicant.get("agent") or {}
    return str(agent.get("name") or applicant.get("contact") or applicant["name"])


def _clean_agent(given: Mapping[str, Any], *, whose: str) -> dict[str, Any]:
    """Give an agent as he is kept: who acts for another is a person, even where that is an enterprise."""
    agent = _clean({**given, "kind": "person"}, _AGENT_NEEDED, whose=whose)
    return {name: value for name, value in agent.items() if name != "kind"}


def _clean(given: Mapping[str, Any], needed: tuple[str, ...], *, whose: str) -> dict[str, Any]:
    _require_texts(given, needed, whose=whose)
    kept = {name: _as_written(name, value) if name in _TEXTS and value else value for name, value in given.items()}
    _require_texts(kept, needed, whose=whose)
    kept["name"] = _dotted(kept["name"], kept["kind"])
    kept["id_number"] = number(kept["id_number"])
    identity = _identity(kept, whose=whose)
    wrong = identifiers.refusal(kept["id_number"], identity)
    if wrong:
        wrong += _of_another(kept["id_number"], identity)
        error = {"field": f"{whose}.id_number", "message": f"Expected {identity}, but {wrong}"}
        raise InvalidInput(f"Expected the {_named(whose)}'s {identity}, but {wrong}", errors=[error])
    _settle_country(kept, identity, whose=whose)
    _require_reachable(kept.get("phone"), field=f"{whose}.phone")
    return kept


def _named(whose: str) -> str:
    return whose.rpartition(".")[2]


def _identity(applicant: Mapping[str, Any], *, whose: str) -> Format | IdType:
    """What identifies an applicant; raises InvalidInput where nothing is said that does."""
    kind = _IDENTITIES.get(applicant["kind"])
    if kind is None:
        message = f"Expected the applicant to be a {' or an '.join(_IDENTITIES)}, but it is {applicant['kind']!r}"
        raise InvalidInput.of_field(f"{whose}.kind", message)
    document = applicant.get("id_type")
    if not document:
        return kind
    if kind is not Format.ID_NUMBER or document not in set(IdType):
        message = (
            f"Expected id_type to be {', '.join(IdType)} of a person, or left out, but it is {document!r} for kind {applicant['kind']}"
        )
        raise InvalidInput.of_field(f"{whose}.id_type", message)
    return IdType(document)


def _settle_country(kept: dict[str, Any], identity: Format | IdType, *, whose: str) -> None:
    """Require who has issued a passport: each country counts its own, and two people would be one applicant."""
    field, given = f"{whose}.id_country", (kept.get("id_country") or "").upper().rstrip("<")
    given = _SHORTER.get(given, given)
    if identity is not IdType.PASSPORT:
        if given:
            raise InvalidInput.of_field(field, f"Expected id_country of a passport alone, but the number is of {identity}")
        return
    if not _COUNTRY.fullmatch(given):
        told = f"it is {given!r}" if given else "there is none"
        message = f"Expected the country that has issued the passport, in three letters (CHN, USA, DEU …), but {told}"
        raise InvalidInput.of_field(field, message)
    kept["id_country"] = given


def _require_reachable(phone: str | None, *, field: str) -> None:
    """Raise InvalidInput when nobody can be called at a number: every notice would go nowhere, and nobody would be told."""
    if not phone:
        return
    plain = _PARTED.sub("", phone)
    mobile = _MOBILE.fullmatch(plain)
    why = ""
    if mobile and len(mobile[1]) != _MOBILE_DIGITS:
        why = f"has {len(mobile[1])} digits: a mobile number has {_MOBILE_DIGITS}"
    elif len(re.findall(r"[0-9]", plain)) < _FEWEST_DIGITS:
        why = f"has fewer than {_FEWEST_DIGITS} digits: leave it out if there is none"
    if why:
        raise InvalidInput.of_field(field, f"Expected a telephone number, but {phone!r} {why}")


def _of_another(known_by: str, identity: Format | IdType) -> str:
    """Say which documents a number may be of that is no identity number."""
    others = identifiers.documents(known_by) if identity is Format.ID_NUMBER else []
    return f": if it is of another document, say so (id_type: {' or '.join(others)})" if others else ""


def correct_contact(session: Session, case: Case, given: Mapping[str, str], *, actor: Actor) -> Case:
    """Correct how the applicant is reached (更正联系方式): `phone`, `contact`, `address`; who it is stays.

    What is carried from now on goes there (`outbox.unsent`).  Raises NotPermitted; InvalidInput when nothing is given.
    """
    actor.require(Role.CLERK, Role.CHANNEL, Role.SUPERVISOR, to="correct how the applicant is reached", hall=case.hall)
    empty = [name for name in given or ("phone", "contact", "address") if not given.get(name, "").strip()]
    if empty:
        message = f"Expected how the applicant is reached from now on, but {', '.join(empty)} is empty"
        raise InvalidInput.of_fields([(name, message) for name in empty])
    written = {name: _as_written(name, value) for name, value in given.items()}
    _require_reachable(written.get("phone"), field="phone")
    row = bundles.hold(session, case)
    case.applicant = {**case.applicant, **written}
    journal.record(session, row, actor=actor, what="contact corrected", fields=sorted(given))
    return case


def correct_name(session: Session, case: Case, name: str, *, reason: str, actor: Actor) -> Case:
    """Correct how the applicant's name is written (更正姓名); the number, and so who it is, stays.

    What was issued and noticed before keeps the name that it was given with; so does the variable `applicant_name` of what runs already.
    Raises NotPermitted; InvalidState when the case has ended; InvalidInput when nothing changes.
    """
    actor.require(Role.CLERK, Role.SUPERVISOR, to="correct the applicant's name", hall=case.hall)
    row = _hold_open(session, case, to="correct the applicant's name")
    corrected = _dotted(_as_written("name", name), case.applicant["kind"])
    if not corrected:
        raise InvalidInput.of_field("applicant.name", "Expected name, but it is empty")
    if corrected == case.applicant["name"]:
        raise InvalidInput.of_field("name", f"Expected another name of the applicant, but it is {corrected} already")
    case.applicant = {**case.applicant, "name": corrected}
    journal.record(session, row, actor=actor, what="name corrected", reason=reason)
    return case


def correct_agent(session: Session, case: Case, given: Mapping[str, Any], *, reason: str, actor: Actor) -> Case:
    """Correct what is written down of the agent (更正代办人): `given` is all that is to be said of him.

    What was promised before keeps the name by which it was signed.  Raises NotPermitted; InvalidState when the case has ended, or nobody
    acts for the applicant; InvalidInput when it can be nobody, or nothing changes.
    """
    actor.require(Role.CLERK, Role.SUPERVISOR, to="correct the agent", hall=case.hall)
    agent = _clean_agent(given, whose="agent")
    row = _hold_open(session, case, to="correct the agent")
    before = case.applicant.get("agent")
    if not before:
        raise InvalidState(f"Expected to correct the agent of case {case.number}, but nobody acts for its applicant")
    changed = sorted(name for name in before.keys() | agent.keys() if before.get(name) != agent.get(name))
    if not changed:
        raise InvalidInput.of_field("agent", "Expected something else of the agent, but he is written down so already")
    case.applicant = {**case.applicant, "agent": agent}
    journal.record(session, row, actor=actor, what="agent corrected", fields=changed, reason=reason)
    return case


def _hold_open(session: Session, case: Case, *, to: str) -> Held:
    row = bundles.hold(session, case)
    if case.ended_at is not None:
        raise InvalidState(f"Expected to {to}, but case {case.number} has ended: what it issued is its departments' to correct")
    return row


def require_possible(known_by: str, *, field: str) -> None:
    """Raise InvalidInput unless a number can be that of an applicant: whoever mistypes it would be told that there is no case.

    Of a passport or a permit its form says little.  A credit code of the early pilot fails its check and has letters; digits alone that
    fail it are a mistyped identity number.
    """
    person, enterprise = (identifiers.refusal(known_by, kind) for kind in _IDENTITIES.values())
    mistyped = known_by[:-1].isdecimal() and identifiers.warning(known_by, Format.CREDIT_CODE)
    if person and (enterprise or mistyped) and not identifiers.documents(known_by):
        why = "it has the form of none" if enterprise else person
        raise InvalidInput.of_field(
            field, f"Expected an identity number, a credit code or the number of another document, whole, but {why}: look at it again"
        )


def _as_written(name: str, value: str) -> str:
    """Give a text as it stands in the document, however it came here; a telephone number in the digits that a telephone has."""
    form: Literal["NFKC", "NFC"] = "NFKC" if name == "phone" else "NFC"
    return _BREAKS.sub(" ", _UNSEEN.sub("", unicodedata.normalize(form, value))).strip()


def _dotted(name: str, kind: str) -> str:
    """Give the name of a person with the dot that belongs between its parts; an enterprise is called as it is registered."""
    return _DOTS.sub("·", name) if kind == "person" else name


def warnings(applicant: Mapping[str, Any]) -> list[dict[str, str]]:
    """Say {field, message} of what is taken and should be looked up: a credit code may fail its check and be right (GB 32100)."""
    kind = _IDENTITIES.get(str(applicant.get("kind")))
    why = identifiers.warning(str(applicant.get("id_number") or ""), Format.CREDIT_CODE) if kind is Format.CREDIT_CODE else ""
    return [{"field": "applicant.id_number", "message": f"Expected {kind} without a slip, but {why}"}] if why else []


def _require_texts(applicant: Mapping[str, Any], needed: tuple[str, ...], *, whose: str) -> None:
    """Raise InvalidInput unless all that must be there is, and all that is text."""
    others = [name for name in _TEXTS if applicant.get(name) is not None and not isinstance(applicant[name], str)]
    if others:
        raise InvalidInput.of_fields([(f"{whose}.{name}", f"Expected {name} to be text, but it is something else") for name in others])
    lacking = [name for name in needed if not (applicant.get(name) or "").strip()]
    if lacking:
        errors = [{"field": f"{whose}.{name}", "message": f"Expected {name}, but it is empty"} for name in lacking]
        raise InvalidInput(f"Expected the {_named(whose)}'s {', '.join(lacking)}, but it is empty", errors=errors)
