"""Follow-on intake (接续受理), as the clerk completes it: items that join a bundle later are accepted, or not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from engine import calendars, intake, jobs, lifecycle
from engine.errors import InvalidInput
from engine.instances import Run
from engine.models import Task

_DISPOSITIONS = {"accept": intake.accept, "tolerate": intake.accept_with_tolerance, "refuse": intake.refuse}
#: What the dispatcher waits for.
ITEMS_CHANGED = "items_changed"


def decide(run: Run, _task: Task, data: dict[str, Any]) -> None:
    """Dispose of the items that want to join: `outcome` is accept, tolerate or refuse.

    When somebody else has disposed of them meanwhile, or all of them were adopted, nothing is left to do.
    """
    outcome = data.get("outcome")
    if outcome not in list(_DISPOSITIONS):
        raise InvalidInput(f"Expected outcome to be one of {', '.join(_DISPOSITIONS)}, but it is {outcome!r}")
    items = intake.submitted(run)
    if items:
        _DISPOSITIONS[outcome](run, items, {"refusal_kind": "not_accepted", **data})
    if outcome != "refuse":
        lifecycle.start_bundle_clock(run.session, run.case, calendars.local_date(datetime.now(UTC)))
    jobs.owe(run.session, "message", run.row, message=ITEMS_CHANGED)
