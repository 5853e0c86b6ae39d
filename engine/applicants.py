"""Applicants (申请人): who may be one, the number by which they are known, and how they are reached."""

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

#: What identifies each kind of applicant.
_IDENTITIES = {"person": Format.ID_NUMBER, "enterprise": Format.CREDIT_CODE}
_NEEDED = ("kind", "name", "id_number")
#: What is text when it is given.
_TEXTS = (*_NEEDED, "id_type", "phone", "contact", "address", "licence_status")
#: What comes along with a name that is copied: marks that nobody sees (not the joiners, which belong to some scripts), and ends of lines.
_UNSEEN = re.compile(r"[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_BREAKS = re.compile(r"[\t-\r\x85\u2028\u2029]+")


def number(typed: str) -> str:
    """Give the number of an applicant as it is kept, however somebody has typed it."""
    return identifiers.normal(typed)


def clean(applicant: Mapping[str, Any]) -> dict[str, Any]:
    """Give an applicant as it is kept.

    Raises InvalidInput unless it is a person or an enterprise, with a name and the number that goes with it: that of a person may be of
    another document than the identity card (`id_type`).
    """
    _require_texts(applicant)
    kept = {name: _as_written(name, value) if name in _TEXTS and value else value for name, value in applicant.items()}
    _require_texts(kept)
    kept["id_number"] = number(kept["id_number"])
    identity = _identity(kept)
    wrong = identifiers.refusal(kept["id_number"], identity)
    if wrong:
        wrong += _of_another(kept["id_number"], identity)
        error = {"field": "applicant.id_number", "message": f"Expected {identity}, but {wrong}"}
        raise InvalidInput(f"Expected the applicant's {identity}, but {wrong}", errors=[error])
    return kept


def _identity(applicant: Mapping[str, Any]) -> Format | IdType:
    """What identifies an applicant; raises InvalidInput where nothing is said that does."""
    kind = _IDENTITIES.get(applicant["kind"])
    if kind is None:
        message = f"Expected the applicant to be a {' or an '.join(_IDENTITIES)}, but it is {applicant['kind']!r}"
        raise InvalidInput.of_field("applicant.kind", message)
    document = applicant.get("id_type")
    if not document:
        return kind
    if kind is not Format.ID_NUMBER or document not in set(IdType):
        message = (
            f"Expected id_type to be {', '.join(IdType)} of a person, or left out, but it is {document!r} for kind {applicant['kind']}"
        )
        raise InvalidInput.of_field("applicant.id_type", message)
    return IdType(document)


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
    row = bundles.hold(session, case)
    case.applicant = clean({**case.applicant, **given})
    journal.record(session, row, actor=actor, what="contact corrected", fields=sorted(given))
    return case


def correct_name(session: Session, case: Case, name: str, *, reason: str, actor: Actor) -> Case:
    """Correct how the applicant's name is written (更正姓名); the number, and so who it is, stays.

    What was issued and noticed before keeps the name that it was given with; so does the variable `applicant_name` of what runs already.
    Raises NotPermitted; InvalidState when the case has ended; InvalidInput when nothing changes.
    """
    actor.require(Role.CLERK, Role.SUPERVISOR, to="correct the applicant's name", hall=case.hall)
    row = bundles.hold(session, case)
    if case.ended_at is not None:
        raise InvalidState(
            f"Expected to correct the applicant's name, but case {case.number} has ended: what it issued is its departments' to correct"
        )
    corrected = clean({**case.applicant, "name": name})
    if corrected["name"] == case.applicant["name"]:
        raise InvalidInput.of_field("name", f"Expected another name of the applicant, but it is {corrected['name']} already")
    case.applicant = corrected
    journal.record(session, row, actor=actor, what="name corrected", reason=reason)
    return case


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


def _require_texts(applicant: Mapping[str, Any]) -> None:
    """Raise InvalidInput unless all that must be there is, and all that is text."""
    others = [name for name in _TEXTS if applicant.get(name) is not None and not isinstance(applicant[name], str)]
    if others:
        raise InvalidInput.of_fields([(f"applicant.{name}", f"Expected {name} to be text, but it is something else") for name in others])
    lacking = [name for name in _NEEDED if not (applicant.get(name) or "").strip()]
    if lacking:
        errors = [{"field": f"applicant.{name}", "message": f"Expected {name}, but it is empty"} for name in lacking]
        raise InvalidInput(f"Expected the applicant's {', '.join(lacking)}, but it is empty", errors=errors)
