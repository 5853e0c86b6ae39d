"""Stories that a client plays: what it does at which time, written down before it is sent, so that it can go on after anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.acceptance.applicants import restaurant
from tests.hall import BEIJING, Hall, Refused

#: One thing that happens: time passes ("at", moment), or somebody acts (name, what).
Step = tuple[str, Any]

OPENING: list[Step] = [
    ("at", "2026-03-02T09:00:00"),
    ("clerk", ("submit", restaurant(without=["m_plan"]))),
    ("clerk", ("一窗受理", {"outcome": "tolerate", "commitment_signed": True})),
    ("officer-fire", ("消防承诺审查", {"outcome": "granted"})),
    ("officer-market", ("食品经营许可审批", {"outcome": "granted"})),
]
#: The plan is missing, is promised, and comes late but within the days of grace.
SUPPLIED: list[Step] = [
    *OPENING,
    ("at", "2026-03-03T10:00:00"),  # reminded
    ("at", "2026-03-04T10:00:00"),  # overdue
    ("clerk", ("material", "m_plan")),
    ("clerk", ("统一出件", {"mode": "unified", "delivery": "window"})),
    ("clerk", ("好差评", {"score": 5})),
    ("at", "2026-04-10T10:00:00"),  # the check after the commitment is overdue
]
#: It never comes.
NOT_SUPPLIED: list[Step] = [
    *OPENING,
    ("at", "2026-03-03T10:00:00"),
    ("at", "2026-03-04T10:00:00"),
    ("at", "2026-04-10T10:00:00"),  # given up; what did not need the plan was issued
]
STORIES = {"supplied": SUPPLIED, "not_supplied": NOT_SUPPLIED}


def play(hall: Hall, steps: list[Step], log: Path) -> str:
    """Play a story from where the log says it stands; return the number of its case.

    A command is written down with its Idempotency-Key before it is sent, and its answer afterwards: what was sent without an answer is
    sent again as it was.  So is what time has brought.
    """
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    sent = {line["step"]: line for line in lines if "path" in line}
    answered = {line["step"]: line["answer"] for line in lines if "answer" in line}
    case = ""
    for place, (who, what) in enumerate(steps):
        if who == "at":
            hall.clock.move_to(datetime.fromisoformat(what).replace(tzinfo=BEIJING))
        if place not in answered and who == "at":
            hall.tick()
            answered[place] = ""
            _write(log, {"step": place, "answer": ""})
        elif place not in answered:
            command = sent.get(place) or _write(log, {"step": place, **_command(hall, case, who, what)})
            answer = hall[who].post(command["path"], command["body"], key=f"step-{place}")
            _write(log, {"step": place, "answer": answer.get("number", "")})
            answered[place] = answer.get("number", "")
        case = case or answered[place]
    return case


def _command(hall: Hall, case: str, who: str, what: tuple[str, Any]) -> dict[str, Any]:
    verb, data = what
    if verb == "submit":
        return {"path": "/cases", "body": data}
    if verb == "material":
        return {"path": f"/cases/{case}/materials", "body": {"code": data}}
    task = _patiently(hall, lambda: hall[who].task(case, verb))
    return {"path": f"/tasks/{task['id']}/complete", "body": data}


def _patiently(hall: Hall, find: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Look again after the scheduler has caught up with what was owed when the process died."""
    try:
        return find()
    except (AssertionError, Refused):
        hall.tick()
        return find()


def _write(log: Path, line: dict[str, Any]) -> dict[str, Any]:
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    return line
