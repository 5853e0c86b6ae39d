"""An item is decided by its own department."""

from __future__ import annotations

from collections.abc import Mapping

from bpmn.compiler.source import MODEL, Source, text_of
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules.unknown_group import OF_DEPARTMENT


def check(bundle: Bundle) -> Problems:
    """The decision of an item is a task of the department that it names, and what is in its lane: others would do what is not theirs."""
    for resource, process, element in bundle.elements():
        department = process.properties.get("onething.department", "")
        groups = [group.source.strip() for group in element.candidate_groups if group.dialect == "literal"]
        others = [group for group in groups if group.startswith(OF_DEPARTMENT) and group != OF_DEPARTMENT + department]
        decides = element.properties.get("onething.kind") == "decision" and process.properties.get("onething.kind") == "item"
        is_there = bundle.known.departments is None or department in bundle.known.departments  # else it is what must be corrected
        if department and is_there and decides and others == groups and len(groups) == len(element.candidate_groups) and groups:
            message = (
                f"Expected {element.label} to be decided by the item's department ({department}), but it is given to {', '.join(others)}: "
                f"write {OF_DEPARTMENT}{department}, or correct onething.department"
            )
            yield Problem(resource=resource, element=element, message=message)
    yield from _in_lanes(bundle)


def _in_lanes(bundle: Bundle) -> Problems:
    """Yield tasks that stand in the lane of one department and are given to others: lanes are drawing, and groups say who does a task."""
    codes = {name: code for code in bundle.known.departments or () for name in (code, OF_DEPARTMENT + code)} | {**bundle.known.names}
    lanes = {source.resource: _lanes(source, codes) for source in bundle.sources}
    for resource, _process, element in bundle.elements():
        lane, groups = lanes.get(resource, {}).get(element.id), [group.source.strip() for group in element.candidate_groups]
        if lane is None or not groups:
            continue
        if OF_DEPARTMENT + codes[lane] not in groups and all(group.startswith(OF_DEPARTMENT) and "{" not in group for group in groups):
            message = (
                f"Expected {element.label}, which stands in the lane “{lane}”, to be given to {OF_DEPARTMENT}{codes[lane]}, but it is "
                f"given to {', '.join(groups)}: correct the groups, or draw it in another lane"
            )
            yield Problem(resource=resource, element=element, message=message)


def _lanes(source: Source, codes: Mapping[str, str]) -> dict[str | None, str]:
    """Find the lane of a department in which each element of a drawing stands: id of the element → name of the lane."""
    lanes = [(lane.get("name", "").strip(), lane) for lane in source.root.iter(f"{MODEL}lane")]
    return {text_of(part): name for name, lane in lanes if name in codes for part in lane.iterchildren(f"{MODEL}flowNodeRef")}
