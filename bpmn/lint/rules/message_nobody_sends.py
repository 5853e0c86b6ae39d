"""What a case waits for comes."""

from __future__ import annotations

from bpmn.lint import spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.lint.rules import misspelled_message as messages


def check(bundle: Bundle) -> Problems:
    """A matter and an item wait for messages that the engine sends to a case: any other, of a program or of a diagram, never comes."""
    ours, unheard = bundle.known.words.messages, messages.unheard(bundle)
    for resource, process in bundle.processes if ours else ():
        if not messages.is_applied_for(process):
            continue
        left_over = unheard | messages.left_over(bundle, process)
        for element in process.elements.values():
            name = messages.awaited(element)
            # One that is called almost so is told by misspelled-message.
            if name is not None and name not in ours and not any(spelling.is_slip(name, each) for each in left_over):
                message = (
                    f"Expected {element.label} to wait for a message that comes, but it waits for {name[:60]!r}, which nobody can send to "
                    f"a case: call it by what the engine sends ({', '.join(sorted(ours))}), or draw a task that somebody completes"
                )
                yield Problem(resource=resource, element=element, message=message)
