"""A diagram as it was drawn: its tree with every id in place, and what has been found wrong with it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from lxml import etree

from bpmn import expressions, xml
from bpmn.compiler import vocabulary
from bpmn.compiler.vocabulary import Fate
from bpmn.compiler.vocabulary.elements import NODE_TAGS, REFUSED_NODES
from bpmn.errors import DocumentError, ExpressionError, Finding, one_line
from bpmn.expressions import Expression

MODEL = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"
#: Operaton's namespace is an alias of Camunda's: it is rewritten when the diagram is read.
OPERATON = "{http://operaton.org/schema/1.0/bpmn}"

Node = etree._Element  # noqa: SLF001 - lxml has no public name for it
#: What XML calls true.
TRUE = frozenset({"true", "1"})
#: What needs an id.
IDENTIFIED = NODE_TAGS | REFUSED_NODES.keys() | {"sequenceFlow"}
#: What elements stand in.
OPEN = frozenset({"process", "subProcess", "transaction"})
CONTAINERS = OPEN | {"definitions", "adHocSubProcess", "collaboration", "laneSet", "childLaneSet"}


class Source:
    """One BPMN file."""

    def __init__(self, content: bytes, resource: str, functions: frozenset[str] | None = None) -> None:
        self.resource = resource
        #: Functions that expressions may call; None: not checked.
        self.functions = functions
        self.root = xml.parse(content, resource)
        if self.root.tag != f"{MODEL}definitions":
            message = f"Expected {resource} to be a BPMN diagram (bpmn:definitions), but its root is {self.root.tag}"
            raise DocumentError([Finding(severity="error", rule="not-bpmn", message=message, line=line(self.root), resource=resource)])
        self.findings: list[Finding] = []
        _unify(self.root)
        self.nodes = _identify(self.root)
        self.processes = _executable(self.root)
        #: Where associations lead to, by where they come from: from a compensation boundary event, to its handler.
        self.associations: dict[str, list[str]] = defaultdict(list)
        for node in self.root.iter(f"{MODEL}association"):
            self.associations[local_reference(node.get("sourceRef", ""))].append(local_reference(node.get("targetRef", "")))
        #: What says something about a run: the executable processes, without drawing, and without the insides of what is refused.
        self.meant = [node for process in self.processes for node in _meant(process)]

    def report(self, severity: str, rule: str, node: Node, message: str, *, at: Node | None = None) -> None:
        """Keep one finding about an element; `at` is the part of it that is wrong."""
        self.findings.append(
            Finding(
                severity=severity,
                rule=rule,
                message=message,
                element=node.get("id", ""),
                element_name=one_line(node.get("name", "")),
                line=line(node if at is None else at),
                resource=self.resource,
            )
        )

    def expression(self, node: Node, text: str | None, what: str, *, also: frozenset[str] = frozenset()) -> Expression | None:
        """Parse an attribute or a text of an element; None when there is none, or when it is wrong (and reported).

        `also` are functions that it may call there.
        """
        if text is None or not text.strip():
            return None
        try:
            expression = expressions.parse(text.strip())
        except ExpressionError as error:
            self.report("error", "expression", node, f"Expected {what} of {label(node)} to be an expression, but: {error}")
            return None
        if self.functions is not None and (unknown := sorted(expression.calls - self.functions - also)):
            called, known = ", ".join(unknown)[:80], ", ".join(sorted(self.functions)) or "none"
            message = f"Expected {what} of {label(node)} to call known functions ({known}), but it calls {called}"
            self.report("error", "unknown-function", node, message)
        return expression

    def script(self, node: Node, text: str, language: str | None) -> Expression | None:
        """Parse a script in `juel` or `feel`; what is FEEL stands there without `=`."""
        feel = (language or "").strip().lower() == "feel" and bool(text) and not text.startswith("=")
        return self.expression(node, f"={text}" if feel else text, "the script")

    def computed(self, node: Node, text: str, what: str) -> Expression | None:
        """Parse a text that may hold expressions; None where it holds none."""
        return self.expression(node, text, what) if "${" in text or "#{" in text else None

    def retries(self, node: Node, part: Node) -> Expression | None:
        """Read how often the job of an element is tried again, as it stands on a part of it."""
        written = next(extensions(part, "failedJobRetryTimeCycle"), None)
        return None if written is None else self.expression(node, text_of(written), "the retries")

    def referred(self, node: Node, attribute: str) -> Node | None:
        """Find the node that a reference means (`messageRef="tns:order"` too)."""
        return self.nodes.get(local_reference(node.get(attribute, "")))


def tag(node: Node) -> str:
    """Return the name of a BPMN element (`userTask`), or "" for what is not BPMN."""
    name = str(node.tag)
    return name[len(MODEL) :] if name.startswith(MODEL) else ""


def line(node: Node) -> int:
    """Return the line in the file."""
    number: int | None = getattr(node, "sourceline", None)  # the stubs do not know its type
    return number or 0


def label(node: Node) -> str:
    """Say what messages call an element: `user task “受理” (review)`."""
    kind = spoken(tag(node) or etree.QName(node).localname)
    name = f" “{one_line(node.get('name', ''))}”" if node.get("name") else ""
    return f"{kind}{name} ({node.get('id')})" if node.get("id") else f"{kind}{name}"


def spoken(name: str) -> str:
    """Write a tag as people say it: `user task`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower().replace("sub process", "subprocess")


