"""What a route promises: what it takes, what it answers, for whom.  The same models check requests, answers, and make OpenAPI."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec

from flask import Response, g, request
from pydantic import BaseModel
from werkzeug.exceptions import PreconditionFailed

from api import parsing
from api.shapes import Body, Query

P = ParamSpec("P")
#: Methods whose answer is what GET gives from then on: it has a tag.
TAGGED = frozenset({"GET", "HEAD", "PUT"})
#: In a tag, what stands between that of the thing itself, and that of all that is shown.
_BESIDE = "-"


@dataclass(frozen=True, kw_only=True)
class Contract:
    """The promise of one route."""

    #: Chinese first: 认领任务 · Claim a task.
    summary: str
    #: None: the answer is no JSON, see `media_type`.
    answer: type[BaseModel] | None
    status: int = 200
    #: Status of an answer that says that the thing was made by this very request; None: there is no such answer.
    made: int | None = None
    body: type[BaseModel] | None = None
    #: Text fields of an upload (multipart/form-data) beside its file; with `body`, either of them is taken.
    form: type[Body] | None = None
    query: type[Query] | None = None
    media_type: str = "application/json"
    #: Heading → column of the file that a list may be asked for (`api/tables.py`); None: there is no file.
    columns: Mapping[str, Any] | None = None
    #: Refusals beyond those that every route has.
    problems: tuple[int, ...] = ()
    description: str = ""


def contract(**promise: Any) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Give a view its contract; it is called with `body` and `query` as models."""
    promised = Contract(**promise)

    def decorate(view: Callable[..., Response]) -> Callable[..., Response]:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> Response:
            g.contract = promised
            if promised.query is not None:
                kwargs["query"] = parsing.read_query(promised.query)
            if promised.body is not None or promised.form is not None:
                kwargs["body"] = _read_body(promised)
            return view(*args, **kwargs)

        checked.contract = promised  # type: ignore[attr-defined]
        return checked

    return decorate


def contract_of(view: Callable[..., Any]) -> Contract | None:
    """Give the contract of a view, if it has one."""
    found: Contract | None = getattr(view, "contract", None)
    return found


def answer(data: Any, *, location: str | None = None, made: bool = False) -> Response:
    """Make the answer that the contract promises; data that break the promise are a fault of ours (500).

    `made`: what is answered was made by this request.
    """
    promised: Contract = g.contract
    assert promised.answer is not None
    status = promised.made if made else promised.status
    shown = promised.answer.model_validate(data)
    response = Response(_encoded(shown), status=status, content_type=promised.media_type)
    if location is not None:
        response.headers["Location"] = location
    return _given(response, shown)


def answer_file(content: bytes, media_type: str, name: str) -> Response:
    """Make the answer as a file, which a browser saves under that name."""
    response = Response(content, content_type=media_type)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return _given(response)


def _given(response: Response, shown: BaseModel | None = None) -> Response:
    if request.method in TAGGED:
        tag, beside = _tag(response.get_data()), getattr(shown, "beside", None)
        response.set_etag(f"{_tag(_encoded(shown, but=beside))}{_BESIDE}{tag}" if shown and beside else tag)
        response.make_conditional(request)  # only GET and HEAD can be answered with “not modified”
    g.answer = response
    return response


def require_match(shape: type[BaseModel], present: Callable[[], Any]) -> None:
    """Raise PreconditionFailed unless the thing still is what the client saw (If-Match); `present` shows how it is now.

    What is shown `beside` it (`Shape`) may have changed: that is not its own.
    """
    if not request.if_match or request.if_match.star_tag:
        return
    shown = shape.model_validate(present())
    now = _tag(_encoded(shown, but=getattr(shown, "beside", None)))
    if now not in {seen.partition(_BESIDE)[0] for seen in request.if_match.as_set()}:
        raise PreconditionFailed("Expected the thing as you saw it last (If-Match), but it was changed since; get it again")


def _read_body(promised: Contract) -> BaseModel:
    if promised.body is not None and request.is_json:
        return parsing.read_json(promised.body)
    if promised.form is not None and request.mimetype == parsing.FORM:
        return parsing.read_form(promised.form)
    raise parsing.unsupported(*(["application/json"] if promised.body else []), *([parsing.FORM] if promised.form else []))


def _encoded(shown: BaseModel, *, but: Collection[str] | None = None) -> bytes:
    return shown.model_dump_json(exclude=set(but) if but else None).encode()


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
