"""Moves instances into other drawings, for tests."""

from __future__ import annotations

from bpmn import migration
from bpmn import snapshot as snapshots
from bpmn.migration import Plan
from bpmn.waits import Context
from tests.bpmn.diagrams import (
    end,
    flows,
    start,
    timer_boundary,
    user,
)
from tests.bpmn.instances import HOUR, NOW, definition

LATER = NOW + 5 * HOUR


def migrate(instance, *content, now=LATER, **renamed):
    """Move an instance into another drawing, five hours later; `renamed` are ids, with `__` for a hyphen."""
    names = {old.replace("__", "-"): new for old, new in renamed.items()}
    plan = Plan(source=instance.definition, target=definition(*content), renamed=names)
    context = Context(**{**vars(instance.context), "now": now})
    return migration.migrate(plan, instance.snapshot(), instance.variables, context)


def verdicts(moved):
    return {step.element or step.to: str(step.verdict) for step in moved.steps}


def told(moved):
    """What speaks against it, without what helps; but something does."""
    pairs = [reason.rsplit(": ", 1) for reason in moved.reasons]
    assert all(helps.split()[0] in {"say", "let", "draw", "move"} for _, helps in pairs)
    return tuple(reason for reason, _ in pairs)


def row(instance, element):
    return next(row for row in snapshots.decode(instance.snapshot()).rows if row.element == element)


PLAIN = (start("s"), user("review", groups="market"), end("e"), flows("s -> review -> e"))


BOX = (start("i"), user("review"), end("o"), flows("i -> review -> o"))


def timed(when, how="duration"):
    return (
        start("s"),
        user("review"),
        timer_boundary("late", on="review", **{how: when}),
        end("e"),
        flows("s -> review -> e", "late -> e"),
    )
