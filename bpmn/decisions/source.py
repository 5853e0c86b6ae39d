"""The tree of a DMN document, and what is found wrong in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from bpmn.errors import Finding

Node = etree._Element  # noqa: SLF001 - the public name of the class is that of a factory
#: DMN 1.3, as Camunda Modeler saves it, 1.2 and 1.1.
NAMESPACES = (
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
)
CAMUNDA = "{http://camunda.org/schema/1.0/dmn}"


class Source:
    """A document and its findings."""

    def __init__(self, root: Node, resource: str) -> None:
        self.namespace = etree.QName(root).namespace or ""
        self.language = root.get("expressionLanguage")
        self.resource = resource
        self.findings: list[Finding] = []

    def tag(self, node: Node) -> str:
        """Name of an element of DMN; empty for elements of other languages and for comments."""
        if not isinstance(node.tag, str):
            return ""
        name = etree.QName(node)
        return name.localname if name.namespace == self.namespace or name.localname == "DMNDI" else ""

    def children(self, node: Node, tag: str) -> Iterator[Node]:
        """Children with a tag, in order."""
        return (child for child in node if self.tag(child) == tag)

    def child(self, node: Node, tag: str) -> Node | None:
        """First child with a tag."""
        return next(self.children(node, tag), None)

    def text(self, node: Node | None) -> str:
        """What the `text` child of an element says, without the space around it."""
        found = None if node is None else self.child(node, "text")
        return "" if found is None else "".join(map(str, found.itertext())).strip()

    def refuse(self, node: Node, rule: str, message: str, *, name: str = "") -> None:
        """Note an error at an element; `name`: what people call it, where that is not its own name or label."""
        self.findings.append(
            Finding(
                severity="error",
                rule=rule,
                message=message,
                element=node.get("id", ""),
                element_name=name or node.get("name", "") or node.get("label", ""),
                line=line(node),
                resource=self.resource,
            )
        )


def line(node: Node) -> int:
    """Line of an element in the file."""
    found: Any = node.sourceline
    return int(found or 0)
