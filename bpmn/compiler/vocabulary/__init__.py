"""Every word of BPMN and of its Camunda extensions that a diagram may use, and what becomes of it.

These tables are what the rules look things up in, and what `docs/reference/bpmn.md` is generated from.
"""

from bpmn.compiler.vocabulary.attributes import ATTRIBUTES, attribute
from bpmn.compiler.vocabulary.elements import ELEMENTS, element
from bpmn.compiler.vocabulary.events import EVENTS, event
from bpmn.compiler.vocabulary.extensions import EXTENSIONS, FOREIGN, extension
from bpmn.compiler.vocabulary.fate import Fate, Word

__all__ = ["ATTRIBUTES", "ELEMENTS", "EVENTS", "EXTENSIONS", "FOREIGN", "Fate", "Word", "attribute", "element", "event", "extension"]