def bearer(node: Node) -> Node:
    """Return the element that people see: the node itself, or what it is a part of."""
    while (parent := node.getparent()) is not None and tag(parent) not in CONTAINERS:
        node = parent
    return node


def camunda(node: Node, attribute: str) -> str | None:
    """Return a `camunda:` attribute."""
    return node.get(CAMUNDA + attribute)


def extensions(node: Node, name: str) -> Iterator[Node]:
    """Yield the `camunda:` elements of that name in the node's extensionElements."""
    for extension in node.iterchildren(f"{MODEL}extensionElements"):
        yield from extension.iterchildren(CAMUNDA + name)


def text_of(node: Node) -> str:
    """Return the text of a node, without the blanks around it."""
    return "".join(map(str, node.itertext())).strip()


def documentation(node: Node) -> str:
    """Return what is said about an element."""
    return "\n".join(text_of(part) for part in node.iterchildren(f"{MODEL}documentation"))


def local_reference(reference: str) -> str:
    """Strip a reference of its namespace prefix."""
    return reference.rpartition(":")[2]


def _unify(root: Node) -> None:
    """Rewrite `operaton:` to `camunda:`, so that nobody else has to think of it."""
    for node in root.iter():
        if str(node.tag).startswith(OPERATON):
            node.tag = CAMUNDA + str(node.tag)[len(OPERATON) :]
        for key in [key for key in map(str, node.attrib) if key.startswith(OPERATON)]:
            node.set(CAMUNDA + key[len(OPERATON) :], node.attrib.pop(key))


def _identify(root: Node) -> dict[str, Node]:
    """Find the first node of every id.  BPMN lets elements go without an id; those that run get one, in document order."""
    nodes: dict[str, Node] = {}
    nameless = []
    for node in root.iter(f"{MODEL}*"):
        if "id" in node.attrib:
            nodes.setdefault(node.get("id", ""), node)
        elif tag(node) in IDENTIFIED:
            nameless.append(node)
    numbers: dict[str, int] = defaultdict(int)
    for node in nameless:
        numbers[tag(node)] += 1
        key = f"{tag(node)}_{numbers[tag(node)]}"
        while key in nodes:
            key += "_"
        node.set("id", key)
        nodes[key] = node
    return nodes


def is_open(scope: Node) -> bool:
    """Tell whether what stands in an element is part of the run; ad-hoc subprocesses are refused as a whole."""
    return tag(scope) in OPEN


def _meant(node: Node) -> Iterator[Node]:
    yield node
    if tag(node).endswith("EventDefinition") or vocabulary.element(tag(node)).fate in (Fate.RUNS, Fate.REWRITTEN):
        for child in node.iterchildren(f"{MODEL}*") if tag(node) not in CONTAINERS or is_open(node) else ():
            if tag(child) != "extensionElements" and vocabulary.element(tag(child)).fate is not Fate.IGNORED:
                yield from _meant(child)


def _executable(root: Node) -> list[Node]:
    """List the processes that run.  Where none says that it is executable, those that do not say are taken to be."""
    processes = list(root.iterchildren(f"{MODEL}process"))
    marked = [process for process in processes if process.get("isExecutable") in TRUE]
    return marked or [process for process in processes if "isExecutable" not in process.attrib]
