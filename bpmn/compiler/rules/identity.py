"""Rules about ids and what refers to them."""

from __future__ import annotations

import re

from bpmn.compiler.rules.rule import SourceProblems
from bpmn.compiler.source import MODEL, Node, Source, bearer, label, tag
from bpmn.compiler.vocabulary.elements import NODE_TAGS, REFUSED_NODES

#: What XML allows as an id.
NAME = re.compile(r"[^\W\d][\w.\-·]*")
ENDS = ("sourceRef", "targetRef")
ENDS_OF_FLOW: dict[str, str] = dict.fromkeys(ENDS, "")
#: References with what they must name; a reference to an error may be its code.
REFERENCES = {"messageRef": "message", "signalRef": "signal", "escalationRef": "escalation"}


def duplicate_id(source: Source) -> SourceProblems:
    """Two elements with one id: every reference to it would be a guess."""
    for node in source.root.iter(f"{MODEL}*"):
        key = node.get("id")
        if key and source.nodes[key] is not node:
            first = source.nodes[key]
            yield node, f"Expected the id {key} once, but both {label(first)} and {label(node)} have it: rename one of them"


def illegal_id(source: Source) -> SourceProblems:
    """An id is what XML calls a name; other programs refuse anything else."""
    for node in source.meant:
        key = node.get("id")
        if key is not None and not NAME.fullmatch(key):
            message = (
                f"Expected the id of {label(node)} to begin with a letter and to have letters, digits, _ - . only, but it is {key[:60]!r}"
            )
            yield node, message


def no_executable_process(source: Source) -> SourceProblems:
    """A file without a process that runs deploys nothing."""
    if not source.processes:
        message = "Expected a process that is executable, but there is none: tick “Executable” (可执行) in the properties of the process"
        yield source.root, message


def not_marked_executable(source: Source) -> SourceProblems:
    """Whether a process runs is better said."""
    for process in source.processes:
        if "isExecutable" not in process.attrib:
            message = f"Expected {label(process)} to say whether it is executable, but it does not: tick “Executable” (可执行)"
            yield process, message


def missing_key(source: Source) -> SourceProblems:
    """A process is started by its id."""
    for process in source.processes:
        if not process.get("id"):
            yield process, "Expected the process to have an id, but it has none: give it one, it is how the process is started"


def dangling_reference(source: Source) -> SourceProblems:
    """References to what is not in the file."""
    for node in source.meant:
        for attribute, wanted in (ENDS_OF_FLOW if tag(node) == "sequenceFlow" else REFERENCES).items():
            reference = node.get(attribute)
            end = source.referred(node, attribute)
            if reference is not None and (end is None or (wanted and tag(end) != wanted)):
                owner = label(bearer(node))
                message = (
                    f"Expected {attribute} of {owner} to name something in this file, but there is no such thing as {reference[:60]!r}"
                )
                yield node, message
        if tag(node) == "sequenceFlow":
            yield from _loose(source, node)


def crossing_flow(source: Source) -> SourceProblems:
    """A sequence flow stays within its process or subprocess."""
    for node in source.meant:
        ends = [source.referred(node, attribute) for attribute in ENDS] if tag(node) == "sequenceFlow" else []
        if len(ends) == len(ENDS) and all(end is not None and tag(end) in NODES for end in ends):
            before, after = (end.getparent() for end in ends if end is not None)
            if before is not after:
                message = (
                    f"Expected {label(node)} to stay within one process or subprocess, but it crosses a border: "
                    "end the subprocess and continue behind it, or send a message to the other process"
                )
                yield node, message


def _loose(source: Source, flow: Node) -> SourceProblems:
    for attribute in ENDS:
        end = source.referred(flow, attribute)
        if flow.get(attribute) is None:
            yield flow, f"Expected {label(flow)} to have a {attribute}, but it has none: connect both of its ends"
        elif end is not None and tag(end) not in NODES:
            yield flow, f"Expected {label(flow)} to connect events, activities and gateways, but its {attribute} is {label(end)}"


NODES = NODE_TAGS | REFUSED_NODES.keys()
