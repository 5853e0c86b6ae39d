"""Diagrams as the compiler reads and rewrites them, whatever its rules say about them; and as it compiles them."""

from __future__ import annotations

from bpmn import compiler
from bpmn.compiler import reading, rewriting
from bpmn.compiler.source import Source
from bpmn.definition import Definition, Element
from tests.bpmn.diagrams import diagram, end, flows, start


def drawn(*content: str, **more) -> Definition:
    """The one process of a diagram, as drawn; nothing in it is wrong."""
    source = Source(diagram(*content, **more), "p.bpmn")
    (process,) = source.processes
    definition = reading.read(source, process)
    assert source.findings == []
    return definition


def rewritten(*content: str, **more) -> Definition:
    """The same in the shapes that the executor runs."""
    return rewriting.rewrite(drawn(*content, **more))


def compiled(*content: str, **more) -> Definition:
    """The one process of a diagram, as it is deployed; raises DocumentError when anything is wrong with it."""
    (definition,) = compiler.compile(diagram(*content, **more), "p.bpmn")
    return definition


def between(*content: str) -> Definition:
    """A diagram `s -> x -> e` around the element x, compiled."""
    return compiled(start("s"), *content, end("e"), flows("s -> x -> e"))


def only(content: str) -> Element:
    """The element x of a diagram `s -> x -> e`."""
    return drawn(start("s"), content, end("e"), flows("s -> x -> e")).elements["x"]


def consistent(definition: Definition) -> bool:
    """Elements know their flows, flows their elements, and everything that is around something is there before it."""
    order = list(definition.elements)
    return all(
        element.outgoing == tuple(f.id for f in definition.flows.values() if f.source == element.id)
        and sorted(element.incoming) == sorted(f.id for f in definition.flows.values() if f.target == element.id)
        and (element.parent is None or order.index(element.parent) < order.index(element.id))
        for element in definition.elements.values()
    )
