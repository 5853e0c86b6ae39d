"""Courses: a scenario played through HTTP, in tests and by `onething simulate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from api.simulation import hall as halls
from api.simulation import plain
from api.simulation.hall import Hall, Unmet
from api.simulation.scenario import Ending, Expectation, Scenario, Step
from engine import simulation
from engine.simulation.reading import Reader
from engine.simulation.standing import Open, Standing

OpenKind = TypeVar("OpenKind", bound=Open)


def play(hall: Hall, scenario: Scenario, tell: Callable[[Step | None], None] = lambda _step: None) -> Any:
    """Play a scenario and return the case; `tell` hears of the beginning (None) and of each step that was played.

    Raises Unmet or Refused where it goes another way.
    """
    hall.at(scenario.at)
    case: Any = None
    if scenario.start is not None:
        plain.begin(hall, scenario.start.process, scenario.start.variables, message=scenario.start.message)
    else:
        case = hall["clerk"].submit(**(scenario.submit or {}))
    tell(None)
    expect(hall, case, scenario.expect)
    for place, step in enumerate(scenario.steps, start=1):
        try:
            perform(hall, case, step)
            tell(step)
            expect(hall, case, step.expect)
        except (Unmet, halls.Refused) as error:
            raise Unmet(f"Step {place}: {error}") from error
    return _end(hall, case, scenario.ends)


def _end(hall: Hall, case: Any, ends: Ending) -> Any:
    if case is None:
        with hall.database.reading() as session:
            _compare("the end that was reached", simulation.root(session).end, ends.end)
        return None
    shown = hall["admin"].case(case)
    _compare("the case", shown["outcome"], ends.outcome)
    return shown


def perform(hall: Hall, case: Any, step: Step) -> None:
    """Do what a step says."""
    who = hall[step.actor]
    if step.wait_until is not None:
        hall.at(step.wait_until)
    if step.signal is not None:
        plain.throw(hall, step.signal, step.data)
    if case is None:
        _perform_plain(hall, step)
        return
    if step.complete is not None:
        number = _item(hall, case, step.item)["number"] if step.item else None
        who.complete(case, step.complete, item=number, **step.data)
    if step.hand_in:
        who.hand_in(case, *step.hand_in)
    if step.follow_on:
        who.follow_on(case, *step.follow_on)
    if step.adopt is not None:
        who.adopt(case, step.adopt)
    if step.withdraw is not None:
        path = f"/cases/{halls.number(case)}" if step.withdraw == "*" else f"/items/{_item(hall, case, step.withdraw)['number']}"
        who.post(f"{path}/withdraw", {"reason": step.reason})


def _perform_plain(hall: Hall, step: Step) -> None:
    found = _standing(hall)
    if step.complete is not None:
        plain.complete(hall, _named(found.tasks, step.complete), step.data)
    if step.perform is not None:
        plain.report(hall, _named(found.work, step.perform), step.data, error=step.error)
    if step.raise_at is not None:
        kind, code = ("error", step.error) if step.error is not None else ("escalation", step.escalation)
        plain.raise_at(hall, _named(found.tasks, step.raise_at), kind, str(code), step.data)
    if step.send is not None:
        plain.send(hall, step.send, step.data, keys=step.keys)
    hall.tick()


def _standing(hall: Hall) -> Standing:
    with hall.database.reading() as session:
        return Reader().read(session)


def _named(found: Sequence[OpenKind], name: str) -> OpenKind:
    """The one thing of that name that is open; work goes by its topic, too."""
    named = [each for each in found if name in (each.name, each.what)]
    if len(named) != 1:
        raise Unmet(f"Expected {name} to be open once, but there are {[each.name for each in found] or 'none'}")
    return named[0]


def expect(hall: Hall, case: Any, expected: Expectation) -> None:
    """Compare a case with what must be so; raises Unmet."""
    if expected == Expectation():
        return
    if case is None:
        _expect_plain(hall, expected)
        return
    shown = hall["admin"].case(case)
    statuses = halls.items(shown)
    if isinstance(expected.items, list):
        _compare("the items", sorted(statuses), sorted(expected.items))
    for code, status in expected.items.items() if isinstance(expected.items, dict) else ():
        _compare(f"item {code}", statuses.get(code), status)
    if expected.open is not None:
        wanted = {group: sorted(names) for group, names in expected.open.items()}
        _compare("the open tasks", halls.open_tasks(shown), wanted)
    for code, due in expected.due.items():
        _compare(f"the promised due date of {code}", (halls.item(shown, code)["promised_due"] or {}).get("date"), str(due))
    for code, light in expected.lights.items():
        _compare(f"the light of {code}", halls.item(shown, code)["light"], light)


def _expect_plain(hall: Hall, expected: Expectation) -> None:
    found: dict[str, list[str]] = {}
    for task in _standing(hall).tasks:
        for group in task.groups:
            found.setdefault(group, []).append(task.name)
    if expected.open is not None:
        wanted = {group: sorted(names) for group, names in expected.open.items()}
        _compare("the open tasks", {group: sorted(names) for group, names in found.items()}, wanted)
    with hall.database.reading() as session:
        variables = simulation.root(session).variables
    for name, value in expected.variables.items():
        _compare(f"the variable {name}", variables.get(name), value)


def _item(hall: Hall, case: Any, code: str) -> Any:
    return halls.item(hall["admin"].case(case), code)


def _compare(what: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        raise Unmet(f"Expected {what} to be {wanted}, but found {found}")
