"""The rules that a diagram is judged by: two tables, one line each.

A rule of severity `error` refuses the deployment.  To add a rule: write its function beside its kin, add its line here,
write its page in `docs/rules/` and draw its examples in `tests/bpmn/rules/`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from bpmn.compiler.rules import (
    compensation,
    definitions,
    gateways,
    identity,
    jobs,
    links,
    mappings,
    parameters,
    people,
    pools,
    repetition,
    starts,
    structure,
    timing,
    ways,
    words,
    work,
)
from bpmn.compiler.rules.rule import Drawing, DrawingRule, SourceRule
from bpmn.compiler.source import Source, bearer

ERROR, WARNING = "error", "warning"

#: Findings of one rule that are looked for: a hostile file could make millions.
LIMIT = 200

SOURCE_RULES = (
    SourceRule("unsupported-element", ERROR, words.unsupported_element),
    SourceRule("unsupported-event", ERROR, words.unsupported_event),
    SourceRule("unsupported-attribute", ERROR, words.unsupported_attribute),
    SourceRule("unsupported-extension", ERROR, words.unsupported_extension),
    SourceRule("foreign-engine", ERROR, words.foreign_engine),
    SourceRule("ignored-attribute", WARNING, words.ignored_attribute),
    SourceRule("ignored-extension", WARNING, words.ignored_extension),
    SourceRule("no-executable-process", ERROR, identity.no_executable_process),
    SourceRule("not-marked-executable", WARNING, identity.not_marked_executable),
    SourceRule("missing-key", ERROR, identity.missing_key),
    SourceRule("duplicate-id", ERROR, identity.duplicate_id),
    SourceRule("illegal-id", ERROR, identity.illegal_id),
    SourceRule("dangling-reference", ERROR, identity.dangling_reference),
    SourceRule("crossing-flow", ERROR, identity.crossing_flow),
    SourceRule("dangling-pool", WARNING, pools.dangling_pool),
)

DRAWING_RULES = (
    DrawingRule("no-start-event", ERROR, starts.no_start_event),
    DrawingRule("several-starts", ERROR, starts.several_starts),
    DrawingRule("start-of-process", ERROR, starts.start_of_process),
    DrawingRule("waiting-start-in-subprocess", ERROR, starts.waiting_start_in_subprocess),
    DrawingRule("plain-start-in-event-subprocess", ERROR, starts.plain_start_in_event_subprocess),
    DrawingRule("flow-at-event-subprocess", ERROR, starts.flow_at_event_subprocess),
    DrawingRule("same-start", ERROR, starts.same_start),
    DrawingRule("computed-start", ERROR, starts.computed_start),
    DrawingRule("initiator-behind-job", ERROR, starts.initiator_behind_job),
    DrawingRule("flow-into-start", ERROR, starts.flow_into_start),
    DrawingRule("flow-out-of-end", ERROR, structure.flow_out_of_end),
    DrawingRule("loose-boundary", ERROR, structure.loose_boundary),
    DrawingRule("error-without-interrupting", ERROR, structure.error_without_interrupting),
    DrawingRule("cancel-outside-transaction", ERROR, structure.cancel_outside_transaction),
    DrawingRule("no-cancel-boundary", ERROR, structure.no_cancel_boundary),
    DrawingRule("several-cancel-boundaries", ERROR, structure.several_cancel_boundaries),
    DrawingRule("no-cancel-end", WARNING, structure.no_cancel_end),
    DrawingRule("unreachable", WARNING, ways.unreachable),
    DrawingRule("no-way-to-an-end", WARNING, ways.no_way_to_an_end),
    DrawingRule("loose-end", WARNING, ways.loose_end),
    DrawingRule("gateway-leads-nowhere", ERROR, gateways.gateway_leads_nowhere),
    DrawingRule("flow-without-condition", ERROR, gateways.flow_without_condition),
    DrawingRule("condition-on-only-flow", ERROR, gateways.condition_on_only_flow),
    DrawingRule("condition-on-default", ERROR, gateways.condition_on_default),
    DrawingRule("condition-on-parallel-flow", ERROR, gateways.condition_on_parallel_flow),
    DrawingRule("one-event", ERROR, gateways.one_event),
    DrawingRule("no-event-behind", ERROR, gateways.no_event_behind),
    DrawingRule("same-event-behind", ERROR, gateways.same_event_behind),
    DrawingRule("literal-condition", ERROR, gateways.literal_condition),
    DrawingRule("default-elsewhere", ERROR, gateways.default_elsewhere),
    DrawingRule("no-default", WARNING, gateways.no_default),
    DrawingRule("link-without-name", ERROR, links.link_without_name),
    DrawingRule("link-without-end", ERROR, links.link_without_end),
    DrawingRule("same-link", ERROR, links.same_link),
    DrawingRule("flow-at-link", ERROR, links.flow_at_link),
    DrawingRule("no-handler", ERROR, compensation.no_handler),
    DrawingRule("several-handlers", ERROR, compensation.several_handlers),
    DrawingRule("undone-by-nobody", ERROR, compensation.undone_by_nobody),
    DrawingRule("flow-at-handler", ERROR, compensation.flow_at_handler),
    DrawingRule("unknown-activity", ERROR, compensation.unknown_activity),
    DrawingRule("loop-without-number", ERROR, repetition.loop_without_number),
    DrawingRule("computed-collection", ERROR, repetition.computed_collection),
    DrawingRule("bad-element-variable", ERROR, repetition.bad_element_variable),
    DrawingRule("loop-without-condition", ERROR, repetition.loop_without_condition),
    DrawingRule("literal-loop-condition", ERROR, repetition.literal_loop_condition),
    DrawingRule("bad-loop-number", ERROR, repetition.bad_loop_number),
    DrawingRule("loop-elsewhere", ERROR, repetition.loop_elsewhere),
    DrawingRule("no-implementation", ERROR, work.no_implementation),
    DrawingRule("several-implementations", ERROR, work.several_implementations),
    DrawingRule("missing-topic", ERROR, work.missing_topic),
    DrawingRule("bad-worker-error", ERROR, work.bad_worker_error),
    DrawingRule("bad-script", ERROR, work.bad_script),
    DrawingRule("missing-result-variable", ERROR, work.missing_result_variable),
    DrawingRule("missing-called-element", ERROR, work.missing_called_element),
    DrawingRule("bad-binding", ERROR, work.bad_binding),
    DrawingRule("unknown-result-mapping", ERROR, work.unknown_result_mapping),
    DrawingRule("result-not-kept", WARNING, work.result_not_kept),
    DrawingRule("missing-message", ERROR, definitions.missing_message),
    DrawingRule("receive-without-message", WARNING, definitions.receive_without_message),
    DrawingRule("missing-signal", ERROR, definitions.missing_signal),
    DrawingRule("computed-name", ERROR, definitions.computed_name),
    DrawingRule("missing-code", ERROR, definitions.missing_code),
    DrawingRule("same-catch", ERROR, definitions.same_catch),
    DrawingRule("missing-condition", ERROR, definitions.missing_condition),
    DrawingRule("unknown-change", ERROR, definitions.unknown_change),
    DrawingRule("several-variables", ERROR, definitions.several_variables),
    DrawingRule("unknown-form", ERROR, people.unknown_form),
    DrawingRule("several-assignees", ERROR, people.several_assignees),
    DrawingRule("bad-timer", ERROR, timing.bad_timer),
    DrawingRule("cycle-that-interrupts", WARNING, timing.cycle_that_interrupts),
    DrawingRule("bad-due-date", ERROR, timing.bad_due_date),
    DrawingRule("bad-time-to-live", ERROR, timing.bad_time_to_live),
    DrawingRule("bad-retries", ERROR, jobs.bad_retries),
    DrawingRule("bad-priority", ERROR, jobs.bad_priority),
    DrawingRule("bad-quantity", ERROR, jobs.bad_quantity),
    DrawingRule("job-at-event-subprocess", ERROR, jobs.job_at_event_subprocess),
    DrawingRule("idle-job", WARNING, jobs.idle_job),
    DrawingRule("parameters-elsewhere", ERROR, parameters.parameters_elsewhere),
    DrawingRule("bad-parameter", ERROR, parameters.bad_parameter),
    DrawingRule("bad-mapping", ERROR, mappings.bad_mapping),
    DrawingRule("computed-source", ERROR, mappings.computed_source),
    DrawingRule("signal-takes-nothing", ERROR, mappings.signal_takes_nothing),
    DrawingRule("ignored-business-key", WARNING, mappings.ignored_business_key),
    DrawingRule("bad-property", ERROR, mappings.bad_property),
)


def judge(source: Source, drawings: Iterable[Drawing]) -> None:
    """Report everything that is wrong with a file, as far as anybody would read it."""
    for rule in SOURCE_RULES:
        for node, message in islice(rule.check(source), LIMIT):
            source.report(rule.severity, rule.name, bearer(node), message, at=node)
    for drawing in drawings:
        for drawing_rule in DRAWING_RULES:
            for key, message in islice(drawing_rule.check(drawing), LIMIT):
                source.report(drawing_rule.severity, drawing_rule.name, drawing.node(key), message)
