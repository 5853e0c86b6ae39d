"""The groups of a task and the department of an item are there."""

from __future__ import annotations

from collections.abc import Iterable

from bpmn.lint import spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules.nobody_assigned import FALSE_COMMAS

#: How the group of the officers of a department begins.
OF_DEPARTMENT = "department-"
_ABSENT = ": correct it, or make the department before the first case"


def check(bundle: Bundle) -> Problems:
    """The groups of a task, and the department of an item, are there: of any other group nobody is a member."""
    yield from _of_processes(bundle)
    yield from _of_tasks(bundle)


def _of_processes(bundle: Bundle) -> Problems:
    departments = bundle.known.departments
    for resource, process in bundle.processes if departments is not None else ():
        code = process.properties.get("onething.department", "")
        if code and code not in (departments or ()):
            message = (
                f"Expected the process {process.key} to name a department that there is, but onething.department is {code[:60]!r}"
                f"{_code_advice(bundle.known.names.get(code.strip(), code), departments or ())}"
            )
            yield Problem(resource=resource, process=process, message=message)


def _of_tasks(bundle: Bundle) -> Problems:
    words, departments = bundle.known.words, bundle.known.departments
    if not words.groups:
        return
    known = words.groups | {f"{OF_DEPARTMENT}{code}" for code in departments or ()}
    for resource, _process, element in bundle.elements():
        for person in (element.assignee, *element.candidate_users):
            if person is not None and person.dialect == "literal" and person.source.strip() in known:
                message = (
                    f"Expected {element.label} to name people as assignee and candidate users, but {person.source.strip()} is a group: "
                    "write it into the candidate groups"
                )
                yield Problem(resource=resource, element=element, message=message)
        for group in element.candidate_groups:
            name = group.source.strip()
            nobody_knows = departments is None and name.startswith(OF_DEPARTMENT)
            several = set(name) & set(FALSE_COMMAS)  # which nobody-assigned tells
            if group.dialect == "literal" and name not in known and not nobody_knows and not several:
                message = (
                    f"Expected {element.label} to name groups that there are, but of the group {name[:60]!r} nobody is a member"
                    f"{_advice(bundle.known.names.get(name, name), known)}"
                )
                yield Problem(resource=resource, element=element, message=message)


def _code_advice(code: str, departments: Iterable[str]) -> str:
    """Say which department is meant: by its code, which may stand there as its group."""
    bare = code.strip().removeprefix(OF_DEPARTMENT)
    return f": write {bare}" if bare in departments else spelling.advice(code, departments) or _ABSENT


def _advice(name: str, known: frozenset[str]) -> str:
    """Say what to write instead."""
    if len(words := name.split()) > 1 and known.issuperset(words):
        return f": write {', '.join(words)}, with commas between them"
    if f"{OF_DEPARTMENT}{name}" in known:
        return f": write {OF_DEPARTMENT}{name}"
    if name.startswith(OF_DEPARTMENT):
        return spelling.advice(name, (each for each in known if each.startswith(OF_DEPARTMENT)), prefix=OF_DEPARTMENT) or _ABSENT
    others = sorted(each for each in known if not each.startswith(OF_DEPARTMENT))
    return spelling.advice(name, known) or f": write {', '.join(others)}, or {OF_DEPARTMENT} with the code of a department"
