"""External tasks (外部任务): the calls of workers, as `camunda-external-task-client` in all its languages makes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked, lists, polling, tenants, values
from api.camunda.shown import activity_id, definition_id, read_definition_id
from api.transactions import database, reading
from engine import disclosures, external_task_lists, external_tasks
from engine.actors import Actor
from engine.database import Session
from engine.disclosures import Disclosure
from engine.errors import InvalidInput, NotFound
from engine.external_tasks import Failure, Found
from engine.fetches import Fetch, Wanted
from engine.filters import Listing
from engine.places import Place

bp = Blueprint("external-tasks", __name__, url_prefix="/external-task")
#: Longest wait of a poll, milliseconds; Camunda's own limit.
LONGEST_WAIT = 1_800_000
#: Most topics of a request.  Each becomes a condition, and SQLite refuses a condition of a thousand parts.
MOST_TOPICS = 500


@bp.post("/fetchAndLock")
def fetch_and_lock() -> Response:
    """Give tasks to a worker under a lock; when there are none, wait for them as long as the worker says."""
    given = asked.body()
    topics = _topics(given)
    wait = asked.field(given, "asyncResponseTimeout", int) or 0
    if not 0 <= wait <= LONGEST_WAIT:
        raise InvalidInput(f"The asynchronous response timeout cannot be set to a value greater than {LONGEST_WAIT} milliseconds")
    what = Fetch(
        worker=_worker(given),
        limit=_positive(given, "maxTasks"),
        wanted=tuple(wanted for wanted, _ in topics),
        by_priority=bool(asked.field(given, "usePriority", bool)),
        oldest_first=_order(given),
    )
    options = {id(wanted): topic for wanted, topic in topics}

    def present(session: Session, fetched: Sequence[tuple[Found, Wanted]], actor: Actor) -> list[dict[str, Any]]:
        shown = disclosures.of(session, [found.instance for found, _ in fetched], actor)
        return [_fetched(session, found, options[id(wanted)], shown[found.instance.id]) for found, wanted in fetched]

    return polling.fetch(database(), what, seconds=wait / 1000, present=present)


@bp.post("/<task>/complete")
def complete(task: str) -> Response:
    """Complete a task; local variables are there for its outputs, and end with it."""
    given = asked.body()
    worker, typed, local = _worker(given), values.decode(given.get("variables")), values.decode(given.get("localVariables"))
    with database().transaction() as session:
        external_tasks.complete(session, _id(task), worker, actor=auth.actor(), given=typed, local=local)
    return answers.nothing()


@bp.post("/<task>/failure")
def fail(task: str) -> Response:
    """Note a failure; retries that are not given are none."""
    given = asked.body()
    failure = Failure(
        message=asked.field(given, "errorMessage", str) or "",
        details=asked.field(given, "errorDetails", str),
        retries=asked.field(given, "retries", int, most=asked.INT) or 0,
        after=_milliseconds(given, "retryTimeout", at_least=0),
    )
    worker, typed, local = _worker(given), values.decode(given.get("variables")), values.decode(given.get("localVariables"))
    with database().transaction() as session:
        external_tasks.fail(session, _id(task), worker, failure, actor=auth.actor(), given=typed, local=local)
    return answers.nothing()


@bp.post("/<task>/bpmnError")
def raise_error(task: str) -> Response:
    """Raise an error that the diagram may catch."""
    given = asked.body()
    worker, code, typed = _worker(given), asked.needed(given, "errorCode", str), values.decode(given.get("variables"))
    message = asked.field(given, "errorMessage", str)
    with database().transaction() as session:
        external_tasks.raise_error(session, _id(task), worker, code, message=message, actor=auth.actor(), given=typed)
    return answers.nothing()


@bp.post("/<task>/extendLock")
def extend_lock(task: str) -> Response:
    """Hold a task longer."""
    given = asked.body()
    with database().transaction() as session:
        external_tasks.extend(session, _id(task), _worker(given), _milliseconds(given, "newDuration"), actor=auth.actor())
    return answers.nothing()


@bp.post("/<task>/lock")
def lock(task: str) -> Response:
    """Lock one task."""
    given = asked.body()
    with database().transaction() as session:
        external_tasks.lock(session, _id(task), _worker(given), _milliseconds(given, "lockDuration"), actor=auth.actor())
    return answers.nothing()


@bp.post("/<task>/unlock")
def unlock(task: str) -> Response:
    """Give a task back."""
    with database().transaction() as session:
        external_tasks.unlock(session, _id(task), actor=auth.actor())
    return answers.nothing()


@bp.put("/<task>/priority")
def set_priority(task: str) -> Response:
    """Move a task forward or back."""
    priority = asked.needed(asked.body(), "priority", int)
    with database().transaction() as session:
        external_tasks.set_priority(session, _id(task), priority, actor=auth.actor())
    return answers.nothing()


@bp.get("/topic-names")
def list_topics() -> Response:
    """Name the topics of which there are tasks."""
    given = asked.criteria()
    if unknown := given.keys() - external_task_lists.TOPIC_FILTERS.keys():
        raise InvalidInput(f"Expected {', '.join(external_task_lists.TOPIC_FILTERS)}, but got {', '.join(sorted(unknown))}")
    conditions = lists.conditions(given, external_task_lists.TOPIC_FILTERS)
    with reading() as session:
        return answers.json(external_task_lists.topics(session, auth.actor(), *conditions))


@bp.get("/<task>")
def show(task: str) -> Response:
    """Show one task."""
    with reading() as session:
        return answers.json(_shown(external_task_lists.get(session, _id(task), actor=auth.actor())))


@bp.get("/<task>/errorDetails")
def show_error_details(task: str) -> Response:
    """Show what the last failure said, as text."""
    with reading() as session:
        row = external_tasks.get(session, _id(task), auth.actor())
        return Response(row.error_details or "", content_type="text/plain")


def find(_session: Session, given: dict[str, Any]) -> Listing:
    """Find tasks."""
    conditions = lists.conditions(given, external_task_lists.FILTERS)
    return external_task_lists.search(auth.actor(), *conditions, order=lists.order(given, external_task_lists.SORTABLE))


lists.serve(bp, find, lambda _session, row: _shown(external_task_lists.found(row)))


def _fetched(session: Session, found: Found, topic: dict[str, Any], disclosed: Disclosure) -> dict[str, Any]:
    """Show a task to the worker that has it now."""
    names = asked.several(topic, "variables")
    shown = _shown(found)
    seen = disclosed.at(found.instance, found.task.wait, local=bool(topic.get("localVariables")))
    shown["variables"] = values.encode_all(seen.values, seen.types, names=names, deserialize=bool(topic.get("deserializeValues")))
    if topic.get("includeExtensionProperties"):
        shown["extensionProperties"] = dict(external_tasks.properties_of(session, found))
    return shown


def _shown(found: Found) -> dict[str, Any]:
    task, instance, of = found.task, found.instance, found.definition
    return {
        "id": str(task.id),
        "workerId": task.worker,
        "topicName": task.topic,
        "lockExpirationTime": answers.moment(task.lock_expires_at),
        "createTime": answers.moment(task.created_at),
        "activityId": task.element,
        "activityInstanceId": activity_id(task.element, instance.id, task.wait),
        "executionId": str(Place(instance.id, task.wait)),
        "processInstanceId": str(instance.id),
        "processDefinitionId": definition_id(of),
        "processDefinitionKey": of.key,
        "processDefinitionVersionTag": of.version_tag,
        "tenantId": None,
        "retries": task.retries,
        "suspended": instance.suspended,
        "priority": task.priority,
        "businessKey": instance.business_key,
        "errorMessage": task.error_message or None,
        "errorDetails": task.error_details,
        "variables": {},
        "extensionProperties": {},
    }


def _topics(given: dict[str, Any]) -> list[tuple[Wanted, dict[str, Any]]]:
    topics = asked.needed(given, "topics", list)
    if not 0 < len(topics) <= MOST_TOPICS:
        raise InvalidInput(f"Expected 1 to {MOST_TOPICS} topics, but there are {len(topics)}")
    asked.require_few(topics, "topics")
    return [_topic(topic) for topic in topics]


def _topic(topic: Any) -> tuple[Wanted, dict[str, Any]]:
    if not isinstance(topic, dict):
        raise InvalidInput(f"Expected each topic to be an object, but one is {topic!r:.80}")
    tenants.require_among(asked.several(topic, "tenantIdIn") or ())
    ids = _among(topic, "processDefinitionId", "processDefinitionIdIn")
    wanted = Wanted(
        topic=asked.needed(topic, "topicName", str),
        lock=_milliseconds(topic, "lockDuration"),
        business_key=asked.field(topic, "businessKey", str),
        definition_ids=None if ids is None else frozenset(filter(None, map(_definition, ids))),
        definition_keys=_among(topic, "processDefinitionKey", "processDefinitionKeyIn"),
        version_tag=asked.field(topic, "processDefinitionVersionTag", str),
        variables=asked.field(topic, "processVariables", dict) or {},
    )
    asked.several(topic, "variables")  # before anything is locked
    return wanted, topic


def _among(topic: dict[str, Any], one: str, many: str) -> frozenset[str] | None:
    """What a task's definition is to be among; None: nothing is said of it.  A list without entries says nothing, as in Camunda 7."""
    single, several = asked.field(topic, one, str), asked.several(topic, many)
    found = None if single is None else frozenset({single})
    return found if not several else frozenset(several) if found is None else found & frozenset(several)


