"""Questions (情形问答): what may be answered to one, by its type, its options and its bounds (a row of the table `situations`)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from bpmn.matter import facts

#: A row of the table `situations`.
Question = Mapping[str, Any]
#: Columns of the least and the greatest number that may be answered.
BOUNDS = ("min", "max")
#: What is answered with a text, if there are no options.
_TEXTS = frozenset({"single", "text", "region"})
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def refusal(question: Question, value: Any) -> str:
    """Say what is wrong with an answer (“Expected …, but …”); empty when it may be given."""
    expected, wrong = _unfit(question, value)
    return f"Expected {expected} for {question.get('ask')}, but got {wrong!r}" if expected else ""


def is_number(value: object) -> bool:
    """Tell whether a cell or an answer is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def bounds(question: Question) -> tuple[float | None, float | None]:
    """The least and the greatest number that may be answered; nothing where the table does not say."""
    least, most = (question.get(name) for name in BOUNDS)
    return least if is_number(least) else None, most if is_number(most) else None


def _unfit(question: Question, value: Any) -> tuple[str, Any]:
    """What is expected instead of an answer, and what of it is not so; twice nothing when it may be given."""
    kind, options = str(question.get("type")), _options(question)
    many = kind == "multi"
    if many != isinstance(value, list):
        return ("a list" if many else "one value"), value
    if options:
        strange = [each for each in (value if many else [value]) if each not in options]
        return (f"one of {'、'.join(options)}", strange[0]) if strange else ("", None)
    expected = _expected(question, kind, value)
    return (expected, value) if expected else ("", None)


def _options(question: Question) -> list[str]:
    """What is offered, whether as the table writes it or already read."""
    offered = question.get("options")
    return offered if isinstance(offered, list) else facts.words(offered)


def _expected(question: Question, kind: str, value: Any) -> str:
    """What a question without options expects instead of an answer; empty when it may be given."""
    if kind == "number":
        return "a number" if not is_number(value) else _within(question, value)
    if kind == "boolean":
        return "" if isinstance(value, bool) else "true or false"
    if kind == "date":
        return "" if isinstance(value, str) and is_day(value) else "a day of the calendar such as 2026-03-01"
    return "a text" if kind in _TEXTS and not isinstance(value, str) else ""


def _within(question: Question, value: float) -> str:
    """The bounds of a question that a number is not within; empty when it is."""
    least, most = bounds(question)
    if (least is None or value >= least) and (most is None or value <= most):
        return ""
    if least is not None and most is not None:
        return f"a number from {least} to {most}"
    return f"a number of {least} or more" if least is not None else f"a number of {most} or less"


def is_day(text: str) -> bool:
    """Tell whether a text is a day as programs write it."""
    try:
        return bool(_DAY.fullmatch(text)) and dt.date.fromisoformat(text) is not None
    except ValueError:
        return False
