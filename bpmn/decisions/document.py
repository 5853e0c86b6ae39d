"""A DMN document: all its decisions, and everything that is wrong with it at once."""

from __future__ import annotations

from bpmn.decisions.decision import Decision
from bpmn.decisions.reading import Logic, Reader
from bpmn.decisions.source import NAMESPACES, Node, Source, line
from bpmn.errors import DocumentError

#: What a document may hold beside decisions; none of it changes what a decision comes to.
_SILENT = frozenset(
    {
        "inputData",
        "knowledgeSource",
        "itemDefinition",
        "textAnnotation",
        "association",
        "group",
        "description",
        "extensionElements",
        "DMNDI",
    }
)
_INSTEAD = {
    "businessKnowledgeModel": "write its logic into the decisions that use it",
    "decisionService": "call the decision itself",
    "import": "put the decisions into one file",
    "elementCollection": "remove it",
    "performanceIndicator": "remove it",
    "organizationUnit": "remove it",
}
#: Longest chain of required decisions.
_CHAIN = 50


def parse(element: Node, resource: str = "") -> dict[str, Decision]:
    """Read a DMN document (1.1, 1.2 or 1.3) that `bpmn.xml` has parsed; returns decisions by id.

    Raises DocumentError with a finding for everything that is unsupported or wrong.
    """
    source = Source(element, resource)
    if source.namespace not in NAMESPACES or source.tag(element) != "definitions":
        source.refuse(element, "not-dmn", f"Expected DMN definitions (version 1.1, 1.2 or 1.3), but the document begins with {element.tag}")
        raise DocumentError(source.findings)
    _judge_children(source, element)
    reader = Reader(source, element)
    read = {logic.id: logic for node in source.children(element, "decision") if (logic := reader.read(node)) is not None}
    present = {node.get("id", "") for node in source.children(element, "decision")}
    decisions = _Assembly(source, read, present).decisions()
    if source.findings:
        raise DocumentError(source.findings)
    return decisions


def _judge_children(source: Source, root: Node) -> None:
    for child in root:
        tag = source.tag(child)
        if tag in _INSTEAD:
            source.refuse(child, "unsupported-element", f"Expected decisions, but {tag} is not supported: {_INSTEAD[tag]}")
        elif tag and tag != "decision" and tag not in _SILENT:
            source.refuse(child, "unsupported-element", f"Expected decisions, but {tag} is not supported: draw a decision instead")


class _Assembly:
    """Joins decisions with those that they require."""

    def __init__(self, source: Source, read: dict[str, Logic], present: set[str]) -> None:
        self._source = source
        self._read = read
        #: All ids in the file: a decision that could not be read has its own findings.
        self._present = present
        self._made: dict[str, Decision] = {}

    def decisions(self) -> dict[str, Decision]:
        for key in self._read:
            self._make(key, ())
        return self._made

    def _make(self, key: str, chain: tuple[str, ...]) -> Decision | None:
        logic = self._read[key]
        if key in chain:
            circle = " → ".join([*chain[chain.index(key) :], key])
            self._source.refuse(logic.node, "decision-cycle", f"Expected decisions that do not require themselves, but {circle}")
            return None
        if len(chain) > _CHAIN:
            self._source.refuse(
                logic.node, "decision-chain", f"Expected at most {_CHAIN} decisions to build on one another, but there are more"
            )
            return None
        if key not in self._made:
            required = [self._make(each, (*chain, key)) for each in logic.requires if self._is_there(logic, each)]
            self._made[key] = Decision(
                id=key,
                name=logic.name,
                logic=logic.body,
                names=logic.names,
                requires=tuple(decision for decision in required if decision is not None),
                reads=logic.reads,
                calls=logic.calls,
                line=line(logic.node),
            )
        return self._made[key]

    def _is_there(self, logic: Logic, required: str) -> bool:
        if required not in self._present:
            self._source.refuse(
                logic.node, "missing-decision", f"Expected the required decision {required!r} in the file, but it is not there"
            )
        return required in self._read
