"""What is ticked or not is written in one way."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.compiler.source import CAMUNDA, MODEL, Node, Source, bearer, extensions, label, line
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems

#: Attributes that say whether something is so.
_BOOLEANS = frozenset(
    {
        *(
            "isExecutable",
            "isForCompensation",
            "triggeredByEvent",
            "cancelActivity",
            "isInterrupting",
            "isSequential",
            "testBefore",
            "local",
        ),
        *(CAMUNDA + name for name in ("async", "asyncBefore", "asyncAfter", "isStartableInTasklist")),
    }
)
#: What XML knows.
_KNOWN = frozenset({"true", "false", "1", "0"})
#: What people write instead.
_MEANT = dict.fromkeys(("true", "yes", "on", "是"), "true") | dict.fromkeys(("false", "no", "off", "否"), "false")


def check(bundle: Bundle) -> Problems:
    """What is either so or not is written `true` or `false`: any other text would be taken for one of the two."""
    elements = {(resource, element.id): element for resource, _process, element in bundle.elements()}
    for source in bundle.sources:
        for node, part, name, value in _written(source):
            meant = _MEANT.get(value.strip().lower())
            message = (
                f"Expected {name} of {label(node)} to be true or false, but it is {value[:40]!r}, which is neither: "
                f"write {meant or 'true or false'}, in small letters and without blanks"
            )
            element = elements.get((source.resource, node.get("id", "")))
            yield Problem(resource=source.resource, element=element, line=line(part), message=message)


def _written(source: Source) -> Iterator[tuple[Node, Node, str, str]]:
    """Yield what is neither true nor false: the element that people see, the part that says it, the attribute and its value."""
    # A process that is not executable, since it says so in another way, is no part of what runs.
    for node in dict.fromkeys((*source.root.iterchildren(f"{MODEL}process"), *source.meant)):
        for part in (node, *extensions(node, "in"), *extensions(node, "out")):
            for name, value in part.attrib.items():
                if str(name) in _BOOLEANS and value not in _KNOWN:
                    yield bearer(node), part, str(name).replace(CAMUNDA, "camunda:"), str(value)
