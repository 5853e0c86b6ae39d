"""Words (用语) of diagrams and tables that the engine goes by: in each of these places stands one of a few, and lint refuses others."""

from __future__ import annotations

import inspect
from collections.abc import Mapping

from bpmn.lint import Words
from bpmn.lint.bundle import LIMITS, Columns
from bpmn.matter.questions import BOUNDS
from bpmn.matter.situations import EXCLUSIONS
from engine import cases, commitments, decisions, effects, follow_on, functions, intake, issuance, materials, matters, steps, tolerances
from engine.clock import DayUnit, PauseKind
from engine.notices import ItemType

#: Properties of a process: of a matter, of an item.
_OF_MATTERS = ("code", "lead", "promised", "hall_level", "longest_wait", "supplement_days", "archive_days", "clock_start")
_OF_ITEMS = ("department", "mode", "item_type", "result", "issuer")
#: Properties of an element: of a call, of a special procedure, of what gives a tolerance up.
_OF_ELEMENTS = ("kind", "item", "predecessors", "on_refusal", "promised", "procedure", "days", "outcome")

#: Kinds of tasks, by the element template that writes them.
_TEMPLATES = {
    "intake": "intake",
    "follow-on": "follow-on",
    "supplement": "supplement",
    "tolerance": "tolerance",
    "department-decision": "decision",
    "special-procedure": "special-procedure",
    "issuance": "issuance",
    "rating": "rating",
    "post-check": "post-check",
}


def _parameters(function: str) -> Mapping[str, str]:
    """What a function of the engine takes, as it is written in Python."""
    taken = _signature(function).parameters.values()
    return {each.name: _KINDS[each.annotation] for each in taken if each.name != "self"}


def _signature(function: str) -> inspect.Signature:
    """How a function of the engine is written in Python."""
    return inspect.signature(getattr(functions.World, functions.CAMUNDA.get(function, function)))


_KINDS = {"str": "text", "float": "number"}

WORDS = Words(
    processes={
        "onething.kind": frozenset({"matter", "item", "post-check", "process"}),
        "onething.mode": frozenset({"review", "commitment", "filing", "automatic"}),
        "onething.item_type": frozenset(ItemType),
        "onething.clock_start": frozenset({"ON_FIRST_ACCEPT", "ON_ALL_ACCEPTED", "ON_SUBMIT"}),
    },
    elements={
        "onething.kind": frozenset(effects.EFFECTS) | {"tolerance", "work"},
        "onething.procedure": frozenset(PauseKind),
        "onething.on_refusal": frozenset({"BLOCK", "CONTINUE"}),
        "onething.outcome": frozenset(tolerances.ENDS),
    },
    steps=frozenset(steps.STEPS),
    arguments={"deadline": frozenset({"promised", "statutory", "warning"}), "tolerance": frozenset({"remind", "due", "grace"})},
    columns={
        ("items", "action"): frozenset({"include", "import", "exclude"}),
        ("materials", "exemption"): frozenset({"GEN", "ECERT", "API", "SUBMIT"}),
        ("materials", "until"): frozenset({"BEFORE_DECISION", "BEFORE_ISSUE", "BEFORE_OPENING", "AFTER_ISSUE"}),
        ("item_limits", "unit"): frozenset(DayUnit),
    },
    shown={
        ("materials", "necessity"): frozenset({"REQUIRED", "CONDITIONAL", "DEFERRABLE"}),
        ("materials", "source"): frozenset({"SELF", "GOV", "OTHER"}),
        ("materials", "due_rule"): frozenset({"item_promise", "min_item_promise", "fixed", "event"}),
    },
    questions=frozenset({"single", "multi", "boolean", "number", "text", "date", "region", "derived"}),
    tables={
        "items": Columns(needed=frozenset({"item", "action"})),
        "materials": Columns(
            needed=frozenset({"material", "name", "necessity", "source", "exemption", "used_by"}),
            known=frozenset({"merge_key", "tolerable", "until", "due_rule", "due_days", "grace_days", "basis"}),
        ),
        "situations": Columns(
            needed=frozenset({"id", "ask", "type"}), known=frozenset({"options", "source", "derived", "used_by", "required", *BOUNDS})
        ),
        EXCLUSIONS: Columns(needed=frozenset({"reason", "basis"}), known=frozenset({"instead"})),
        LIMITS: Columns(
            needed=frozenset(),
            known=frozenset({"promised", "statutory", "unit", "extension", "post_check", "special_days"}),
            several=False,
        ),
    },
    fields={
        "intake": {"outcome": frozenset(intake.DISPOSITIONS)},
        "follow-on": {"outcome": frozenset(follow_on.DISPOSITIONS)},
        "decision": {"outcome": frozenset(decisions.OUTCOMES)},
        "post-check": {"outcome": frozenset(commitments.OUTCOMES)},
        "rating": {"score": frozenset()},
    },
    companions={
        "intake": {
            ("outcome", "tolerate"): frozenset({"commitment_signed"}),
            ("outcome", "refuse"): frozenset({"refusal_kind", "reason"}),
        },
        "follow-on": {
            ("outcome", "tolerate"): frozenset({"commitment_signed"}),
            ("outcome", "refuse"): frozenset({"reason"}),
        },
        "supplement": {("answered", False): frozenset({"reason"})},
        "decision": {("outcome", "denied"): frozenset({"reason_code", "reason"})},
    },
    options={
        "intake": {"refusal_kind": frozenset(intake.REFUSALS)},
        "follow-on": {"refusal_kind": frozenset(intake.REFUSALS)},
        "issuance": {"mode": frozenset(issuance.MODES), "delivery": frozenset(issuance.DELIVERIES)},
    },
    open_kinds=frozenset({"decision"}),
    templates={f"onething.{name}": kind for name, kind in _TEMPLATES.items()},
    of_processes=frozenset(f"onething.{name}" for name in ("kind", *_OF_MATTERS, *_OF_ITEMS)),
    of_elements=frozenset(f"onething.{name}" for name in _OF_ELEMENTS),
    parameters={name: _parameters(name) for name in functions.NAMES},
    moments=frozenset(name for name in functions.NAMES if "datetime" in str(_signature(name).return_annotation)),
    groups=frozenset({"window", "supervisor"}),
    messages=frozenset({cases.WITHDRAWN, commitments.TOLERANCE_EXPIRED, matters.ITEMS_CHANGED, materials.SUPPLIED, matters.FOLLOW_ON}),
)
