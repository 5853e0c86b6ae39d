"""Every error as application/problem+json (RFC 9457): what is wrong, in one grammar, and nothing of what is inside."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, Unauthorized

from engine import disks
from engine.errors import Busy, EngineError, InvalidInput, InvalidState, NotFound, NotPermitted, Unavailable, Unsettled

MEDIA_TYPE = "application/problem+json"
#: Status of each category of refusal; the docstring of the class is the title.
STATUSES: dict[type[EngineError], int] = {
    NotFound: 404,
    NotPermitted: 403,
    InvalidState: 409,
    InvalidInput: 422,
    Busy: 503,
    Unavailable: 503,
}
#: After how many seconds it is worth trying again.
RETRY_AFTER = 1
#: What Werkzeug finds out by itself, in our words.
_WORDS = {
    404: "Expected an address that is known here, but there is nothing at {path}",
    405: "Expected a method that this address has, but {method} is none of them",
    413: "Expected a body that is no larger than is taken here (`ONETHING_MAX_UPLOAD`), but it is",
}
#: The ways to say who one is.  Werkzeug would leave out the quotes, which some clients need.
CHALLENGES = ('Basic realm="onething", charset="UTF-8"', 'Bearer realm="onething"')
_log = structlog.get_logger()


def register(app: Flask) -> None:
    """Answer every error of every route with a problem."""
    app.register_error_handler(EngineError, refused)
    app.register_error_handler(HTTPException, mistaken)
    app.register_error_handler(OSError, hindered)
    app.register_error_handler(MemoryError, exhausted)
    app.register_error_handler(Exception, failed)


#: Every status, and what to do about it; the reference shows it, and the `type` of a problem points there.
_ADVICE = {
    400: "请求本身不成形：检查 JSON、请求头和地址 · Mend the request: JSON, headers, address.",
    401: "请先登录，或检查口令、密钥 · Log in, or check password or key.",
    403: "您没有此项权限 · Your roles do not allow this.",
    404: "不存在，或不属于您 · There is none, or it is not yours.",
    405: "此路径不支持该方法，见 Allow · See Allow for the methods of this path.",
    409: "当前状态不允许；重新读取后再决定 · Read it again, then decide.",
    412: "已被他人改动；重新读取后再提交 · It was changed; read it again.",
    413: "内容过大 · Send less.",
    415: "内容类型不支持 · Send the media type that the route takes.",
    422: "数据不合要求，见 errors · See errors for each field.",
    500: "系统故障，已记录；请把 instance 告诉运维 · A fault of ours; tell the operator the instance.",
    503: "他人正在办理同一件，或数据库、磁盘、内存暂不可用；稍候重试（Retry-After）· Somebody has it, or database, disk, memory are away.",
}


def catalogue() -> list[tuple[int, str, str]]:
    """List every status with its title and what to do about it."""
    titles: dict[int, str] = {}
    for kind, status in STATUSES.items():
        titles[status] = f"{titles.get(status, '')} {(kind.__doc__ or '').strip()}".strip()
    return [(status, titles.get(status, HTTPStatus(status).phrase), advice) for status, advice in _ADVICE.items()]


def category(error: EngineError) -> type[EngineError]:
    """Name the category of a refusal; some have particular cases."""
    return next(kind for kind in type(error).__mro__ if kind in STATUSES)


def refused(error: EngineError) -> Response:
    """Answer a refusal of the engine."""
    kind = category(error)
    status = STATUSES[kind]
    # `status` is HTTP's word here; that of the thing itself gets another.
    details = {"current_status" if name == "status" else name: value for name, value in error.details.items()}
    answer = problem(status, title=(kind.__doc__ or "").strip(), detail=error.message, **details)
    if status == STATUSES[Busy]:
        answer.headers["Retry-After"] = str(RETRY_AFTER)
    return answer


def mistaken(error: HTTPException) -> Response | HTTPException:
    """Answer a request that HTTP itself does not allow, with the headers that belong to it (Allow, WWW-Authenticate)."""
    if error.code is None or error.code < 400:  # noqa: PLR2004 - a redirection is no error
        return error
    answer = problem(error.code, title=error.name, detail=_in_our_words(error))
    for name, value in error.get_headers(request.environ):
        if name not in {"Content-Type", "Content-Length"}:
            answer.headers.add(name, value)
    if isinstance(error, Unauthorized):
        answer.headers.extend([("WWW-Authenticate", challenge) for challenge in CHALLENGES])
    return answer


def _in_our_words(error: HTTPException) -> str:
    """What is wrong; what Werkzeug has found by itself it says in its own words."""
    said = error.description or ""
    if said != type(error).description:
        return said
    words = _WORDS.get(error.code or 0, "Expected a request that HTTP allows, but {said}")
    return words.format(path=request.path, method=request.method, said=said[:1].lower() + said[1:])


def hindered(error: OSError) -> Response:
    """Answer what a disk of this node has kept from being done, as when it has no room for what comes in."""
    try:
        with disks.told():
            raise error
    except Unavailable as unavailable:
        return refused(unavailable)
    except OSError:
        return failed(error)


def exhausted(error: MemoryError) -> Response:
    """Answer what this node had no memory for before its transaction, or after it: within it nothing was done (`outages`)."""
    log_fault(error)
    return refused(
        Unsettled(
            "Expected this node to have memory for it, but it has none left, and whether it was carried out is not known; "
            "look, or repeat it with its Idempotency-Key"
        )
    )


def failed(error: Exception) -> Response:
    """Answer a fault of ours."""
    incident, detail = log_fault(error)
    return problem(500, title="Internal Server Error", detail=detail, instance=incident)


def log_fault(error: Exception) -> tuple[str, str]:
    """Log a fault of ours; gives an id, which the client gets, too, and what it is told: only the log gets the rest."""
    incident = f"urn:uuid:{uuid.uuid4()}"
    _log.error("request failed", incident=incident, method=request.method, endpoint=request.endpoint, exc_info=error)
    return incident, f"Expected to answer, but something in here failed; the log knows it as {incident}"


def problem(status: int, *, title: str, detail: str, **members: Any) -> Response:
    """Make a problem document."""
    document = {"type": f"/reference#problem-{status}", "title": title, "status": status, "detail": detail, **members}
    return Response(orjson.dumps(document, default=str), status=status, content_type=MEDIA_TYPE)
