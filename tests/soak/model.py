"""A model of a case: it says how a case must stand after the commands that were carried out.  It knows the diagram of `tiny`, and not the engine."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from engine.case_models import Case, Item
from engine.database import Database
from engine.models import Task
from engine.states import TaskStatus
from tests.soak.clerks import CREATED, SERVED, Command

#: Five departments at work in parallel.
ITEMS = ("alpha", "beta", "gamma", "delta", "epsilon")
#: What is done in a case, one after the other, and how often.
STEPS = {"intake": 1, "decision": len(ITEMS), "issuance": 1, "rating": 1}

#: Cases for which somebody has applied; what a timer has begun is not one of these.
APPLIED_FOR = Case.hall.is_not(None)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How a case stands."""

    #: How many tasks of each kind are open, and how many items have each status.
    tasks: Mapping[str, int]
    items: Mapping[str, int]
    #: Everything is handed out.
    ended: bool


def after(done: Mapping[str, int]) -> Standing:
    """How a case stands after so many completed tasks of each kind.  Raises ValueError when the diagram does not allow that."""
    left = {kind: times - done.get(kind, 0) for kind, times in STEPS.items()}
    now = next((kind for kind in STEPS if left[kind]), None)
    begun = list(STEPS)[list(STEPS).index(now) + 1 :] if now else []
    if min(left.values()) < 0 or done.keys() - STEPS or any(done.get(kind) for kind in begun):
        raise ValueError(f"Expected {STEPS}, one after the other, but {dict(done)} are completed")
    ended = left["issuance"] == 0
    decided = {"granted": done.get("decision", 0), "in_review": left["decision"]}
    items = {"submitted": len(ITEMS)} if left["intake"] else {"issued": len(ITEMS)} if ended else decided
    return Standing(tasks={now: left[now]} if now else {}, items={status: count for status, count in items.items() if count}, ended=ended)


def replay(db: Database, commands: Iterable[Command]) -> Iterator[str]:
    """Carry out in the model each command that was acknowledged or had its effect, and yield in words each case that stands otherwise."""
    found, effects = _found(db)
    done: dict[str, Counter[str]] = defaultdict(Counter)
    for command in commands:
        if command.status == CREATED:
            done[command.answer["number"]].update({})
        elif command.case and (command.status == SERVED or command.key in effects):
            done[command.case].update([command.kind])
    for number in sorted(found.keys() | done.keys()):
        try:
            expected = after(done[number])
        except ValueError as error:
            yield f"{number}: {error}"
            continue
        if found.get(number) != expected:
            yield f"Expected case {number} to stand at {expected}, but it stands at {found.get(number)}"


def _found(db: Database) -> tuple[dict[str, Standing], set[str]]:
    """How the cases stand by their rows, by number; and the keys of all commands that completed a task."""
    open_, items = defaultdict[str, Counter[str]](Counter), defaultdict[str, Counter[str]](Counter)
    effects = set()
    with db.reading() as session:
        cases = {case.id: case for case in session.scalars(select(Case).where(APPLIED_FOR))}
        for case_id, status, kind, data in session.execute(select(Task.case_id, Task.status, Task.kind, Task.data)):
            if status is TaskStatus.OPEN:
                open_[cases[case_id].number].update([kind])
            elif status is TaskStatus.COMPLETED:
                effects.add((data or {}).get("mark"))
        for case_id, item in session.execute(select(Item.case_id, Item.status)):
            items[cases[case_id].number].update([str(item)])
    numbers = {case.number: case.ended_at is not None for case in cases.values()}
    return {number: Standing(tasks=open_[number], items=items[number], ended=ended) for number, ended in numbers.items()}, effects
