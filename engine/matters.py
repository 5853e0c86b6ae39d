"""Matters (一件事) and the items they bundle: facts read from the deployed diagrams and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from bpmn.definition import Element, ElementType
from engine import definitions, holidays
from engine.case_models import Case
from engine.clock import DayUnit, LimitKind, TimeLimit
from engine.definitions import Loaded
from engine.errors import Busy, InvalidInput, NotFound
from engine.kept import Kept
from engine.models import Definition
from engine.notices import ItemType

#: Key of the matter that carries one item alone.
SINGLE_ITEM = "single_item"
#: Message by which items ask to join (接续受理).
FOLLOW_ON = "follow_on_requested"
#: What the dispatcher waits for.
ITEMS_CHANGED = "items_changed"
#: Bytes that the facts of all matters take in memory at most; and about how many a matter takes for each item that it calls.
LIMIT, PER_CALL = 32 << 20, 1_000


@dataclass(frozen=True, kw_only=True)
class Predecessor:
    """An item that must come before another."""

    item: str
    #: FS 法定前置, RM 结果作材料, DATA 数据复用, JOINT 联合勘验, SOFT 建议顺序.  Those that are `facts.BINDING` hold the item back.
    kind: str


@dataclass(frozen=True, kw_only=True)
class ItemCall:
    """How a bundle calls one of its items."""

    item: str
    predecessors: tuple[Predecessor, ...]
    #: What an unfavourable end of a binding predecessor does: BLOCK (default) or CONTINUE.
    on_refusal: str
    #: Promise of this bundle in working days, when it differs from the item's own.
    promised: int | None


@dataclass(frozen=True, kw_only=True)
class ItemFacts:
    """A single item (单事项), whoever calls it."""

    code: str
    name: str
    department: str
    #: review, commitment, filing, automatic
    mode: str
    #: permit, confirmation, benefit, filing, service (`notices.ItemType`)
    type: str
    #: Name of the certificate that a favourable decision produces; empty: none.
    result: str
    issuer: str
    limits: tuple[TimeLimit, ...]
    #: Working days by which the organ may extend, once; 0: not at all.
    extension: int
    #: Working days after the decision within which a commitment is checked; None: no check.
    post_check: int | None


@dataclass(frozen=True, kw_only=True)
class Matter:
    """One matter, as one version of its diagram draws it."""

    definition_id: UUID
    key: str
    name: str
    version: int
    code: str
    lead: str
    #: Published promise of the bundle in working days, or None.
    promised: int | None
    #: Working days that a unified issuance waits for the rest.
    longest_wait: int
    #: Working days given in a notice of corrections.
    supplement_days: int
    #: ON_SUBMIT, ON_FIRST_ACCEPT or ON_ALL_ACCEPTED.
    clock_start: str
    calls: Mapping[str, ItemCall]


#: Facts by the id of the definition: so a thousand matters can be listed without a thousand diagrams in memory.
_facts = Kept[Matter](LIMIT, lambda matter: PER_CALL * (1 + len(matter.calls)))


def get(session: Session, key: str) -> Matter:
    """Return the newest version of a matter; raises NotFound."""
    return of_version(definitions.latest(session, key))


def of_version(loaded: Loaded) -> Matter:
    """Return the facts of a version that is one of a matter; raises NotFound for another one."""
    if loaded.kind != "matter":
        raise NotFound(f"Expected {loaded.key!r} to be a matter, but it is a process of kind {loaded.kind!r}")
    return read(loaded)


def keep_newest(session: Session, matter: Matter) -> None:
    """Make sure that a case which begins now does so by the newest version of its matter, and by the newest calendar.

    Until this transaction ends, nobody can publish a calendar or delete a department.  Raises Busy when a newer version has just come: a
    department that only this one names may have been deleted.
    """
    holidays.keep(session)
    if definitions.latest_id(session, matter.key) != matter.definition_id:
        raise Busy(f"Expected to begin a case by the newest version of {matter.name}, but another one has come just now; try again")


def of(session: Session, case: Case | Row[Any]) -> Matter:
    """Return the matter of a case, in the version that the case began with, or was moved to."""
    return _known(session, case.definition_id)


def catalogue(session: Session) -> list[Matter]:
    """The newest version of every matter, by key."""
    return [_known(session, each) for each in definitions.newest(session, "matter")]


def require(session: Session, key: str, *, field: str) -> None:
    """Raise InvalidInput unless a process of this key was ever deployed; for the name of a matter, the message says its key."""
    if session.scalar(select(Definition.id).where(Definition.key == key).limit(1)) is None:
        raise InvalidInput.of_field(field, f"Expected the key of a matter, but {key!r:.80} is none: {hint(session, key)}")


def hint(session: Session, key: str) -> str:
    """Say what to write for what is no key of a matter."""
    meant = [matter.key for matter in catalogue(session) if key in matter.name]
    return f"write {' or '.join(meant)}" if meant else "GET /matters lists them"


def _known(session: Session, definition_id: UUID) -> Matter:
    return _facts.get(definition_id, lambda: read(definitions.get(session, definition_id)))


def read(loaded: Loaded) -> Matter:
    """Read the facts of a matter from its diagram."""
    calls = [_call(element) for element in loaded.definition.elements.values() if element.type is ElementType.CALL_ACTIVITY]
    return Matter(
        definition_id=loaded.id,
        key=loaded.key,
        name=loaded.name,
        version=loaded.version,
        code=loaded.property("code"),
        lead=loaded.property("lead"),
        promised=_number(loaded.property("promised"), f"onething.promised of {loaded.key}"),
        longest_wait=_number(loaded.property("longest_wait"), f"onething.longest_wait of {loaded.key}") or 0,
        supplement_days=_number(loaded.property("supplement_days"), f"onething.supplement_days of {loaded.key}") or 15,
        clock_start=loaded.property("clock_start", "ON_FIRST_ACCEPT"),
        calls={call.item: call for call in calls},
    )


def require_called(matter: Matter, codes: Iterable[str]) -> None:
    """Raise InvalidInput for items that the matter does not call; the one that carries any single item calls them all."""
    strange = [code for code in codes if code not in matter.calls and matter.key != SINGLE_ITEM]
    if strange:
        among = f"it has {', '.join(matter.calls)}"
        raise InvalidInput.of_fields(
            [("items", f"Expected an item of {matter.name}, but {code!r:.80} is none: {among}") for code in strange]
        )


def handed_to(loaded: Loaded, code: str) -> set[str]:
    """Name the variables that the diagram of a matter hands to an item one by one (`camunda:in source= target=`)."""
    calls = [element for element in loaded.definition.elements.values() if element.called and _item_called(element) == code]
    return {mapping.target for call in calls for mapping in call.inputs if mapping.target}


def follow_on_start(loaded: Loaded) -> str | None:
    """Id of the start event of a case that begins with what was handled alone; None: the matter has none."""
    return loaded.start_by(FOLLOW_ON)


def item(session: Session, code: str) -> ItemFacts:
    """Return the facts of a single item; raises NotFound."""
    return items_of(session, [code])[code]


def items_of(session: Session, codes: Iterable[str]) -> dict[str, ItemFacts]:
    """Return the facts of single items, by code, in that order; raises NotFound."""
    return {code: _item(session, code, loaded) for code, loaded in definitions.latest_of(session, codes).items()}


def _item(session: Session, code: str, loaded: Loaded) -> ItemFacts:
    if loaded.kind != "item":
        raise NotFound(f"Expected {code!r} to be an item, but it is a process of kind {loaded.kind!r}")
    figures, mode = _figures(session, loaded), loaded.property("mode", "review")
    return ItemFacts(
        code=code,
        name=loaded.name,
        department=loaded.property("department"),
        mode=mode,
        type=loaded.property("item_type") or (ItemType.FILING if mode == "filing" else ItemType.PERMIT),
        result=loaded.property("result"),
        issuer=loaded.property("issuer"),
        limits=_limits(figures),
        extension=int(figures.get("extension") or 0),
        post_check=int(figures["post_check"]) if figures.get("post_check") else None,
    )


def items(session: Session) -> list[ItemFacts]:
    """Every single item, by code."""
    return [_item(session, loaded.key, loaded) for loaded in definitions.current(session, "item")]


def _figures(session: Session, loaded: Loaded) -> dict[str, Any]:
    rows = definitions.decide(session, loaded, "item_limits", {"item": loaded.key})
    if len(rows) != 1:
        raise InvalidInput(
            f"Expected one row for {loaded.key!r} in the table item_limits, but there are {len(rows)}: "
            "deploy the item with the .dmn file that has its row"
        )
    return rows[0]


def _limits(figures: Mapping[str, Any]) -> tuple[TimeLimit, ...]:
    unit = DayUnit(figures.get("unit") or "working")
    return tuple(
        TimeLimit(kind=kind, days=int(figures[kind.value]), unit=unit) for kind in LimitKind if figures.get(kind.value) is not None
    )


def _call(element: Element) -> ItemCall:
    properties = element.properties
    words = properties.get("onething.predecessors", "").split()
    return ItemCall(
        item=_item_called(element),
        predecessors=tuple(_predecessor(word, element.id) for word in words),
        on_refusal=properties.get("onething.on_refusal", "BLOCK"),
        promised=_number(properties.get("onething.promised", ""), f"onething.promised of {element.id}"),
    )


def _item_called(element: Element) -> str:
    return element.properties.get("onething.item", element.called.source if element.called else "")


def _predecessor(word: str, element_id: str) -> Predecessor:
    code, _, kind = word.partition(":")
    if kind not in {"FS", "RM", "DATA", "JOINT", "SOFT"}:
        raise InvalidInput(f"Expected onething.predecessors of {element_id} to read item:KIND, but found {word!r}")
    return Predecessor(item=code, kind=kind)


def _number(text: str, where: str) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise InvalidInput(f"Expected {where} to be a number of working days, but found {text!r}")
    return int(text)
