"""A DMN document: all its decisions, and everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Collection

from bpmn.decisions.boxed import KnowledgeModel
from bpmn.decisions.decision import Decision
from bpmn.decisions.reading import Knowledge, Logic, Reader
from bpmn.decisions.source import NAMESPACES, Node, Source, line
from bpmn.errors import DocumentError

#: What a document may hold beside decisions: what these require, and what only explains.
_BESIDE = frozenset(
    {
        "inputData",
        "businessKnowledgeModel",
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
    decisions = _Assembly(source, element).decisions()
    if source.findings:
        raise DocumentError(source.findings)
    return decisions


def _judge_children(source: Source, root: Node) -> None:
    for child in root:
        tag = source.tag(child)
        if tag in _INSTEAD:
            source.refuse(child, "unsupported-element", f"Expected decisions, but {tag} is not supported: {_INSTEAD[tag]}")
        elif tag and tag != "decision" and tag not in _BESIDE:
            source.refuse(child, "unsupported-element", f"Expected decisions, but {tag} is not supported: draw a decision instead")


class _Assembly:
    """Joins decisions with what they require."""

    def __init__(self, source: Source, root: Node) -> None:
        self._source = source
        reader = Reader(source, root)
        self._read = {logic.id: logic for node in source.children(root, "decision") if (logic := reader.read(node))}
        models = source.children(root, "businessKnowledgeModel")
        self._models = {model.id: model for node in models if (model := reader.read_knowledge(node))}
        self._data = {node.get("id", ""): reader.read_data(node) for node in source.children(root, "inputData")}
        #: All ids in the file: what could not be read has its own findings.
        self._present = {node.get("id", "") for node in root}
        self._made: dict[str, Decision] = {}
        self._known: dict[str, KnowledgeModel] = {}

    def decisions(self) -> dict[str, Decision]:
        for key in self._models:
            self._model(key, ())
        for key in self._read:
            self._decision(key, ())
        return self._made

    def _decision(self, key: str, chain: tuple[str, ...]) -> Decision | None:
        logic = self._read[key]
        if not self._goes_on(logic, chain):
            return None
        if key not in self._made:
            below = (*chain, key)
            required = [self._decision(each, below) for each in self._there(logic, logic.requires, self._read)]
            knowledge = [self._model(each, ()) for each in self._there(logic, logic.knowledge, self._models)]
            data = [self._data[each] for each in self._there(logic, logic.data, self._data)]
            functions = {model.name for model in knowledge if model}
            self._made[key] = Decision(
                id=key,
                name=logic.name,
                logic=logic.body,
                names=logic.names,
                requires=tuple(decision for decision in required if decision),
                knowledge=tuple(model for model in knowledge if model),
                inputs=tuple(each for each in data if each),
                kind=logic.kind,
                reads=logic.reads - functions,
                calls=logic.calls.union(*(self._calls_of(each) for each in logic.knowledge)),
                invocations=logic.invocations,
                line=line(logic.node),
            )
        return self._made[key]

    def _model(self, key: str, chain: tuple[str, ...]) -> KnowledgeModel | None:
        read = self._models[key]
        if not self._goes_on(read, chain):
            return None
        if key not in self._known:
            required = [self._model(each, (*chain, key)) for each in self._there(read, read.requires, self._models) if each != key]
            found = tuple(model for model in required if model)
            self._judge_names(read, {read.name, *(model.name for model in found)})
            self._known[key] = KnowledgeModel(name=read.name, parameters=read.parameters, body=read.body, requires=found)
        return self._known[key]

    def _calls_of(self, key: str) -> frozenset[str]:
        """Functions that a knowledge model, and what it requires, must be supplied with."""
        if key not in self._models:
            return frozenset()
        read = self._models[key]
        return read.calls.union(*(self._calls_of(each) for each in read.requires if each != key))

    def _judge_names(self, read: Knowledge, functions: set[str]) -> None:
        """A function sees its parameters and the functions that it requires; anything else would be null for ever."""
        for name in sorted(read.reads - functions):
            message = f"Expected {read.name} to read its parameters only, but it reads {name}: make it a parameter, or require it"
            self._source.refuse(read.node, "unknown-name", message)

    def _goes_on(self, read: Logic | Knowledge, chain: tuple[str, ...]) -> bool:
        """Refuse circles, and chains that are too long."""
        if read.id in chain:
            circle = " → ".join([*chain[chain.index(read.id) :], read.id])
            self._source.refuse(read.node, "decision-cycle", f"Expected decisions that do not require themselves, but {circle}")
        elif len(chain) > _CHAIN:
            message = f"Expected at most {_CHAIN} decisions to build on one another, but there are more"
            self._source.refuse(read.node, "decision-chain", message)
        return read.id not in chain and len(chain) <= _CHAIN

    def _there(self, read: Logic | Knowledge, required: tuple[str, ...], found: Collection[str]) -> list[str]:
        """Return those of the required ids that could be read, and refuse those that are not in the file."""
        for key in required:
            if key not in self._present:
                message = f"Expected what {read.name} requires in the file, but {key!r} is not there"
                self._source.refuse(read.node, "missing-decision", message)
        return [key for key in required if key in found]
