"""The rules, by group.  To add one: write its file here and its page in `docs/rules/`, draw its examples, add its line."""

from __future__ import annotations

from bpmn.lint.rule import ERROR, WARNING, Rule
from bpmn.lint.rules import (
    bad_argument,
    call_cycle,
    calls_items,
    department_named,
    duplicate_key,
    error_nobody_catches,
    error_nobody_throws,
    government_material_asked,
    intake_first,
    item_never_called,
    item_once,
    item_without_limits,
    material_two_names,
    material_without_basis,
    mismatched_join,
    missing_follow_on,
    missing_joint_handling,
    missing_tolerance,
    misspelled_message,
    no_form,
    no_history_time_to_live,
    no_scenarios,
    no_time_limit,
    nobody_assigned,
    one_issuance,
    predecessors_end,
    predecessors_known,
    promise_not_kept,
    result_not_issued,
    silence_accepts,
    stale_template,
    tolerance_has_deadline,
    tolerance_has_outcomes,
    unknown_decision,
    unknown_form,
    unknown_function,
    unknown_group,
    unknown_process,
    unknown_property,
    unknown_word,
    unnamed,
    unreadable_figure,
    variable_never_written,
    wait_without_deadline,
)

#: What would not run.
BETWEEN = (
    Rule("unknown-process", ERROR, unknown_process.check),
    Rule("unknown-decision", ERROR, unknown_decision.check),
    Rule("unknown-form", ERROR, unknown_form.check),
    Rule("unknown-function", ERROR, unknown_function.check),
    Rule("bad-argument", ERROR, bad_argument.check),
    Rule("unknown-word", ERROR, unknown_word.check),
    Rule("duplicate-key", ERROR, duplicate_key.check),
    Rule("call-cycle", ERROR, call_cycle.check),
    Rule("unreadable-figure", ERROR, unreadable_figure.check),
    Rule("predecessors-known", ERROR, predecessors_known.check),
    Rule("predecessors-end", ERROR, predecessors_end.check),
    Rule("item-without-limits", ERROR, item_without_limits.check),
    Rule("item-never-called", ERROR, item_never_called.check),
)
#: What runs, but hardly as meant.
SUSPECT = (
    Rule("unnamed", WARNING, unnamed.check),
    Rule("variable-never-written", WARNING, variable_never_written.check),
    Rule("mismatched-join", WARNING, mismatched_join.check),
    Rule("error-nobody-throws", WARNING, error_nobody_throws.check),
    Rule("error-nobody-catches", WARNING, error_nobody_catches.check),
    Rule("nobody-assigned", WARNING, nobody_assigned.check),
    Rule("unknown-group", WARNING, unknown_group.check),
    Rule("unknown-property", WARNING, unknown_property.check),
    Rule("misspelled-message", WARNING, misspelled_message.check),
    Rule("no-form", WARNING, no_form.check),
    Rule("no-time-limit", WARNING, no_time_limit.check),
    Rule("wait-without-deadline", WARNING, wait_without_deadline.check),
    Rule("no-history-time-to-live", WARNING, no_history_time_to_live.check),
    Rule("stale-template", WARNING, stale_template.check),
)
#: What a bundle must show.
ONE_THING = (
    Rule("intake-first", WARNING, intake_first.check),
    Rule("missing-follow-on", WARNING, missing_follow_on.check),
    Rule("silence-accepts", WARNING, silence_accepts.check),
    Rule("missing-joint-handling", WARNING, missing_joint_handling.check),
    Rule("missing-tolerance", WARNING, missing_tolerance.check),
    Rule("one-issuance", WARNING, one_issuance.check),
    Rule("calls-items", WARNING, calls_items.check),
    Rule("item-once", WARNING, item_once.check),
    Rule("department-named", WARNING, department_named.check),
    Rule("result-not-issued", WARNING, result_not_issued.check),
    Rule("tolerance-has-deadline", WARNING, tolerance_has_deadline.check),
    Rule("tolerance-has-outcomes", WARNING, tolerance_has_outcomes.check),
    Rule("material-two-names", WARNING, material_two_names.check),
    Rule("government-material-asked", WARNING, government_material_asked.check),
    Rule("material-without-basis", WARNING, material_without_basis.check),
    Rule("no-scenarios", WARNING, no_scenarios.check),
)
#: What a bundle promises.
PROMISE = (Rule("promise-not-kept", WARNING, promise_not_kept.check),)

RULES = (*BETWEEN, *SUSPECT, *ONE_THING, *PROMISE)
