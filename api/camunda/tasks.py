"""Tasks of people, as Tasklist-like programs read and complete them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, forms, lists, tenants, values
from api.camunda.shown import TASK_STATES, definition_id
from api.transactions import database, reading
from engine import arranging, identity_links, instances, task_lists, tasks
from engine.arranging import Facts
from engine.database import Session
from engine.errors import InvalidInput
from engine.filters import Listing, any_of
from engine.identity_links import Link, LinkType
from engine.places import Place
from engine.task_lists import Listed

bp = Blueprint("tasks", __name__, url_prefix="/task")
#: Filters by candidates.  As in Camunda they find only tasks that nobody has, unless `includeAssignedTasks` or `assigned` asks for others.
_CANDIDATES = ("candidateGroup", "candidateGroups", "candidateUser")
#: Most `orQueries` of a request; each becomes a condition of the statement.
MOST_QUERIES = 100
_DELEGATED = {"pending": "PENDING", "resolved": "RESOLVED"}


@bp.get("/<task>")
def show(task: str) -> Response:
    """Show one task."""
    with reading() as session:
        return answers.json(shown(session, _get(session, task)))


@bp.put("/<task>")
def update(task: str) -> Response:
    """Set everything that is known of a task; what is left out is nothing."""
    given = asked.body()
    state = asked.field(given, "delegationState", str)
    if state not in {None, *_DELEGATED.values()}:
        raise InvalidInput(f"Expected delegationState {' or '.join(_DELEGATED.values())}, but it is {state!r:.80}")
    if given.get("parentTaskId") is not None:
        raise InvalidInput("Expected no parentTaskId, because there are no tasks within tasks here, but it is given")
    tenants.require(asked.field(given, "tenantId", str))
    facts = Facts(
        name=asked.field(given, "name", str),
        description=asked.field(given, "description", str),
        priority=asked.field(given, "priority", int, most=asked.INT),
        assignee=_user(given, "assignee"),
        owner=_user(given, "owner"),
        delegation=None if state is None else state.lower(),
        due_at=values.moment(given, "due") if given.get("due") is not None else None,
        follow_up_at=values.moment(given, "followUp") if given.get("followUp") is not None else None,
    )
    with database().transaction() as session:
        arranging.update(session, _id(task), facts, actor=auth.actor())
    return answers.nothing()


@bp.post("/<task>/claim")
def claim(task: str) -> Response:
    """Take a task for oneself; nobody takes it for somebody else."""
    user = _user(asked.body(), "userId")
    if user not in {None, auth.actor().name}:
        raise InvalidInput(f"Expected to take a task for oneself ({auth.actor().name}), but userId is {user!r:.80}")
    with database().transaction() as session:
        tasks.claim(session, _id(task), actor=auth.actor())
    return answers.nothing()


@bp.post("/<task>/unclaim")
def unclaim(task: str) -> Response:
    """Give a task back to its groups."""
    with database().transaction() as session:
        tasks.release(session, _id(task), actor=auth.actor())
    return answers.nothing()


@bp.post("/<task>/assignee")
def set_assignee(task: str) -> Response:
    """Take a task for oneself, give it back (`userId` null), or give it to somebody else, where that may be arranged."""
    user = _user(asked.body(), "userId")
    if user is None:
        return unclaim(task)
    if user == auth.actor().name:
        return claim(task)
    with database().transaction() as session:
        identity_links.add(session, _id(task), Link(type=LinkType.ASSIGNEE, user=user), actor=auth.actor())
    return answers.nothing()


@bp.post("/<task>/delegate")
def delegate(task: str) -> Response:
    """Let somebody else do a task for its owner."""
    user = asked.needed(asked.body(), "userId", str, most=identity_links.LONGEST_NAME)
    with database().transaction() as session:
        arranging.delegate(session, _id(task), user, actor=auth.actor())
    return answers.nothing()


@bp.post("/<task>/resolve")
def resolve(task: str) -> Response:
    """Give a delegated task back to its owner."""
    given = values.decode(asked.body().get("variables"))
    with database().transaction() as session:
        arranging.resolve(session, _id(task), actor=auth.actor(), given=given)
    return answers.nothing()


@bp.post("/<task>/complete")
def complete(task: str) -> Response:
    """Complete a task; only one that the law decides must fit its form."""
    return _complete(task, by_form=False)


@bp.post("/<task>/submit-form")
def submit_form(task: str) -> Response:
    """Complete a task with what its form takes."""
    return _complete(task, by_form=True)


@bp.post("/<task>/bpmnError")
def raise_error(task: str) -> Response:
    """Raise an error that the diagram may catch."""
    given = asked.body()
    code, message, variables = (
        asked.needed(given, "errorCode", str),
        asked.field(given, "errorMessage", str),
        values.decode(given.get("variables")),
    )
    with database().transaction() as session:
        tasks.raise_error(session, _id(task), code, message, actor=auth.actor(), given=variables)
    return answers.nothing()


@bp.post("/<task>/bpmnEscalation")
def raise_escalation(task: str) -> Response:
    """Raise an escalation that the diagram catches."""
    given = asked.body()
    code, typed = asked.needed(given, "escalationCode", str), values.decode(given.get("variables"))
    with database().transaction() as session:
        tasks.raise_escalation(session, _id(task), code, actor=auth.actor(), given=typed)
    return answers.nothing()


def shown(session: Session, found: Listed) -> dict[str, Any]:
    """Show one task."""
    task = found.task
    return {
        "id": str(task.id),
        "name": task.name,
        "assignee": task.assignee,
        "created": answers.moment(task.created_at),
        "due": answers.moment(task.due_at),
        "followUp": answers.moment(task.follow_up_at),
        "lastUpdated": answers.moment(task.updated_at),
        "delegationState": _DELEGATED.get(task.delegation or ""),
        "description": task.description,
        "executionId": str(Place(task.instance_id, task.wait)),
        "owner": task.owner,
        "parentTaskId": None,
        "priority": task.priority,
        "processDefinitionId": definition_id(found.definition),
        "processInstanceId": str(task.instance_id),
        "taskDefinitionKey": task.element,
        "caseExecutionId": None,
        "caseInstanceId": None,
        "caseDefinitionId": None,
        "suspended": found.instance.suspended,
        **forms.named(task_lists.drawn(session, found)[1]),
        "tenantId": None,
        "taskState": TASK_STATES[task.status],
    }


def _find(session: Session, given: dict[str, Any]) -> Listing:
    """Find open tasks."""
    conditions = _conditions(session, given, besides=("orQueries", "processVariables"))
    queries = asked.field(given, "orQueries", list) or ()
    if len(queries) > MOST_QUERIES:
        raise InvalidInput(f"Expected at most {MOST_QUERIES} orQueries, but there are {len(queries)}")
    for query in queries:
        if not isinstance(query, dict):
            raise InvalidInput(f"Expected orQueries as objects, but one is {query!r:.80}")
        conditions.append(any_of(_conditions(session, query)))
    comparisons = lists.comparisons(given, "processVariables")
    return task_lists.search(auth.actor(), *conditions, order=lists.order(given, task_lists.SORTABLE), variables=comparisons)


def _conditions(session: Session, given: dict[str, Any], *, besides: Collection[str] = ()) -> list[Any]:
    if any(given.get(name) for name in _CANDIDATES) and not any(asked.true(given, name) for name in ("includeAssignedTasks", "assigned")):
        given = given | {"unassigned": True}
    found = lists.conditions(given, task_lists.FILTERS, besides=("candidateUser", "includeAssignedTasks", *besides))
    user = asked.field(given, "candidateUser", str)
    return found if user is None else [*found, task_lists.for_candidate(session, user)]


lists.serve(bp, _find, lambda session, row: shown(session, task_lists.listed(row)))


def _complete(task: str, *, by_form: bool) -> Response:
    given = asked.body()
    typed = values.decode(given.get("variables"))
    with database().transaction() as session:
        row = tasks.complete(session, _id(task), actor=auth.actor(), data=dict(typed.values), given=typed, by_form=by_form)
        if not asked.field(given, "withVariablesInReturn", bool):
            return answers.nothing()
        instance = instances.lock(session, row.instance_id)  # it is held
        return answers.json(values.encode_all(instance.variables, instance.types))


def _user(given: dict[str, Any], name: str) -> str | None:
    """Read the name of a user; None, or an empty text: nobody."""
    return asked.field(given, name, str, most=identity_links.LONGEST_NAME) or None


def _get(session: Session, task: str) -> Listed:
    return task_lists.get(session, _id(task), actor=auth.actor())


def _id(text: str) -> UUID:
    return asked.uuid(text, "Task")
