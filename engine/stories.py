"""Stories (经过) of a process that is deployed: who writes what in it, the application included."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bpmn.definition import Element
from bpmn.simulation import telling
from bpmn.simulation.stories import Stories
from bpmn.simulation.writes import Writes
from engine import definitions, functions, matters, steps
from engine.definitions import Loaded

#: Whether a token comes by follow-on intake to a bundle that runs: no when a case begins, yes when it is asked for.
JOINING = "joining"


def of(session: Session, loaded: Loaded) -> Stories:
    """Read what is written where."""
    elements = loaded.definition.elements
    forms = {key: form for key, element in elements.items() if (form := definitions.form(session, loaded, element)) is not None}
    told = telling.values(loaded.definition, telling.asked(loaded.definition, loaded.decisions))
    is_matter = loaded.kind == "matter"
    return Stories(
        Writes(
            process=loaded.definition,
            forms=forms,
            telling=told,
            given={JOINING: False} if is_matter else {},
            brought={matters.FOLLOW_ON: {JOINING: True}} if is_matter else {},
            handed=functions.VARIABLES if loaded.kind != "process" else frozenset(),
            programs=frozenset(key for key, each in elements.items() if each.topic is not None and not steps.is_ours(each.topic.source)),
            tables={key: _tables(loaded, each) for key, each in elements.items() if each.decision_ref is not None},
        )
    )


def _tables(loaded: Loaded, element: Element) -> frozenset[str]:
    """Return what the table that an element asks reads, and those that it requires."""
    table = loaded.decisions.get(element.decision_ref.source) if element.decision_ref else None
    return table.reads if table is not None else frozenset()
