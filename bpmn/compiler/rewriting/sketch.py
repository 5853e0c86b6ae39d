"""A sketch: a drawing that is being rewritten."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from bpmn.definition import Definition, Flow


class Sketch:
    """Elements and flows by their ids, in document order; what is rewritten takes the place of what was drawn."""

    def __init__(self, drawn: Definition) -> None:
        self._drawn = drawn
        self.elements, self.flows = dict(drawn.elements), dict(drawn.flows)

    def connect(self, source: str, target: str, *, wanted: str) -> str:
        """Draw a sequence flow; returns its id, which is the wanted one unless something has that."""
        key = self.fresh(wanted)
        self.flows[key] = Flow(id=key, name="", source=source, target=target)
        return key

    def fresh(self, wanted: str) -> str:
        """Return an id that nothing has yet."""
        while wanted in self.elements or wanted in self.flows:
            wanted += "_"
        return wanted

    def finished(self) -> Definition:
        """Return the definition as it is sketched now."""
        return replace(self._drawn, elements=MappingProxyType(self.elements), flows=MappingProxyType(self.flows))
