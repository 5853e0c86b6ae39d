"""Starting a process; or submitting a case of a matter, when the variables hold what an applicant submits."""

from __future__ import annotations

from collections.abc import Sequence

from api import parts
from engine import cases, instances, modifications, processes
from engine.actors import Actor
from engine.cases import Submission
from engine.database import Session
from engine.definitions import Loaded
from engine.errors import InvalidInput
from engine.holdings import Held
from engine.models import Instance
from engine.modifications import Instruction
from engine.runs import Origin
from engine.variables import Given

#: What a submission needs, as variables of the start.
_NEEDED = {"hall": str, "applicant": dict, "answers": dict}


def start(
    session: Session,
    loaded: Loaded,
    business_key: str | None,
    given: Given,
    *,
    actor: Actor,
    elsewhere: Sequence[Instruction] = (),
) -> Instance | Held:
    """Start a version of a process at its start event, or `elsewhere`.

    A matter is applied for: it needs `hall`, `applicant` and `answers`, and takes its newest version.
    """
    if loaded.kind == "process":
        if elsewhere:
            return modifications.start(session, loaded, elsewhere, actor=actor, business_key=business_key, given=given)
        return processes.open_plain(session, loaded, actor=actor, given=given, origin=Origin(business_key=business_key))
    if elsewhere:
        raise InvalidInput(f"Expected {loaded.name}, a {loaded.kind}, to start at its start event, but there are startInstructions")
    missing = [name for name, kind in _NEEDED.items() if not isinstance(given.values.get(name), kind)]
    if missing:
        raise InvalidInput(
            f"Expected the variables hall (String), applicant and answers (Json), because {loaded.name} ({loaded.key}) is a {loaded.kind} "
            f"that somebody applies for, but {', '.join(missing)} is missing: give these, or submit it at the window, by POST /api/v1/cases"
        )
    submitted = {name: given.values[name] for name in _NEEDED}
    case = cases.submit(session, Submission(region=parts.settings().region, matter=loaded.key, **submitted), actor=actor)
    return instances.of_case(session, case)
