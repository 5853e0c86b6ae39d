"""Scenarios: what is submitted, who does what when, and what must be so; played through HTTP, in tests and by `onething simulate`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from api.simulation import hall as halls
from api.simulation import plain
from api.simulation.hall import Hall, Unmet
from engine import simulations
from engine.errors import InvalidInput
from engine.standing import Open, Reader, Standing

Codes = list[str]
OpenKind = TypeVar("OpenKind", bound=Open)


class Part(BaseModel):
    """A part of a scenario; what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Expectation(Part):
    """What must be so.  What is named must be so; open tasks are named all or not at all."""

    #: Codes of all items, or the status of some.
    items: Codes | dict[str, str] | None = None
    #: Names of the open tasks by group.
    open: dict[str, list[str]] | None = None
    #: Promised due date by item.
    due: dict[str, date] = {}
    #: Light by item.
    lights: dict[str, str] = {}
    #: Of a process without a matter: variables that it must have.
    variables: dict[str, Any] = {}


class Step(Part):
    """Somebody acts, time passes, or something is expected."""

    #: Account of who acts.
    actor: Annotated[str, Field(alias="as")] = ""
    wait_until: datetime | None = None
    #: Name of the task that is completed; its item, where several have it; what is filled in.
    complete: str | None = None
    item: str | None = None
    data: dict[str, Any] = {}
    hand_in: Codes = []
    follow_on: Codes = []
    #: Number of an item that is attached.
    adopt: str | None = None
    #: Code of an item that is taken back, or `*` for the whole case; and why.
    withdraw: str | None = None
    reason: str | None = None
    #: Of a process without a matter: name of the work that a program does (or where it raises an error), and of a message that comes in.
    perform: str | None = None
    error: str | None = None
    send: str | None = None
    expect: Expectation = Expectation()


class Ending(Part):
    """How it ends: what became of a case, or which end event a process without a matter has reached."""

    outcome: Literal["open", "all_granted", "partial", "none_granted", "withdrawn"] | None = None
    end: str | None = None


class Start(Part):
    """How a process without a matter begins: by itself, or with a message."""

    process: str
    variables: dict[str, Any] = {}
    message: str | None = None


class Scenario(Part):
    """One case, from the counter to its end; or one process without a matter."""

    name: str
    at: datetime
    #: Body of `POST /api/v1/cases`, by the clerk; or else the process that is started.
    submit: dict[str, Any] | None = None
    start: Start | None = None
    expect: Expectation = Expectation()
    steps: list[Step]
    ends: Ending

    @model_validator(mode="after")
    def _begins_once(self) -> Scenario:
        if (self.submit is None) == (self.start is None):
            raise ValueError("it begins with `submit`, or with `start`")
        return self


def read(file: Path) -> Scenario:
    """Read a scenario; raises InvalidInput for what is none."""
    try:
        return Scenario.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidInput(f"Expected to read the scenario {file}, but {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise InvalidInput(f"Expected {file} to be a scenario, but {place}: {first['msg']}") from error


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
            _compare("the end that was reached", simulations.root(session).end, ends.end)
        return None
    shown = hall["admin"].case(case)
    _compare("the case", shown["outcome"], ends.outcome)
    return shown


def perform(hall: Hall, case: Any, step: Step) -> None:
    """Do what a step says."""
    who = hall[step.actor]
    if step.wait_until is not None:
        hall.at(step.wait_until)
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
    if step.send is not None:
        plain.send(hall, step.send, step.data)
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
        variables = simulations.root(session).variables
    for name, value in expected.variables.items():
        _compare(f"the variable {name}", variables.get(name), value)


def _item(hall: Hall, case: Any, code: str) -> Any:
    return halls.item(hall["admin"].case(case), code)


def _compare(what: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        raise Unmet(f"Expected {what} to be {wanted}, but found {found}")
