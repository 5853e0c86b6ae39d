"""What a drawing implies is made explicit, so that the executor meets fewer shapes.

links    link events become milestones, joined by a sequence flow
bodies   an activity that runs several times gets a body around it, which has its flows and its boundary events
forks    forks out of activities become gateways, loose ends become end events

What is inserted has `drawn=False`; it has no shape in the diagram.
"""

from __future__ import annotations

from bpmn.compiler.rewriting import bodies, forks, links
from bpmn.compiler.rewriting.sketch import Sketch
from bpmn.definition import Definition


def rewrite(drawn: Definition) -> Definition:
    """Return the same process in the shapes that the executor runs."""
    sketch = Sketch(drawn)
    links.join(sketch)
    bodies.wrap(sketch)
    forks.draw(sketch)
    return sketch.finished()
