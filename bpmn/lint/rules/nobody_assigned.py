"""A task is somebody's."""

from __future__ import annotations

from bpmn.definition import ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: What Chinese keyboards give instead of the comma that parts groups.
FALSE_COMMAS = "，、；;"


def check(bundle: Bundle) -> Problems:
    """A user task names a group or a person: nobody would find it in a worklist."""
    for resource, _process, element in bundle.elements():
        if element.type is not ElementType.USER_TASK:
            continue
        if not element.candidate_groups and element.assignee is None:
            message = f"Expected {element.label} to name who does it, but it has neither candidate groups nor an assignee: fill one in"
            yield Problem(resource=resource, element=element, message=message)
        for group in (*element.candidate_groups, *element.candidate_users):
            if group.dialect == "literal" and (found := set(group.source) & set(FALSE_COMMAS)):
                message = (
                    f"Expected commas (,) between the groups and users of {element.label}, but {group.source!r} has "
                    f"{''.join(sorted(found))}: nobody has that name, or is in a group that has it"
                )
                yield Problem(resource=resource, element=element, message=message)
