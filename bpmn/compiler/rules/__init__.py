"""The rules that a diagram is judged by: two tables, one line each.

A rule of severity `error` refuses the deployment.  To add a rule: write its function beside its kin, add its line here.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from bpmn.compiler.rules import completeness, gateways, identity, mappings, structure, timing, words
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
)

DRAWING_RULES = (
    DrawingRule("no-start-event", ERROR, structure.no_start_event),
    DrawingRule("several-starts", ERROR, structure.several_starts),
    DrawingRule("message-start-in-subprocess", ERROR, structure.message_start_in_subprocess),
    DrawingRule("same-start-message", ERROR, structure.same_start_message),
    DrawingRule("flow-into-start", ERROR, structure.flow_into_start),
    DrawingRule("flow-out-of-end", ERROR, structure.flow_out_of_end),
    DrawingRule("loose-boundary", ERROR, structure.loose_boundary),
    DrawingRule("error-without-interrupting", ERROR, structure.error_without_interrupting),
    DrawingRule("unreachable", WARNING, structure.unreachable),
    DrawingRule("no-way-to-an-end", WARNING, structure.no_way_to_an_end),
    DrawingRule("loose-end", WARNING, structure.loose_end),
    DrawingRule("gateway-leads-nowhere", ERROR, gateways.gateway_leads_nowhere),
    DrawingRule("flow-without-condition", ERROR, gateways.flow_without_condition),
    DrawingRule("condition-on-only-flow", ERROR, gateways.condition_on_only_flow),
    DrawingRule("condition-on-default", ERROR, gateways.condition_on_default),
    DrawingRule("condition-on-parallel-flow", ERROR, gateways.condition_on_parallel_flow),
    DrawingRule("literal-condition", ERROR, gateways.literal_condition),
    DrawingRule("default-elsewhere", ERROR, gateways.default_elsewhere),
    DrawingRule("no-default", WARNING, gateways.no_default),
    DrawingRule("not-external", ERROR, completeness.not_external),
    DrawingRule("missing-topic", ERROR, completeness.missing_topic),
    DrawingRule("missing-called-element", ERROR, completeness.missing_called_element),
    DrawingRule("missing-decision", ERROR, completeness.missing_decision),
    DrawingRule("unknown-result-mapping", ERROR, completeness.unknown_result_mapping),
    DrawingRule("result-not-kept", WARNING, completeness.result_not_kept),
    DrawingRule("missing-message", ERROR, completeness.missing_message),
    DrawingRule("computed-message", ERROR, completeness.computed_message),
    DrawingRule("missing-error-code", ERROR, completeness.missing_error_code),
    DrawingRule("same-error-twice", ERROR, completeness.same_error_twice),
    DrawingRule("unknown-form", ERROR, completeness.unknown_form),
    DrawingRule("bad-priority", ERROR, completeness.bad_priority),
    DrawingRule("bad-timer", ERROR, timing.bad_timer),
    DrawingRule("cycle-that-interrupts", WARNING, timing.cycle_that_interrupts),
    DrawingRule("bad-due-date", ERROR, timing.bad_due_date),
    DrawingRule("bad-mapping", ERROR, mappings.bad_mapping),
    DrawingRule("computed-source", ERROR, mappings.computed_source),
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
