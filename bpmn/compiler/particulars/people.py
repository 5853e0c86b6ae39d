"""Who does a user task, until when, with which form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bpmn import forms
from bpmn.compiler.source import MODEL, Node, Source, camunda, documentation, extensions, label, text_of
from bpmn.definition import Binding
from bpmn.errors import DocumentError
from bpmn.expressions import Expression

#: A form of the deployment, the old way: `camunda-forms:deployment:intake.form`.
FORM_KEY = re.compile(r"camunda-forms:(?:deployment|app):(?P<file>.+)")
#: One part of a comma list; commas inside `${…}` do not part.
LIST_PART = re.compile(r"(?:[$#]\{[^}]*\}|[^,])+")
#: `user(li)` or `group(hall)` of a potential owner; what has neither is a group.
OWNER = re.compile(r"\s*(?P<kind>user|group)\((?P<who>.*)\)\s*", re.DOTALL)


def read(source: Source, node: Node) -> dict[str, Any]:
    """Read a user task."""
    users, groups = _owners(node)
    return {
        "candidate_groups": _each(source, node, [*_parts(camunda(node, "candidateGroups")), *groups], "candidate groups"),
        "candidate_users": _each(source, node, [*_parts(camunda(node, "candidateUsers")), *users], "candidate users"),
        "assignee": source.expression(node, camunda(node, "assignee") or next(_resources(node, "humanPerformer"), None), "the assignee"),
        "title": source.computed(node, node.get("name", ""), "the name"),
        "description": source.computed(node, documentation(node), "the documentation"),
        "due_date": source.expression(node, camunda(node, "dueDate"), "the due date"),
        "follow_up_date": source.expression(node, camunda(node, "followUpDate"), "the follow-up date"),
        "priority": source.expression(node, camunda(node, "priority"), "the priority"),
        **form(source, node),
    }


def form(source: Source, node: Node) -> dict[str, Any]:
    """Read the form of a user task or a start event."""
    key = FORM_KEY.fullmatch(camunda(node, "formKey") or "")
    ref = camunda(node, "formRef")
    newest = ref is not None and camunda(node, "formRefBinding") == Binding.LATEST
    return {
        "form_ref": ref or (key["file"] if key else None),
        "form_binding": Binding.LATEST if newest else Binding.DEPLOYMENT,
        "form_data": _form_data(source, node),
    }


def _form_data(source: Source, node: Node) -> forms.Form | None:
    for data in extensions(node, "formData"):
        try:
            return forms.parse_form_data(data, source.resource)
        except DocumentError as error:
            for finding in error.findings:
                source.report(finding.severity, finding.rule, node, f"{finding.message}, in the form of {label(node)}", at=data)
    return None


def _each(source: Source, node: Node, parts: list[str], what: str) -> tuple[Expression, ...]:
    read = (source.expression(node, part, what) for part in parts)
    return tuple(expression for expression in read if expression is not None)


def _parts(text: str | None) -> list[str]:
    return LIST_PART.findall(text or "")


def _owners(node: Node) -> tuple[list[str], list[str]]:
    """List the users and the groups that are potential owners, as Camunda reads them."""
    users: list[str] = []
    groups: list[str] = []
    for text in _resources(node, "potentialOwner"):
        for part in _parts(text):
            match = OWNER.fullmatch(part)
            (users if match and match["kind"] == "user" else groups).append(match["who"] if match else part)
    return users, groups


def _resources(node: Node, role: str) -> Iterator[str]:
    for performer in node.iterchildren(f"{MODEL}{role}"):
        for expression in performer.iterfind(f"{MODEL}resourceAssignmentExpression/{MODEL}formalExpression"):
            yield text_of(expression)
