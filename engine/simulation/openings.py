"""Openings (开局): how a case can begin when a drawing is tried out; the situations come from the tables of the matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bpmn.definition import Element, EventDefinition, EventType, TimerType
from bpmn.expressions import Expression
from bpmn.matter import situations
from bpmn.matter.facts import DrawnMatter
from bpmn.matter.situations import Situation
from bpmn.simulation import samples, telling
from engine import checklists, definitions, deployments, matters, stories
from engine.definitions import Loaded
from engine.errors import InvalidInput
from engine.schedule_models import StartTimer

#: How an opening is labelled at which nothing is missing.
COMPLETE = "everything is there"
NONE = EventDefinition(type=EventType.NONE)
ENTERPRISE = {
    "kind": "enterprise",
    "name": "示例餐饮有限公司",
    "id_number": "91430100MA4L0F1A22",
    "phone": "13800000001",
    "contact": "周示例",
    "licence_status": "存续",
}
PERSON = {"kind": "person", "name": "许示例", "id_number": "430102199001011238", "phone": "13900000002"}


@dataclass(frozen=True, kw_only=True)
class Opening:
    """One way in which a case begins."""

    #: Key of the matter, the item, or the process without a matter.
    key: str
    #: What sets it apart, in words.
    label: str
    #: Items that it calls for.
    items: tuple[str, ...] = ()
    #: Of a matter: what is handed in at first.
    answers: Mapping[str, Any] = field(default_factory=dict)
    applicant: Mapping[str, Any] = field(default_factory=dict)
    materials: tuple[str, ...] = ()
    #: An item that the applicant has begun alone, and that is attached.
    alone: str | None = None
    #: Of a process without a matter: variables, and the message, the signal or the moment that begins it.
    variables: Mapping[str, Any] = field(default_factory=dict)
    message: str | None = None
    signal: str | None = None
    moment: datetime | None = None
    is_plain: bool = False

    @cached_property
    def spoken(self) -> str:
        """What it begins with, as people read it."""
        words = [f"{self.alone} alone, then" if self.alone else "", self.key, situations.spoken(self.answers or self.variables)]
        return " ".join(word for word in words if word)


def calls(session: Session, key: str) -> dict[str, str]:
    """Codes of the items that a matter calls, by the id of the call."""
    loaded = definitions.latest(session, key)
    found = _matter(session, loaded).calls if loaded.kind == "matter" else {}
    return {call.element.id: call.item for call in found.values() if not call.is_computed}


def is_carried(session: Session, key: str) -> bool:
    """Tell whether nobody begins a process itself: a matter carries the item, or an item calls for what comes after it."""
    return definitions.latest(session, key).kind not in ("matter", "process")


def of(session: Session, key: str) -> list[Opening]:
    """List the ways in which a process can begin, the plainest first; raises InvalidInput when there is none."""
    loaded = definitions.latest(session, key)
    if loaded.kind == "matter" and key != matters.SINGLE_ITEM:
        found = _of_matter(session, loaded)
    elif loaded.kind == "process":
        found = _of_process(session, loaded)
    else:
        found = _of_items(session, [loaded.key] if loaded.kind == "item" else _carried(session, key))
    if not found:
        raise InvalidInput(f"Expected {loaded.name or key} ({key}) to have a way to begin, but nothing calls for it")
    return found


def _carried(session: Session, key: str) -> list[str]:
    """Codes of the items that lead to a process which nobody begins: the one that carries any of them, or checks a promise afterwards."""
    items = matters.items(session)
    return [item.code for item in items if key == matters.SINGLE_ITEM or item.post_check is not None]


def _of_matter(session: Session, loaded: Loaded) -> list[Opening]:
    found: list[Opening] = []
    for situation in _telling_situations(_matter(session, loaded)):
        found += _variants(session, loaded.key, situation, loaded)
    # The plainest first: everything is there, and most items are called for.
    return sorted(found, key=lambda opening: (opening.label != COMPLETE, -len(opening.items)))


def _telling_situations(matter: DrawnMatter) -> list[Situation]:
    """Situations with items; the widest first, then each that calls for an item in smaller company than those before."""
    found = [each for each in situations.of(matter) if each.items]
    widest = sorted(found, key=lambda each: -len(each.items))
    smallest = sorted(found, key=lambda each: len(each.items))
    kept: list[Situation] = []
    covered: set[str] = set()
    for each in widest:
        if not set(each.items) <= covered:
            kept.append(each)
            covered |= set(each.items)
    for code in matter.calls:
        kept += [next(each for each in smallest if code in each.items)] if code in covered else []
    return [each for place, each in enumerate(kept) if each not in kept[:place]]


def _of_items(session: Session, codes: Iterable[str]) -> list[Opening]:
    """Openings of items alone, each in the situations of the first bundle that calls it."""
    bundles = [_matter(session, definitions.get(session, matter.definition_id)) for matter in matters.catalogue(session)]
    known = [(matter, situations.of(matter)) for matter in bundles]
    found: list[Opening] = []
    for code in codes:
        loaded = definitions.latest(session, code)
        asking, some = next(((matter, some) for matter, some in known if code in matter.calls), (None, []))
        plain: Mapping[str, Any] = next((each.answers for each in some if code in each.items), {})
        told = telling.values(loaded.definition, telling.asked(loaded.definition, loaded.decisions))
        questions = {str(row["id"]) for _rule, row in asking.rows("situations") if row.get("id")} if asking else set[str]()
        others = [{**plain, name: value} for name, values in told.items() if name in questions for value in values]
        for answers in [plain, *others]:
            found += _variants(session, code, Situation(items=(code,), answers=answers), loaded)
    return found


def _variants(session: Session, key: str, situation: Situation, loaded: Loaded) -> Iterator[Opening]:
    """Yield openings in one situation: by what is handed in, by who applies, and with an item that was begun alone."""
    asked = [material for material in _asked(session, key, situation) if material["asked"]]
    every = tuple(material["code"] for material in asked)
    firm = tuple(material["code"] for material in asked if not material["tolerable"])
    plain = Opening(key=key, label=COMPLETE, items=situation.items, answers=_given(situation), applicant=dict(ENTERPRISE), materials=every)
    yield plain
    if firm != every:
        yield replace(plain, label="what may follow later is missing", materials=firm)
    early = tuple(material["code"] for material in asked if not (material["tolerable"] and material["until"] == "AFTER_ISSUE"))
    if early not in (firm, every):
        yield replace(plain, label="what may follow after issue is missing", materials=early)
    if firm:
        yield replace(plain, label="materials are missing", materials=())
    joins = matters.follow_on_start(loaded) is not None
    for label, applicant in _applicants(session, loaded, situation):
        other = replace(plain, label=label, applicant=applicant)
        yield other
        if joins:
            yield replace(other, label=f"one item was begun alone, and {label}", alone=situation.items[0])
    if joins:
        yield replace(plain, label="one item was begun alone", alone=situation.items[0])


def _asked(session: Session, key: str, situation: Situation) -> list[dict[str, Any]]:
    only = None if definitions.latest(session, key).kind == "matter" else [key]
    try:
        matter = matters.get(session, matters.SINGLE_ITEM if only else key)
        found: list[dict[str, Any]] = checklists.make(session, matter, _given(situation), only=only)["materials"]
    except InvalidInput:
        return []
    return found


def _given(situation: Situation) -> dict[str, Any]:
    return {name: value for name, value in situation.answers.items() if value is not None}


def _applicants(session: Session, loaded: Loaded, situation: Situation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield applicants who make a difference to the tables of an item."""
    yield "a person applies", dict(PERSON)
    items = [definitions.latest(session, code) for code in situation.items]
    told = [telling.values(item.definition, telling.asked(item.definition, item.decisions)) for item in [loaded, *items]]
    for status in dict.fromkeys(value for each in told for value in each.get("licence_status", ()) if isinstance(value, str)):
        if status != ENTERPRISE["licence_status"]:
            yield "the register says something else", {**ENTERPRISE, "licence_status": status}


