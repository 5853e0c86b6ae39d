"""Applicants (申请人): who may be one, and the number by which they are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bpmn import identifiers
from bpmn.identifiers import Format
from engine.errors import InvalidInput

#: What identifies each kind of applicant.
_IDENTITIES = {"person": Format.ID_NUMBER, "enterprise": Format.CREDIT_CODE}


def require(applicant: Mapping[str, Any]) -> None:
    """Raise InvalidInput unless it is a person or an enterprise, with a name and the number that goes with it."""
    lacking = [name for name in ("kind", "name", "id_number") if not applicant.get(name)]
    if lacking:
        errors = [{"field": f"applicant.{name}", "message": f"Expected {name}, but it is empty"} for name in lacking]
        raise InvalidInput(f"Expected the applicant's {', '.join(lacking)}, but it is empty", errors=errors)
    kind = _IDENTITIES.get(applicant["kind"])
    if kind is None:
        raise InvalidInput(f"Expected the applicant to be a {' or an '.join(_IDENTITIES)}, but it is {applicant['kind']!r}")
    wrong = identifiers.refusal(applicant["id_number"], kind)
    if wrong:
        error = {"field": "applicant.id_number", "message": f"Expected {kind}, but {wrong}"}
        raise InvalidInput(f"Expected the applicant's {kind}, but {wrong}", errors=[error])
