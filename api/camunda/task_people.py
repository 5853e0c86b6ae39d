"""People around a task: whose it is and whose it may be (identity links), and what they remark (comments)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from api import auth
from api.camunda import answers, asked
from api.transactions import database, reading
from engine import arranging, comments, identity_links
from engine.case_models import Comment
from engine.errors import InvalidInput
from engine.identity_links import Link, LinkType
from engine.models import Task

bp = Blueprint("task-people", __name__, url_prefix="/task/<task>")


@bp.get("/identity-links")
def list_links(task: str) -> Response:
    """Say whose task it is, and whose it may be; `type` asks for one kind."""
    with reading() as session:
        links = identity_links.of(session, _id(task), actor=auth.actor())
    wanted = asked.criteria().get("type")
    shown = ({"userId": link.user, "groupId": link.group, "type": str(link.type)} for link in links)
    return answers.json([link for link in shown if wanted in {None, link["type"]}])


@bp.post("/identity-links")
def add_link(task: str) -> Response:
    """Make somebody assignee, owner or candidate."""
    link = _link()
    with database().transaction() as session:
        identity_links.add(session, _id(task), link, actor=auth.actor())
    return answers.nothing()


@bp.post("/identity-links/delete")
def remove_link(task: str) -> Response:
    """Take such a link away."""
    link = _link()
    with database().transaction() as session:
        identity_links.remove(session, _id(task), link, actor=auth.actor())
    return answers.nothing()


@bp.get("/comment")
def list_comments(task: str) -> Response:
    """List the remarks on a task, the newest first."""
    with reading() as session:
        of = arranging.get(session, _id(task), auth.actor())
        return answers.json([_comment(row, of) for row in comments.of(session, of.id, actor=auth.actor())])


@bp.get("/comment/<comment>")
def show_comment(task: str, comment: str) -> Response:
    """Show one remark."""
    with reading() as session:
        of = arranging.get(session, _id(task), auth.actor())
        return answers.json(_comment(comments.get(session, of.id, asked.uuid(comment, "Task comment"), actor=auth.actor()), of))


@bp.post("/comment/create")
def create_comment(task: str) -> Response:
    """Remark something."""
    message = asked.needed(asked.body(), "message", str)
    with database().transaction() as session:
        row = comments.add(session, _id(task), message, actor=auth.actor())
        return answers.json(_comment(row, arranging.get(session, row.task_id, auth.actor())))


def _link() -> Link:
    given = asked.body()
    kind = asked.needed(given, "type", str)
    if kind not in set(LinkType):
        raise InvalidInput(f"Expected a link of type {', '.join(LinkType)}, but it is {kind!r:.80}")
    return Link(type=LinkType(kind), user=asked.field(given, "userId", str), group=asked.field(given, "groupId", str))


def _comment(row: Comment, of: Task) -> dict[str, Any]:
    return {
        "links": [],
        "id": str(row.id),
        "userId": row.author,
        "time": answers.moment(row.created_at),
        "taskId": str(of.id),
        "processInstanceId": str(of.instance_id),
        "rootProcessInstanceId": str(of.instance_id),
        "message": row.message,
        "removalTime": None,
    }


def _id(text: str) -> UUID:
    return asked.uuid(text, "Task")
