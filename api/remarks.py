"""Remarks: what stands above a field in the source (`#:`), for whoever reads the description of the interface."""

from __future__ import annotations

import functools
import inspect
import re
import sys
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

#: The lines that matter of a module, as they are formatted.
_CLASS, _REMARK, _FIELD = re.compile(r"class (\w+)"), re.compile(r" {4}#: (.*)"), re.compile(r" {4}(\w+):")


def describe(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Give the fields in the schema of a model their remarks; a description that one has already stays."""
    fields = schema.get("properties", {})
    for kind in model.__mro__:
        for name, remark in _of_module(kind.__module__).get(kind.__name__, {}).items() if issubclass(kind, BaseModel) else ():
            if name in fields:
                fields[name] = {"description": remark} | fields[name]


@functools.cache
def _of_module(name: str) -> Mapping[str, Mapping[str, str]]:
    """Remarks by class and field; the one that is meant stands right above the field."""
    found: dict[str, dict[str, str]] = {}
    within, said = "", list[str]()
    for line in inspect.getsource(sys.modules[name]).splitlines():
        if opened := _CLASS.match(line):
            within = opened[1]
        elif remark := _REMARK.match(line):
            said.append(remark[1])
            continue
        elif said and (field := _FIELD.match(line)):
            found.setdefault(within, {})[field[1]] = " ".join(said)
        said = []
    return found
