"""Impacts (四减): what bundling changes for applicants, computed from the files of a matter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bpmn.errors import ExpressionError
from bpmn.matter import facts, impact, questions, situations
from bpmn.matter.facts import DrawnMatter
from bpmn.matter.impact import Impact
from engine import checks
from engine.errors import InvalidInput, NotFound
from engine.folders import Folder


def of(folders: Iterable[Folder], wanted: str, answers: Mapping[str, str]) -> Impact:
    """Compute before and after for a matter, by its key or the path of its folder.

    Without answers, for the situation that calls for the most items.  Raises NotFound for an unknown matter, InvalidInput for answers that
    are none of its questions, or do not fit them.
    """
    matter = _find(folders, wanted)
    given = _read(matter, answers)
    try:
        return impact.measure(matter, situations.answered(matter, given) if given else impact.widest(matter))
    except ExpressionError as error:
        raise InvalidInput(f"Expected answers that fit the tables of {matter.process.key}, but {error}") from error


def _find(folders: Iterable[Folder], wanted: str) -> DrawnMatter:
    for folder, bundle, _found in checks.read(folders):
        for matter in bundle.matters:
            if wanted == matter.process.key or Path(wanted).resolve() == folder.path:
                return matter
    raise NotFound(f"Expected to find the matter {wanted!r}, but no diagram that can be deployed is one")


def _read(matter: DrawnMatter, answers: Mapping[str, str]) -> dict[str, Any]:
    asked = {str(row["id"]): row for _rule, row in matter.rows("situations") if row.get("id")}
    unknown = sorted(set(answers) - set(asked))
    if unknown:
        raise InvalidInput(f"Expected answers to questions of {matter.process.key} ({', '.join(asked)}), but got {', '.join(unknown)}")
    read = {name: _value(str(asked[name].get("type")), text) for name, text in answers.items()}
    wrong = [f"{refusal} ({name})" for name, value in read.items() if (refusal := questions.refusal(asked[name], value))]
    if wrong:
        raise InvalidInput("; ".join(wrong))
    return read


def _value(kind: str, text: str) -> Any:
    """Read an answer as its question wants it, of several choices with commas between; what cannot be read so stays a text."""
    if kind == "multi":
        return facts.words(text)
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind == "number":
        try:
            number = float(text)
        except ValueError:
            return text
        return int(number) if number.is_integer() else number
    return text
