"""Words (用语) of diagrams and tables that the engine goes by: in each of these places stands one of a few, and lint refuses others."""

from __future__ import annotations

from bpmn.lint import Words
from engine import effects, steps, tolerances
from engine.clock import DayUnit, PauseKind

WORDS = Words(
    processes={
        "onething.kind": frozenset({"matter", "item", "post-check", "process"}),
        "onething.mode": frozenset({"review", "commitment", "filing", "automatic"}),
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
)
