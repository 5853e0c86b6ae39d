"""The tree of what lasts in a process instance: activations, and tokens that a job carries on (transition instances)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response

from api import auth
from api.camunda import activity_types, answers, asked
from api.camunda.shown import activity_id, definition_id
from api.transactions import reading
from engine import definitions, history, incidents, processes, versions
from engine.database import Session
from engine.models import Incident, Instance
from engine.places import Place

bp = Blueprint("activity-tree", __name__)


@bp.get("/process-instance/<found>/activity-instances")
def show(found: str) -> Response:
    """Show what lasts in a process instance, each in what it is in."""
    with reading() as session:
        row = processes.running(session, asked.uuid(found, "Process instance"), auth.actor())
        of = versions.get(session, row.definition_id)
        root = {"id": str(row.id), "parentActivityInstanceId": None, "activityId": definition_id(of), "activityType": "processDefinition"}
        tree = _read(session, row, definition_id(of))
        return answers.json(root | tree.common(of.name, None) | {"executionIds": [str(row.id)]} | tree.inside(None, str(row.id)))


def _read(session: Session, row: Instance, definition: str) -> _Tree:
    children, waiting, failed = (defaultdict[int | None, list[Any]](list) for _ in range(3))
    for one in history.living(session, row.id, actor=auth.actor()):
        children[one.activity.scope].append(one.activity)
    for token in history.carried_on(session, row):
        waiting[token.scope].append(token)
    for found in incidents.of_instance(session, row.id, actor=auth.actor()):
        failed[found.holder].append(found.Incident)
    elements = definitions.get(session, row.definition_id).definition.elements
    return _Tree(row=row, definition=definition, elements=elements, children=children, waiting=waiting, failed=failed)


@dataclass(frozen=True, kw_only=True)
class _Tree:
    """What there is in a process instance, each by the number of the activation around it (None: the process itself).

    `children`: activations that last.  `waiting`: tokens that wait for a job.  `failed`: incidents, by the number of what they stand on.
    """

    row: Instance
    definition: str
    elements: Mapping[str, Any]
    children: Mapping[int | None, Sequence[Any]]
    waiting: Mapping[int | None, Sequence[Any]]
    failed: Mapping[int | None, Sequence[Incident]]

    def inside(self, scope: int | None, parent: str) -> dict[str, Any]:
        """Show what is in something."""
        return {
            "childActivityInstances": [self._activity(one, parent) for one in self.children[scope]],
            "childTransitionInstances": [self._transition(one, parent) for one in self.waiting[scope]],
        }

    def common(self, name: str, number: int | None) -> dict[str, Any]:
        """Show what both kinds have, and the process itself."""
        there = self.failed[number]
        return {
            "activityName": name or None,
            "name": name or None,
            "processInstanceId": str(self.row.id),
            "processDefinitionId": self.definition,
            "incidentIds": [str(incident.id) for incident in there],
            "incidents": [{"id": str(incident.id), "activityId": incident.element} for incident in there],
        }

    def _activity(self, activity: Any, parent: str) -> dict[str, Any]:
        key = activity_id(activity.element, self.row.id, activity.number)
        node = self._node(activity.element, activity.number, parent) | {"executionIds": [str(Place(self.row.id, activity.number))]}
        return node | self.inside(activity.number, key)

    def _transition(self, token: Any, parent: str) -> dict[str, Any]:
        node = self._node(token.element, token.id, parent)
        return node | {"executionId": str(Place(self.row.id, token.id)), "targetActivityId": token.element}

    def _node(self, element: str, number: int, parent: str) -> dict[str, Any]:
        drawn = self.elements[element]
        return {
            "id": activity_id(element, self.row.id, number),
            "parentActivityInstanceId": parent,
            "activityId": element,
            "activityType": activity_types.of(drawn),
            **self.common(drawn.name, number),
        }
