"""The reference page: the OpenAPI document, arranged for a reader."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

#: Section titles, by noun of `api/v1/`.
SECTIONS = {
    "sessions": "登录 · Logging in",
    "matters": "一件事 · Matters",
    "cases": "办件 · Cases",
    "materials": "材料 · Materials",
    "tasks": "部门任务 · Tasks",
    "items": "事项办件 · Items",
    "deadlines": "时限 · Deadlines",
    "alerts": "监察预警 · Alerts",
    "daybooks": "工作日志 · Daybooks",
    "metrics": "运行指标 · Metrics",
    "calendar": "工作日历 · Calendar",
    "incidents": "异常 · Incidents",
    "messages": "待发消息 · Messages",
    "deployments": "部署 · Deployments",
    "accounts": "账号 · Accounts",
    "departments": "部门 · Departments",
    "halls": "大厅 · Halls",
    "administration": "管理记录 · Administration",
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One line of a table of fields."""

    name: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route, as it is shown."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    public: bool
    parameters: list[Field]
    #: Media type → fields of the body.
    bodies: dict[str, list[Field]]
    #: Status, words, and type of the answer.
    answers: list[tuple[str, str, str]]


def sections(document: dict[str, Any]) -> dict[str, list[Operation]]:
    """Sort all routes into sections, in the order of `SECTIONS`."""
    found: dict[str, list[Operation]] = defaultdict(list)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            found[operation["tags"][0]].append(_operation(document, method.upper(), path, operation))
    order = list(SECTIONS)
    return {SECTIONS.get(tag, tag): found[tag] for tag in sorted(found, key=lambda tag: order.index(tag) if tag in order else len(order))}


def shapes(document: dict[str, Any]) -> dict[str, list[Field]]:
    """Give the fields of every shape."""
    return {name: fields(schema) for name, schema in document["components"]["schemas"].items() if "properties" in schema}


def fields(schema: dict[str, Any]) -> list[Field]:
    """Give the fields of an object."""
    required = schema.get("required", ())
    return [
        Field(name=name, type=words(inner), required=name in required, description=inner.get("description", ""))
        for name, inner in schema.get("properties", {}).items()
    ]


def words(schema: dict[str, Any]) -> str:
    """Say a type in a few words: `text ≤ 200`, `list of TaskShown`, `one of a, b`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " | ".join(words(option) for option in schema["anyOf"])
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {words(schema.get('items', {}))}"
    name = schema.get("format") or {"string": "text"}.get(schema.get("type", ""), schema.get("type", "any JSON"))
    low, high = schema.get("minimum", schema.get("minLength")), schema.get("maximum", schema.get("maxLength"))
    return f"{name} {'' if low is None else low}…{'' if high is None else high}" if (low, high) != (None, None) else str(name)


def _operation(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> Operation:
    content = operation.get("requestBody", {}).get("content", {})
    return Operation(
        id=operation["operationId"],
        method=method,
        path=path,
        summary=operation["summary"],
        description=operation["description"],
        public=operation.get("security") == [],
        parameters=[
            Field(name=p["name"], type=f"{p['in']}, {words(p['schema'])}", required=p["required"], description=p.get("description", ""))
            for p in operation["parameters"]
        ],
        bodies={media_type: fields(_resolve(document, body["schema"])) for media_type, body in content.items()},
        answers=[(status, answer["description"], _type_of(answer)) for status, answer in operation["responses"].items()],
    )


def _type_of(answer: dict[str, Any]) -> str:
    return ", ".join(f"{words(content['schema'])} ({media_type})" for media_type, content in answer.get("content", {}).items())


def _resolve(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = document["components"]["schemas"][words(schema)]
    return found
