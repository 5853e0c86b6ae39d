"""Findings, written for people (text) and for programs (JSON, SARIF 2.1.0)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.checks import Located

SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
#: What a rule is about, and what to do.
PAGE = "docs/rules/{}.md"


def text(found: list[Located], files: int) -> str:
    """One line for each finding, as compilers write them, and a sum."""
    count = Counter(located.finding.severity for located in found)
    pages = [f"What a [rule] asks for, why, and what to do: {PAGE.format('<rule>')}"] if found else []
    return "\n".join([*map(line, found), *pages, f"{files} files, {count['error']} errors, {count['warning']} warnings"])


def as_json(found: list[Located], files: int) -> str:
    """`{"files": …, "findings": [{"path", "line", "severity", "rule", "page", "message", "element", …}]}`."""
    rows = [{"path": _path(located.path), **asdict(located.finding), "page": PAGE.format(located.finding.rule)} for located in found]
    return json.dumps({"files": files, "findings": rows}, ensure_ascii=False, indent=2)


def sarif(found: list[Located], files: int) -> str:
    """A log that code hosts show beside the lines."""
    rules = [{"id": rule, "help": {"text": f"See {PAGE.format(rule)}"}} for rule in sorted({located.finding.rule for located in found})]
    driver = {"name": "onething", "version": version("onething"), "rules": rules}
    run = {"tool": {"driver": driver}, "results": [_result(located) for located in found], "properties": {"files": files}}
    return json.dumps({"$schema": SARIF, "version": "2.1.0", "runs": [run]}, ensure_ascii=False, indent=2)


FORMATS: dict[str, Callable[[list[Located], int], str]] = {"text": text, "json": as_json, "sarif": sarif}


def line(located: Located) -> str:
    """One finding, as compilers write them."""
    finding = located.finding
    element = f" ({finding.element} {finding.element_name}".rstrip() + ")" if finding.element else ""
    return f"{_path(located.path)}:{finding.line}: {finding.severity}: {finding.message}{element} [{finding.rule}]"


def _result(located: Located) -> dict[str, Any]:
    finding = located.finding
    place: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _path(located.path)},
            # SARIF counts lines from 1; what is said of a whole file is shown at its top.
            "region": {"startLine": max(finding.line, 1)},
        }
    }
    if finding.element:
        place["logicalLocations"] = [{"name": finding.element_name or finding.element, "fullyQualifiedName": finding.element}]
    return {"ruleId": finding.rule, "level": finding.severity, "message": {"text": finding.message}, "locations": [place]}


def _path(path: Path) -> str:
    """Write a path as seen from here, where it lies beneath."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()
