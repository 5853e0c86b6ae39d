"""Scenarios: what is submitted, who does what when, and what must be so."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.errors import InvalidInput

Codes = list[str]


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
    #: Name of a signal that is thrown, with `data`.
    signal: str | None = None
    #: Of a process without a matter: name of the work that a program does, and the code of the error that it raises there instead.
    perform: str | None = None
    error: str | None = None
    #: Of a process without a matter: name of a task out of which an error or an escalation is raised; its code.
    raise_at: str | None = None
    escalation: str | None = None
    #: Of a process without a matter: name of a message that comes in, and values of variables by which it finds who waits for it.
    send: str | None = None
    keys: dict[str, Any] = {}
    expect: Expectation = Expectation()

    @model_validator(mode="after")
    def _fits_together(self) -> Step:
        if self.raise_at is not None and (self.error is None) == (self.escalation is None):
            raise ValueError("`raise_at` wants an `error` or an `escalation`")
        if self.error is not None and (self.raise_at is None) == (self.perform is None):
            raise ValueError("an `error` wants `perform`, or `raise_at`")
        if self.escalation is not None and self.raise_at is None:
            raise ValueError("an `escalation` wants `raise_at`")
        if self.keys and self.send is None:
            raise ValueError("`keys` want `send`")
        return self

    @property
    def of_cases(self) -> list[str]:
        """What it does that only a case knows."""
        return [name for name in ("hand_in", "follow_on", "adopt", "withdraw", "item") if getattr(self, name)]

    @property
    def of_processes(self) -> list[str]:
        """What it does that only a process without a matter knows."""
        return [name for name in ("perform", "raise_at", "send") if getattr(self, name)]


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

    @model_validator(mode="after")
    def _does_what_it_can(self) -> Scenario:
        for place, step in enumerate(self.steps, start=1):
            foreign, beginning = (step.of_cases, "start") if self.submit is None else (step.of_processes, "submit")
            if foreign:
                raise ValueError(f"step {place} says `{foreign[0]}`, which does not go with `{beginning}`")
        return self


def read(file: Path) -> Scenario:
    """Read a scenario; raises InvalidInput for what is none, with its `line`."""
    try:
        content = file.read_bytes()
        return Scenario.model_validate(yaml.safe_load(content))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        message = f"Expected {file.name} to be a scenario in YAML, but line {line} cannot be read: {error.problem}"
        raise InvalidInput(message, line=line) from error
    except ValidationError as error:
        first = error.errors()[0]
        place, line = ".".join(map(str, first["loc"])) or "the file", _line(content, first["loc"])
        raise InvalidInput(f"Expected {file.name} to be a scenario, but {place}: {first['msg']}", line=line) from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidInput(f"Expected to read the scenario {file.name}, but {' '.join(str(error).split())}", line=1) from error


def _line(content: bytes, place: tuple[int | str, ...]) -> int:
    """Find the line of a part of a scenario, or of what it is missing in."""
    node, line = yaml.compose(content, Loader=yaml.SafeLoader), 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            inner = {key.value: (key, value) for key, value in node.value}.get(step)
        else:
            inner = (node.value[step],) * 2 if isinstance(node, yaml.SequenceNode) and isinstance(step, int) else None
        if inner is not None:
            line, node = inner[0].start_mark.line + 1, inner[1]
    return line
