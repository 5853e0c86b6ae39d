"""One material is asked for under one name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import combinations
from typing import Any

from bpmn.decisions.table import Rule
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter.facts import DrawnMatter

#: From so much likeness on, two names are taken for one material.
ALIKE = 0.8
Row = tuple[Rule, dict[str, Any]]


def check(bundle: Bundle) -> Problems:
    """One material is asked for under one name: with one code, under one merge key, or under names that hardly differ."""
    for matter in bundle.matters:
        for (rule, row), (_, first), reason in _doubles(matter):
            message = (
                f"Expected one name for one material, but “{first['name']}” ({first['material']}) and “{row['name']}” ({row['material']}) "
                f"{reason}: give them one name and one merge key, so that it is asked for once"
            )
            yield Problem(resource=bundle.place("materials"), line=rule.line, message=message)


def _doubles(matter: DrawnMatter) -> Iterator[tuple[Row, Row, str]]:
    rows = [(rule, row) for rule, row in matter.rows("materials") if row.get("material") and row.get("name")]
    for first, second in combinations(rows, 2):
        a, b = first[1], second[1]
        if a["name"] == b["name"] and (a["material"] == b["material"] or a.get("merge_key")):
            continue
        if a["material"] == b["material"]:
            yield second, first, "have one code"
        elif a.get("merge_key") and a.get("merge_key") == b.get("merge_key"):
            yield second, first, f"have one merge key {a['merge_key']}"
        elif a.get("used_by") != b.get("used_by") and _alike(str(a["name"]), str(b["name"])):
            yield second, first, "are much alike"


def _alike(one: str, other: str) -> bool:
    return SequenceMatcher(None, _core(one), _core(other), autojunk=False).ratio() >= ALIKE


def _core(name: str) -> str:
    """Strip a name of what people write one time and leave out the other: remarks in brackets, blanks, signs."""
    return re.sub(r"\(.*?\)|\W", "", unicodedata.normalize("NFKC", name))
