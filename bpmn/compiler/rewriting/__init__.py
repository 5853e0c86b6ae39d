"""What a drawing leaves unsaid is said: the executor meets fewer shapes.

links    link events become milestones, joined by a sequence flow
bodies   an activity that runs several times gets a body around it, which has its flows and its boundary events
forks    forks out of activities become gateways, loose ends become end events

What is inserted has `drawn=False`; it has no shape in the diagram.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from bpmn.compiler.rewriting import bodies, forks, links
from bpmn.definition import Definition


def rewrite(drawn: Definition) -> Definition:
    """Return the same process in the shapes that the executor runs."""
    elements, flows = dict(drawn.elements), dict(drawn.flows)
    links.join(elements, flows)
    elements = bodies.wrap(elements, flows)
    forks.draw(elements, flows)
    return replace(drawn, elements=MappingProxyType(elements), flows=MappingProxyType(flows))
