"""The files of a deployment, as the rules see them."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from bpmn import forms
from bpmn.compiler.source import Source
from bpmn.decisions import Decision
from bpmn.definition import BODY, Definition, Element, EventType
from bpmn.forms import Form
from bpmn.matter import situations
from bpmn.matter.facts import DrawnItem, DrawnMatter
from bpmn.matter.situations import Situation

DIAGRAMS = (".bpmn", ".bpmn20.xml")
TABLES = (".dmn", ".dmn11.xml")
FORMS = (".form",)
#: The table that holds the limits of items.
LIMITS = "item_limits"


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Outputs of a table that the engine reads."""

    needed: frozenset[str]
    #: What may be left out.
    known: frozenset[str] = frozenset()
    #: Whether several rows count.
    several: bool = True


@dataclass(frozen=True, kw_only=True)
class Words:
    """Words that the engine knows, each with its place in the files.  Where a set of words is empty, that place is not checked."""

    #: By the name of the property: of a process, of an element.
    processes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    elements: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: Topics of the engine's own steps.
    steps: frozenset[str] = frozenset()
    #: By the name of the function that takes them.
    arguments: Mapping[str, frozenset[str]] = field(default_factory=dict)
    #: By table and column.
    columns: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    #: The same for columns that are only shown to people.
    shown: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    #: Types of the questions of a situation.
    questions: frozenset[str] = frozenset()
    #: Tables that the engine reads, by id.
    tables: Mapping[str, Columns] = field(default_factory=dict)
    #: By the kind of a task: the fields of its form that the engine goes by, and the values of each that it knows (none: any).
    fields: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    #: By the kind of a task, and by a field and a value of it: what the form must ask for as well, so that this can be chosen.
    companions: Mapping[str, Mapping[tuple[str, str | bool], frozenset[str]]] = field(default_factory=dict)
    #: By the kind of a task: fields that may be left out, and the values of each that are known.
    options: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    #: Kinds of tasks that may have other values, too.
    open_kinds: frozenset[str] = frozenset()
    #: Kinds of tasks by the element template that they are made from.
    templates: Mapping[str, str] = field(default_factory=dict)
    #: Names of properties that are read: of a process, of an element.
    of_processes: frozenset[str] = frozenset()
    of_elements: frozenset[str] = frozenset()
    #: What functions take: the names of their parameters, each with its kind (`number`, `text`).
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    #: Functions that give a moment.
    moments: frozenset[str] = frozenset()
    #: Groups of tasks that every installation has.
    groups: frozenset[str] = frozenset()
    #: Messages that the engine itself sends to matters and items.
    messages: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the rules must know beside the files: what is deployed already, and what lies in the same folder without being deployed."""

    #: Functions that expressions may call; None: not checked.
    functions: frozenset[str] | None = None
    words: Words = Words()
    #: Variables that every process of a matter or an item begins with; None: not checked.
    variables: frozenset[str] | None = None
    #: Keys of processes, decisions and forms.
    processes: frozenset[str] = frozenset()
    decisions: frozenset[str] = frozenset()
    forms: frozenset[str] = frozenset()
    #: Names of diagrams of other folders that could not be read: which processes they hold is not known.
    broken: Collection[str] = ()
    #: Codes of departments; None: nobody knows which there are.
    departments: frozenset[str] | None = None
    #: The same by what people call them.
    names: Mapping[str, str] = field(default_factory=dict)
    #: Single items by code.
    items: Mapping[str, DrawnItem] = field(default_factory=dict)
    #: Names of the scenarios beside the files; None: nobody knows whether there are any.
    scenarios: Collection[str] | None = None
    #: Newest version of each element template; empty: not checked.
    templates: Mapping[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class Bundle:
    """What was found in the files."""

    known: Known
    #: Name of the file and process, in order.
    processes: list[tuple[str, Definition]] = field(default_factory=list)
    #: Trees of the diagrams: what stands in them that no process says.
    sources: list[Source] = field(default_factory=list)
    decisions: list[tuple[str, Decision]] = field(default_factory=list)
    #: Name of the file and key of the form.
    forms: list[tuple[str, str]] = field(default_factory=list)
    #: The same by key and by file.
    shown: dict[str, Form] = field(default_factory=dict)
    #: What stands in their files.
    contents: dict[str, bytes] = field(default_factory=dict)
    #: Files that could not be read: what they hold is not known, so nothing is said to be missing from them.
    broken: list[str] = field(default_factory=list)
    _timed: dict[str, frozenset[str]] = field(default_factory=dict)
    _situations: dict[tuple[str, str], list[Situation]] = field(default_factory=dict)

    def elements(self) -> Iterator[tuple[str, Definition, Element]]:
        """Yield every element that was drawn, with the name of its file and its process."""
        for resource, process in self.processes:
            for element in process.elements.values():
                if element.drawn:
                    yield resource, process, element

    def form(self, element: Element) -> Form | None:
        """Return the form that a task shows, where it is known: one of these files, or the fields that are generated for it."""
        generated: Form | None = element.form_data
        return generated if generated is not None else self.shown.get(element.form_ref or "")

    def line(self, form: str, field: str) -> int:
        """Return the line of a field in the file of a form."""
        return forms.line_of(self.contents[form], field)

    def lacks(self, endings: tuple[str, ...]) -> bool:
        """Tell whether something that was not found in the files of a kind (`endings`) is missing for certain.

        It may stand in a file that could not be read: then nothing is said to be missing.
        """
        return not any(name.endswith(endings) for name in (*self.broken, *self.known.broken))

    @cached_property
    def items(self) -> Mapping[str, DrawnItem]:
        """Single items by code: those of these files, and those that are deployed."""
        limits = next((decision for _, decision in self.decisions if decision.id == LIMITS), None)
        own = {p.key: DrawnItem(process=p, limits=limits) for _, p in self.processes if p.properties.get("onething.kind") == "item"}
        return ChainMap(own, self.known.items)  # type: ignore[arg-type] # nobody writes into it, and what is deployed is loaded when asked for

    @cached_property
    def matters(self) -> list[DrawnMatter]:
        """Every matter, with the tables of the same files."""
        tables = {decision.id: decision for _, decision in self.decisions}
        return [
            DrawnMatter(resource=resource, process=process, decisions=tables, items=self.items)
            for resource, process in self.processes
            if process.properties.get("onething.kind") == "matter"
        ]

    def timed(self, process: Definition) -> frozenset[str]:
        """Activities of a process with a timer on their border."""
        if process.key not in self._timed:
            events = [event for event in process.elements.values() if event.event_type is EventType.TIMER]
            self._timed[process.key] = frozenset(event.attached_to.removesuffix(BODY) for event in events if event.attached_to)
        return self._timed[process.key]

    def situations(self, matter: DrawnMatter) -> list[Situation]:
        """Every set of items that a matter can lead to; kept, for several rules ask, and to find them takes longer than all other rules."""
        which = matter.resource, matter.process.key
        if which not in self._situations:
            self._situations[which] = situations.of(matter)
        return self._situations[which]

    def place(self, decision: str) -> str:
        """Name of the file that holds a decision."""
        return next((resource for resource, found in self.decisions if found.id == decision), "")
