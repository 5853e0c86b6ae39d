"""A predecessor (前置) is an item of the same bundle."""

from __future__ import annotations

import re

from bpmn.lint import spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import facts


def check(bundle: Bundle) -> Problems:
    """A predecessor (前置) is an item of the same bundle, and says what kind of dependency it is."""
    for matter in bundle.matters:
        for call in matter.calls.values():
            for code, kind in call.predecessors:
                if kind not in facts.KINDS:
                    message = (
                        f"Expected a predecessor of {call.element.label} to be an item and a kind such as {_item(code)}:FS "
                        f"(the kind is one of {', '.join(sorted(facts.KINDS))}; several are parted by blanks), "
                        f"but it is {code}{f':{kind}' if kind else ''}"
                    )
                    yield Problem(resource=matter.resource, element=call.element, message=message)
                elif code not in matter.named:
                    message = (
                        f"Expected the predecessors of {call.element.label} to be items of this bundle, but {code} is none"
                        f"{spelling.advice(code, matter.calls)}"
                    )
                    yield Problem(resource=matter.resource, element=call.element, message=message)


def _item(code: str) -> str:
    """The item that is meant, where another colon, or a semicolon, follows it."""
    return re.split("[：;；]", code)[0]
