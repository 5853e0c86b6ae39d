"""Writes (写入): who writes which variable in a process, and what it can be then."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from bpmn.definition import Definition, Element, ElementType, EventDefinition, EventType
from bpmn.forms import Field, Form
from bpmn.forms.field import ONE_OF, FieldType
from bpmn.simulation import workers
from bpmn.simulation.telling import Telling

#: Elements at which something comes in from outside, with whatever is not asked for in a form.
_OPEN = frozenset({ElementType.USER_TASK, ElementType.RECEIVE_TASK, ElementType.CALL_ACTIVITY})
_HEARD = frozenset({EventType.MESSAGE, EventType.SIGNAL, EventType.CONDITIONAL, EventType.ERROR, EventType.ESCALATION})
_NOTHING = EventDefinition(type=EventType.NONE)

Values = Sequence[Any]


@dataclass(frozen=True, kw_only=True)
class Writes:
    """What is known of a process and of whoever runs it."""

    process: Definition
    #: Forms by element.
    forms: Mapping[str, Form] = field(default_factory=dict)
    #: Values that the drawing tells apart, by variable.
    telling: Telling = field(default_factory=dict)
    #: What every instance begins with, and what comes with a message: nobody else writes these.
    given: Mapping[str, Any] = field(default_factory=dict)
    brought: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    #: Other variables that only the application writes.
    handed: frozenset[str] = frozenset()
    #: Elements that a program does; and the variables that tables read, by the element that asks them.
    programs: frozenset[str] = frozenset()
    tables: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @cached_property
    def told(self) -> Mapping[str, Values]:
        """Whatever a variable can be, as far as the drawing tells it apart; it may be empty, too."""
        fields = [each for form in self.forms.values() for each in form.fields if each.key in self.telling]
        options = {name: [option.value for each in fields if each.key == name for option in each.options] for name in self.telling}
        return {name: distinct([*some, *options[name], None]) for name, some in self.telling.items()}

    @cached_property
    def loose(self) -> Mapping[str, Values]:
        """What no form asks for and the application does not write: it may come in anywhere."""
        asked = {each.key for form in self.forms.values() for each in form.fields} | self.given.keys() | self.handed
        return {name: values for name, values in self.told.items() if name not in asked}

    def early(self, key: str) -> frozenset[str]:
        """Name what a program may write although a form asks for it later: it is read in between."""
        return self._early(key) - self.given.keys() - self.handed if key in self.programs else frozenset()

    @cached_property
    def restless(self) -> Mapping[str, Values]:
        """What may change at any time: a conditional event looks at it."""
        conditions = [each.event.condition for each in self.process.elements.values() if each.event and each.event.condition]
        return {name: self.told[name] for condition in conditions for name in sorted(condition.names) if name in self.told}

    def by(self, key: str) -> Mapping[str, Values]:
        """Say what an element writes, without what stands in it."""
        if key not in self._by:
            element = self.process.elements[key]
            found = {name: self.told[name] for name in self._results(element) if name in self.told}
            self._by[key] = {**found, **self._heard(element)}
        return self._by[key]

    def within(self, key: str) -> Mapping[str, Values]:
        """Say what is written in a scope."""
        found: dict[str, list[Any]] = {}
        for inside in self._children.get(key, ()):
            for some in (self.by(inside), self.within(inside)):
                for name, values in some.items():
                    found.setdefault(name, []).extend(values)
        return {name: distinct(values) for name, values in found.items()}

    @cached_property
    def _early(self) -> Callable[[str], frozenset[str]]:
        return workers.early(self.process, self.forms, self.tables)

    @cached_property
    def _by(self) -> dict[str, Mapping[str, Values]]:
        return {}

    @cached_property
    def _children(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for element in self.process.elements.values():
            if element.parent is not None:
                found.setdefault(element.parent, []).append(element.id)
        return found

    def _results(self, element: Element) -> Iterator[str]:
        """Name what an element writes by what is drawn on it; its local variables, too, which hide the others from what is in it."""
        yield from (each.name for each in (*element.input_parameters, *element.output_parameters))
        yield from self.told if any(each.target is None for each in element.outputs) else ()
        event, loop = element.event or _NOTHING, element.loop
        named = [element.result_variable, event.code_variable, event.message_variable, loop and loop.element_variable]
        yield from (name for name in (*named, *(each.target for each in element.outputs)) if name)

    def _heard(self, element: Element) -> Mapping[str, Values]:
        """Say what comes in at an element from outside."""
        event = element.event or _NOTHING
        if element.id in self.forms:
            return {each.key: self._entered(each) for each in self.forms[element.id].fields if each.key in self.told}
        if event.type is EventType.MESSAGE and (brought := self.brought.get(event.name or "")):
            return {name: [value] for name, value in brought.items()}
        if element.type in _OPEN or element.topic is not None or event.type in _HEARD:
            return {**self.loose, **{name: self.told[name] for name in sorted(self.early(element.id)) if name in self.told}}
        return {}

    def _entered(self, entry: Field) -> Values:
        """Say what a field can be left with; what need not be filled in may be anything that it was."""
        if entry.required is not True or entry.hide or entry.options_from or entry.readonly:
            return self.told[entry.key]
        if entry.type in ONE_OF:
            return [option.value for option in entry.options]
        return [True, False] if entry.type is FieldType.CHECKBOX else self.told[entry.key]


def distinct(values: Iterable[Any]) -> list[Any]:
    """Keep one of those that are the same."""
    return [next(same) for _, same in itertools.groupby(sorted(values, key=_kind), key=_kind)]


def _kind(value: Any) -> tuple[str, str]:
    return type(value).__name__, repr(value)
