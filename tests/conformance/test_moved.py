"""Every case runs as its page says, too, when after every step it is moved to a version with other ids, and back."""

from __future__ import annotations

import functools
from dataclasses import replace
from unittest import mock

import pytest

from bpmn import migration
from bpmn.definition import BODY
from bpmn.migration import Plan
from bpmn.waits import Context
from tests.conformance import playing
from tests.conformance.test_cases import RUNS, check, named


@pytest.mark.parametrize(("case", "run"), named(RUNS))
def test_case__moved_there_and_back(case, run):
    there, back = plans(case.drawing)

    with mock.patch.object(playing, "again", lambda instance: instance if instance.ended else move(move(instance, there), back)):
        check(run, *playing.play(case, run, cold=True))


@functools.cache
def plans(drawn):
    """To the redrawn version, and from that one back."""
    known = playing.compiled(drawn)
    redrawn = renamed(known)
    names = {key: other(key) for key in (*known.elements, *known.flows) if not key.endswith(BODY)}
    back = {new: old for old, new in names.items()}
    return Plan(source=known, target=redrawn, renamed=names), Plan(source=redrawn, target=known, renamed=back)


def move(instance, plan):
    context = Context(**vars(instance.context))
    moved = migration.migrate(plan, instance.snapshot(), instance.variables, context)
    assert moved.reasons == ()
    assert [wait.id for wait in moved.instance.waits()] == [wait.id for wait in instance.waits()]
    return moved.instance


def other(key):
    """Another id; a body is called after its activity."""
    return f"{key.removesuffix(BODY)}_v2{BODY}" if key.endswith(BODY) else f"{key}_v2"


def renamed(definition):
    """The same process with other ids throughout."""
    return replace(
        definition,
        elements={other(key): _element(element) for key, element in definition.elements.items()},
        flows={
            other(key): replace(flow, id=other(key), source=other(flow.source), target=other(flow.target))
            for key, flow in definition.flows.items()
        },
    )


def _element(element):
    def maybe(key):
        return other(key) if key else key

    event = element.event and replace(element.event, activity=maybe(element.event.activity))
    return replace(
        element,
        id=other(element.id),
        parent=maybe(element.parent),
        incoming=tuple(map(other, element.incoming)),
        outgoing=tuple(map(other, element.outgoing)),
        default=maybe(element.default),
        attached_to=maybe(element.attached_to),
        handler=maybe(element.handler),
        event=event,
    )
