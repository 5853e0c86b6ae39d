"""A property that the engine reads has the name that it is read by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bpmn.lint import spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: What the names of properties begin with that the engine reads.
OURS = "onething."


def check(bundle: Bundle) -> Problems:
    """A property that the engine reads has a name that it knows, and stands where it is read: any other says nothing."""
    words = bundle.known.words
    if not words.of_elements:
        return
    both = {"a process": words.of_processes, "an element": words.of_elements}
    for resource, process in bundle.processes:
        for message in _wrong(f"the process {process.key}", process.properties, "a process", both):
            yield Problem(resource=resource, process=process, message=message)
    for resource, _process, element in bundle.elements():
        for message in _wrong(element.label, element.properties, "an element", both):
            yield Problem(resource=resource, element=element, message=message)


def _wrong(place: str, properties: Mapping[str, str], here: str, both: Mapping[str, frozenset[str]]) -> Iterator[str]:
    known = frozenset[str]().union(*both.values())
    for name in properties:
        if name in both[here]:
            continue
        if name in known:
            elsewhere = next(owner for owner, names in both.items() if name in names)
            yield f"Expected {name} on {elsewhere}, but it stands on {place}, where it says nothing: move it there, or remove it"
        elif name.startswith(OURS):
            meant = spelling.advice(name, known, prefix=OURS) or ": remove it, or use an element template"
            yield f"Expected the properties of {place} that begin with {OURS} to be known, but {name[:60]} is not{meant}"
        elif (slip := next((each for each in sorted(known) if spelling.is_slip(name, each)), None)) is not None:
            yield f"Expected the property of {place} to be called {slip}, but it is called {name[:60]!r}, which nobody reads: rename it"
