"""Starting: a process by itself, or a matter when the variables carry what an applicant submits."""

from __future__ import annotations

from typing import Any

from engine import cases, instances, processes
from engine.actors import Actor
from engine.cases import Submission
from engine.database import Session
from engine.definitions import Loaded
from engine.errors import InvalidInput
from engine.models import Instance
from engine.variables import Given

#: What a submission needs, as variables of the start.
_NEEDED = {"hall": str, "applicant": dict, "answers": dict}


def start(session: Session, loaded: Loaded, key: str | None, given: Given, *, actor: Actor, region: str, by_form: bool = False) -> Instance:
    """Start a version of a process, `by_form`: with what the form of its start takes.

    A matter is applied for: it needs `hall`, `applicant` and `answers`, and takes its newest version.
    """
    if loaded.kind == "process":
        return processes.open_plain(session, loaded, actor=actor, region=region, key=key, given=given, by_form=by_form)
    missing = [name for name, kind in _NEEDED.items() if not isinstance(given.values.get(name), kind)]
    if missing:
        raise InvalidInput(
            f"Expected the variables hall (String), applicant and answers (Json), because {loaded.name} ({loaded.key}) is a {loaded.kind} "
            f"that somebody applies for, but {', '.join(missing)} is missing: give these, or submit it at the window, by POST /api/v1/cases"
        )
    submitted = {name: given.values[name] for name in _NEEDED}
    case = cases.submit(session, Submission(region=region, matter=loaded.key, **submitted), actor=actor)
    return instances.of_case(session, case.id)


def refuse_unsupported(given: dict[str, Any]) -> None:
    """Refuse what would start somewhere else than the client means."""
    if given.get("startInstructions"):
        raise InvalidInput("Expected a start at the start event, but there are startInstructions, which this engine does not know")