def _of_process(session: Session, loaded: Loaded) -> list[Opening]:
    """Openings of a process without a matter: each start, with each combination of what the drawing tells apart."""
    known, told = _needed(loaded), stories.of(session, loaded)
    by_time = select(StartTimer.due_at).where(StartTimer.definition_id == loaded.id).order_by(StartTimer.due_at, StartTimer.id)
    found = [Opening(key=loaded.key, label="when it is time", moment=moment, is_plain=True) for moment in session.scalars(by_time)]
    for start in loaded.definition.starts():
        event = start.event or NONE
        if event.type is EventType.TIMER:
            continue
        signal = event.signal.source if event.signal else None
        message = event.name if event.type is EventType.MESSAGE else None
        beginning = message or signal or "from the start"
        found += [
            Opening(key=loaded.key, label=_label(beginning, some), variables=some, message=message, signal=signal, is_plain=True)
            for some in samples.combined(known, partial(told.samples, start.id))
        ]
    return found


def _label(beginning: str, variables: Mapping[str, Any]) -> str:
    return f"{beginning}: {situations.spoken(variables)}" if variables else beginning


def _needed(loaded: Loaded) -> dict[str, list[Any]]:
    """Variables that the process reads and nothing in it fills, each with values for it."""
    elements = loaded.definition.elements.values()
    filled = {each.key for element in elements if (form := loaded.form(element)) for each in form.fields}
    filled |= {element.result_variable for element in elements if element.result_variable}
    filled |= {mapping.target for element in elements for mapping in element.outputs if mapping.target}
    found: dict[str, list[Any]] = {}
    for element in elements:
        for expression, value in _read(element):
            found |= {name: [value if _is_bare(expression, name) else 5] for name in expression.names}
    told = telling.values(loaded.definition, telling.asked(loaded.definition, loaded.decisions))
    found |= {name: list(some) for name, some in told.items()}
    return {name: some for name, some in found.items() if name not in filled}


def _read(element: Element) -> Iterator[tuple[Expression, Any]]:
    """Yield what an element reads beside conditions, with a value that would do."""
    texts: Iterable[Expression | None] = [*element.candidate_groups, element.assignee, element.topic, element.called]
    yield from ((expression, "sample") for expression in texts if expression)
    if element.due_date is not None:
        yield element.due_date, "P1D"
    if element.event is not None and element.event.when is not None:
        yield element.event.when, "P1D" if element.event.timer is not TimerType.CYCLE else "R2/P1D"
    if element.loop is not None and element.loop.collection is not None:
        yield element.loop.collection, ["a", "b"]
    if element.loop is not None and element.loop.cardinality is not None:
        yield element.loop.cardinality, 2
    yield from ((mapping.source, "sample") for mapping in element.inputs if mapping.source and not mapping.by_name)


def _is_bare(expression: Expression, name: str) -> bool:
    """Whether an expression is nothing but the variable, perhaps within a text; else it is counted with."""
    return not expression.calls and f"{{{name}}}" in expression.source.replace(" ", "")


def _matter(session: Session, loaded: Loaded) -> DrawnMatter:
    return DrawnMatter(resource="", process=loaded.definition, decisions=dict(loaded.decisions), items=deployments.Items(session))
