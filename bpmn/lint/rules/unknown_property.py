"""A property that the engine reads has the name that it is read by."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from bpmn.compiler.source import CAMUNDA, MODEL, extensions, label, line
from bpmn.definition import Definition, Element
from bpmn.lint import shapes, spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: What the names of properties begin with that the engine reads.
OURS = "onething."
KIND = OURS + "kind"


def check(bundle: Bundle) -> Problems:
    """A property that the engine reads has a name that it knows, and stands where it is read: any other says nothing."""
    words = bundle.known.words
    if not words.of_elements:
        return
    both = {"a process": words.of_processes, "an element": words.of_elements}
    for resource, process in bundle.processes:
        place = f"the process {process.key}"
        told = not process.properties.get(KIND) and any(name in words.of_processes for name in process.properties)
        bare = words.of_processes if _is_ours(process) or _says_kind(process, words.processes) else frozenset[str]()
        for message in _wrong(place, _but(process.properties, KIND if told else ""), "a process", both, bare):
            yield Problem(resource=resource, process=process, message=message)
    for resource, process, element in bundle.elements():
        told = shapes.lacks_kind(element, words)
        ours = _is_ours(element) or _says_kind(element, words.elements) or (element.called is not None and _is_matter(process))
        bare = words.of_elements if ours else frozenset[str]()
        for message in _wrong(element.label, _but(element.properties, KIND if told else ""), "an element", both, bare):
            yield Problem(resource=resource, element=element, message=message)
    yield from _on_pools(bundle)


def _on_pools(bundle: Bundle) -> Problems:
    """Yield what stands on a pool and is read of its process: Modeler shows both in one panel."""
    for source in bundle.sources:
        for pool in source.root.iter(f"{MODEL}participant"):
            rows = [row for part in extensions(pool, "properties") for row in part.iterchildren(f"{CAMUNDA}property")]
            ours = next((row for row in rows if row.get("name", "").startswith(OURS)), None)
            if ours is not None:
                message = (
                    f"Expected {ours.get('name', '')[:60]} on the process, but it stands on {label(pool)}, where it says nothing: "
                    "write it under “Process: Extension properties”"
                )
                yield Problem(resource=source.resource, line=line(ours), message=message)


def meant(name: str, known: Iterable[str], bare: Iterable[str] = ()) -> str | None:
    """Return the property that a name means which is none: one slip away, in wide letters, or (of those in `bare`) without its prefix."""
    plain = unicodedata.normalize("NFKC", name).strip()
    for each in sorted(known):
        if plain == each or spelling.is_slip(plain, each):
            return each
    return next((each for each in sorted(bare) if spelling.is_same(plain, each.removeprefix(OURS))), None)


def _wrong(place: str, properties: Iterable[str], here: str, both: Mapping[str, frozenset[str]], bare: frozenset[str]) -> Iterator[str]:
    known = frozenset[str]().union(*both.values())
    names = list(properties)
    for name in names:
        if name in both[here]:
            continue
        if name in known:
            elsewhere = next(owner for owner, names in both.items() if name in names)
            yield f"Expected {name} on {elsewhere}, but it stands on {place}, where it says nothing: move it there, or remove it"
        elif name.startswith(OURS):
            advice = spelling.advice(name, known, prefix=OURS) or ": remove it, or use an element template"
            yield f"Expected the properties of {place} that begin with {OURS} to be known, but {name[:60]} is not{advice}"
        elif slip := meant(name, known, bare.difference(names)):
            yield f"Expected the property of {place} to be called {slip}, but it is called {name[:60]!r}, which nobody reads: rename it"


def _but(properties: Mapping[str, str], told: str) -> list[str]:
    """Return the names of properties, but not those that mean what is told to be missing."""
    return [name for name in properties if not told or meant(name, [told], [told]) is None]


def _is_ours(drawn: Definition | Element) -> bool:
    """Tell whether anything that the engine reads stands there, so that a name without its prefix is hardly somebody else's."""
    template = drawn.template if isinstance(drawn, Element) else None
    return (template or "").startswith(OURS) or any(name.startswith(OURS) for name in drawn.properties)


def _says_kind(drawn: Definition | Element, words: Mapping[str, frozenset[str]]) -> bool:
    """Tell whether it says what it is under a name without the prefix, in a word of the engine's."""
    return drawn.properties.get("kind") in words.get(KIND, ()) and KIND not in drawn.properties


def _is_matter(process: Definition) -> bool:
    return process.properties.get(KIND) == "matter"
