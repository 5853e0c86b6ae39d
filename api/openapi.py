"""OpenAPI 3.1, made from the contracts of the routes: what is checked is what is written here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from werkzeug.routing import Rule

from api import auth, parsing, problems, tables
from api.contract import TAGGED, Contract, contract_of
from api.shapes import Problem

PREFIX = "/api/v1"
#: Where an application keeps its document.
EXTENSION = "openapi"
_REF = "#/components/schemas/{model}"
#: (model, validation or serialization) → its reference.
_Models = Mapping[Any, dict[str, Any]]
#: A variable of a path, as Flask writes it: <name>, <uuid:task_id>.
_VARIABLE = re.compile(r"<(?:(\w+):)?(\w+)>")
#: JSON Schema of what the converters of a path take.
_PATH_TYPES: dict[str | None, dict[str, Any]] = {
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer", "minimum": 1, "maximum": 999_999_999},
    None: {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[^/\\x00-\\x1f]+$"},
}
_SCHEMES = {
    "basic": {"type": "http", "scheme": "basic", "description": "账号与口令 · Name and password of an account."},
    "key": {"type": "http", "scheme": "bearer", "description": "程序密钥 · Key of a program."},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "onething",
        "description": "浏览器会话；修改须带 X-Requested-With · Session of a browser; commands must carry X-Requested-With.",
    },
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "三日内同键重发，得到第一次的答复 · Sent again with its key within three days, a request gets the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "上次读取时的 ETag；已被改动则 412 · ETag of what was read last; 412 when it was changed since.",
    "schema": {"type": "string", "pattern": '^(\\*|"[0-9a-f]{32}")$'},
}


def document(app: Flask) -> dict[str, Any]:
    """Give the document of all routes of `/api/v1`; it is made once, for that takes as long as a hundred requests, and anybody may ask."""
    if EXTENSION not in app.extensions:
        app.extensions[EXTENSION] = _made(app)
    made: dict[str, Any] = app.extensions[EXTENSION]
    return made


def _made(app: Flask) -> dict[str, Any]:
    found = list(routes(app))
    refs, schemas = _schemas([promised for _, promised in found])
    paths: dict[str, dict[str, Any]] = {}
    for rule, promised in sorted(found, key=lambda route: (route[0].rule, sorted(_methods(route[0])))):
        for method in _methods(rule):
            operation = _operation(app, rule, promised, refs, schemas, method)
            paths.setdefault(_path(rule), {})[method.lower()] = operation
    queries = {_name(refs[promised.query, "validation"]) for _, promised in found if promised.query}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "onething · 高效办成一件事",
            "version": version("onething"),
            "description": "受理、办理、出件的接口。凡出错均以 application/problem+json 答复。 · Take cases in, handle and issue them.",
        },
        "servers": [{"url": PREFIX}],
        "security": [{scheme: []} for scheme in _SCHEMES],
        "paths": paths,
        "components": {
            "securitySchemes": _SCHEMES,
            "schemas": {name: schema for name, schema in sorted(schemas.items()) if name not in queries},
        },
    }


def routes(app: Flask) -> Iterator[tuple[Rule, Contract]]:
    """List the routes that have a contract."""
    for rule in app.url_map.iter_rules():
        promised = contract_of(app.view_functions[rule.endpoint])
        if promised is not None:
            yield rule, promised


def _methods(rule: Rule) -> set[str]:
    return (rule.methods or set()) - {"HEAD", "OPTIONS"}


def _path(rule: Rule) -> str:
    return _VARIABLE.sub(r"{\2}", rule.rule).removeprefix(PREFIX)


def _operation(app: Flask, rule: Rule, promised: Contract, refs: _Models, schemas: dict[str, Any], method: str) -> dict[str, Any]:
    view = app.view_functions[rule.endpoint]
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.removeprefix("v1."),
        "tags": [rule.endpoint.split(".")[-2]],
        "summary": promised.summary,
        "description": promised.description or (view.__doc__ or "").strip(),
        "parameters": list(_parameters(rule, promised, refs, schemas, method)),
        "responses": _responses(rule, promised, refs, method, is_public=auth.is_public(view)),
    }
    if auth.is_public(view):
        operation["security"] = []
    if promised.body or promised.form:
        operation["requestBody"] = {"required": True, "content": _content(promised, refs, schemas)}
    return operation


def _parameters(rule: Rule, promised: Contract, refs: _Models, schemas: dict[str, Any], method: str) -> Iterator[dict[str, Any]]:
    for found in _VARIABLE.finditer(rule.rule):
        yield {"name": found[2], "in": "path", "required": True, "schema": _PATH_TYPES[found[1]]}
    if promised.query is not None:
        shape = schemas[_name(refs[promised.query, "validation"])]
        for name, schema in shape["properties"].items():
            given = {"description": schema["description"]} if "description" in schema else {}
            yield {"name": name, "in": "query", "required": name in shape.get("required", ()), "schema": _not_null(schema), **given}
    if method == "POST":
        yield _IDEMPOTENCY_KEY
    if HTTPStatus.PRECONDITION_FAILED in promised.problems:
        yield _IF_MATCH


def _content(promised: Contract, refs: _Models, schemas: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if promised.body is not None:
        content["application/json"] = {"schema": refs[promised.body, "validation"]}
    if promised.form is not None:
        fields = schemas[_name(refs[promised.form, "validation"])]
        file = {parsing.FILE: {"type": "string", "format": "binary", "description": "PDF, OFD, PNG, JPEG, DOCX, XLSX"}}
        whole = fields | {"properties": fields["properties"] | file, "required": [*fields.get("required", ()), parsing.FILE]}
        content[parsing.FORM] = {"schema": whole}
    return content


def _responses(rule: Rule, promised: Contract, refs: _Models, method: str, *, is_public: bool) -> dict[str, Any]:
    good: dict[str, Any] = {"description": HTTPStatus(promised.status).phrase}
    if promised.answer is not None:
        good["content"] = {promised.media_type: {"schema": refs[promised.answer, "serialization"]}}
    else:
        good["content"] = {promised.media_type: {"schema": {"type": "string", "format": "binary"}}}
    if promised.columns is not None:
        good["content"][tables.MEDIA_TYPE] = {"schema": {"type": "string"}}
    if method in TAGGED and promised.answer is not None:
        good["headers"] = {"ETag": {"schema": {"type": "string"}}}
    problem = {problems.MEDIA_TYPE: {"schema": refs[Problem, "serialization"]}}
    refusals = {
        status: {"description": HTTPStatus(status).phrase, "content": problem} for status in _refusals(rule, promised, method, is_public)
    }
    made = {} if promised.made is None else {promised.made: good | {"description": HTTPStatus(promised.made).phrase}}
    return {str(status): response for status, response in sorted(({promised.status: good} | made | refusals).items())}


def _refusals(rule: Rule, promised: Contract, method: str, is_public: bool) -> set[int]:
    """Statuses of the problems that a route may answer with."""
    found = {400, 500, 503, *promised.problems}
    found |= set() if is_public else {401, 403}
    found |= {404} if rule.arguments else set()
    found |= {422} if promised.query or promised.body or promised.form else set()
    found |= {413, 415} if promised.body or promised.form else set()
    found |= {403, 422} if method == "POST" else set()  # forgery; an Idempotency-Key of another command
    return found


def _schemas(promises: list[Contract]) -> tuple[_Models, dict[str, Any]]:
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    for promised in promises:
        wanted |= {(model, "validation"): None for model in (promised.body, promised.form, promised.query) if model is not None}
        wanted |= {(promised.answer, "serialization"): None} if promised.answer is not None else {}
    for model, _ in wanted:
        model.model_rebuild()  # under pydantic's lock; what gives the schemas would look and build without one, while requests build it
    refs, definitions = models_json_schema(list(wanted), ref_template=_REF)
    return refs, definitions.get("$defs", {})


def _name(ref: dict[str, Any]) -> str:
    return str(ref["$ref"]).rpartition("/")[2]


def _not_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Take null away: in a query a value is there or it is not."""
    kept = {name: value for name, value in schema.items() if name not in {"anyOf", "title", "description"} and value is not None}
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    return kept | (options[0] if len(options) == 1 else {"anyOf": options} if options else {})