def _definition(named: str) -> UUID | None:
    """Read the id of a definition; None: there is no such, of which there are no tasks."""
    try:
        return read_definition_id(named)
    except NotFound:
        return None


def _order(given: dict[str, Any]) -> bool | None:
    sorting = lists.order({"sorting": asked.field(given, "sorting", list)}, ("createTime",))
    return not sorting[0][1] if sorting else None


def _worker(given: dict[str, Any]) -> str:
    worker = given.get("workerId")
    if isinstance(worker, int) and not isinstance(worker, bool):  # some clients use numbers
        return str(worker)
    return asked.needed(given, "workerId", str, most=asked.LONGEST)


def _positive(given: dict[str, Any], name: str) -> int:
    value = asked.needed(given, name, int, most=asked.INT)
    if value < 1:
        raise InvalidInput(f"Expected {name} of at least 1, but it is {value}")
    return value


def _milliseconds(given: dict[str, Any], name: str, *, at_least: int = 1) -> timedelta:
    value = asked.needed(given, name, int) if at_least else asked.field(given, name, int) or 0
    if not at_least <= value <= 1000 * 3600 * 24 * 3650:
        raise InvalidInput(f"Expected {name} of {at_least} or more milliseconds, at most ten years, but it is {value}")
    return timedelta(milliseconds=value)


def _id(text: str) -> Any:
    return asked.uuid(text, "External task")
