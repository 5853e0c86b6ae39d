"""Rules about time: timers and due dates that are written out are checked when the diagram is deployed."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

from bpmn import timers
from bpmn.compiler.rules.rule import Drawing, Problems
from bpmn.compiler.source import MODEL, tag, text_of
from bpmn.definition import ElementType, EventType, TimerType
from bpmn.errors import ExpressionError

#: Any moment would do: it finds the durations that lead out of the calendar, and the cycles that stand still.
PROBE = datetime(2100, 1, 1, tzinfo=UTC)


def bad_timer(drawing: Drawing) -> Problems:
    """A timer says in ISO 8601 when it is due, or has an expression that does."""
    for element in drawing.elements:
        event = element.event
        if event is None or event.type is not EventType.TIMER:
            continue
        forms = drawing.node(element.id).iterfind(f"{MODEL}timerEventDefinition/{MODEL}*")
        written = [tag(form) for form in forms if tag(form) in TIMER_TAGS and text_of(form)]
        if len(written) != 1:
            message = (
                f"Expected {drawing.label(element.id)} to have one time, but it has {' and '.join(written) or 'none'}: "
                "fill in a date, a duration or a cycle"
            )
            yield element.id, message
        elif event.timer and event.when and event.when.dialect == "literal" and (wrong := _wrong(event.timer, event.when.source)):
            yield element.id, f"Expected the time of {drawing.label(element.id)} to be one that can be read (ISO 8601), but: {wrong}"


def cycle_that_interrupts(drawing: Drawing) -> Problems:
    """What interrupts its activity, or lets a token pass, is due once."""
    for element in drawing.of_type(ElementType.BOUNDARY_EVENT, ElementType.CATCH_EVENT, ElementType.START_EVENT):
        starts_case = element.type is ElementType.START_EVENT and element.parent is None
        if element.event and element.event.timer is TimerType.CYCLE and element.interrupting and not starts_case:
            message = (
                f"Expected {drawing.label(element.id)} to be due more than once, but it is due once only: "
                "choose a duration, or a boundary event that does not interrupt"
            )
            yield element.id, message


def bad_due_date(drawing: Drawing) -> Problems:
    """A due date and a follow-up date are durations from now, dates and times, or expressions."""
    for element in drawing.of_type(ElementType.USER_TASK):
        for what, due in (("due", element.due_date), ("follow-up", element.follow_up_date)):
            if due is not None and due.dialect == "literal" and (wrong := _wrong(None, due.source)):
                yield (
                    element.id,
                    f"Expected the {what} date of {drawing.label(element.id)} to be one that can be read (ISO 8601), but: {wrong}",
                )


def bad_time_to_live(drawing: Drawing) -> Problems:
    """How long the history is kept is a number of days, or a duration."""
    written = (drawing.definition.history_time_to_live or "").strip()
    if not written:
        return
    try:
        timers.read_duration(f"P{written}D" if written.isdecimal() else written).after(PROBE)
    except ExpressionError as error:
        message = f"Expected the history time to live of {drawing.label(None)} to be days such as 180, or a duration such as P6M"
        yield None, f"{message}, but: {error}"


TIMER_TAGS = frozenset(TimerType)


def _wrong(form: TimerType | None, text: str) -> str | None:
    """Say what is wrong with a time that is written out, and what to write; None: nothing."""
    fault = _fault(form, text)
    return f"{fault}{_advice(form, text.strip())}" if fault else None


def _fault(form: TimerType | None, text: str) -> ExpressionError | None:
    try:
        if form is TimerType.CYCLE:
            timers.cycle(text, PROBE)
        elif form is TimerType.DATE:
            timers.read_moment(text)
        elif form is TimerType.DURATION:
            timers.read_duration(text).after(PROBE)
        else:
            timers.due(text, PROBE)
    except ExpressionError as error:
        return error
    return None


#: A call without what makes it an expression; a number with a unit in words.
_CALL = re.compile(r"[$＄#＃]?[{｛]?\s*(\w+[(（].*[)）])\s*[}｝]?", re.DOTALL)
_IN_WORDS = re.compile(
    r"[Pp]?(\d{1,9}|[零一二两三四五六七八九十]{1,3})\s*(?:个)?(工作日|[Ww][Dd]|自然日|年|月|周|星期|天|[Dd]ays?|日|小时|[Hh]ours?|时|分钟|分)"
)
_DIGITS = {"零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_UNITS = {"年": "P{}Y", "月": "P{}M", "周": "P{}W", "星期": "P{}W", "天": "P{}D", "日": "P{}D"}
#: Five to seven fields of minutes, hours, days …, as Camunda takes them from Spring.
_CRON = re.compile(r"(?:[\d*?/,LW#A-Za-z-]+\s+){4,6}[\d*?/,LW#A-Za-z-]+")
_UNITS |= {"小时": "PT{}H", "时": "PT{}H", "分钟": "PT{}M", "分": "PT{}M", "工作日": "${{workdays({})}}", "自然日": "${{calendardays({})}}"}
_UNITS |= {"wd": _UNITS["工作日"], "day": "P{}D", "hour": "PT{}H"}
#: A day as people write it, and perhaps the time of the day.
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]*(\d{1,2}):(\d\d)(?::\d\d)?)?")
_CYCLE = re.compile(r"(R\d*)/(?:P?)(.+)")
#: A duration of one unit, with a T too many or too few; of `M` nobody knows whether months or minutes are meant.
_NEARLY = re.compile(r"[Pp]?[Tt]?(\d{1,9})\s*([YyWwDdHhSs]?)")


def _advice(form: TimerType | None, text: str) -> str:
    """Say what to write instead of a time in words, of a call that is not marked as one, or in a timer of another type."""
    if called := _CALL.fullmatch(text):
        return f": write ${{{called[1].replace('（', '(').replace('）', ')')}}}"
    if said := _IN_WORDS.fullmatch(text):
        instead = _UNITS[said[2].lower().rstrip("s")].format(_number(said[1]))
        kind = TimerType.DATE if "(" in instead else TimerType.DURATION
        return f": write {instead}{f', and choose the type {_NAMES[kind]}' if form not in (kind, None) else ''}"
    if form is TimerType.DATE and text.startswith("P"):
        return ": choose the type duration, which counts from when the token comes"
    if form in (TimerType.DURATION, None) and (nearly := _NEARLY.fullmatch(text)):
        return _nearly(int(nearly[1]), nearly[2].upper(), typed=form is not None)
    if _CRON.fullmatch(text):
        return ": cron is not read; for each day at nine write R/2026-01-05T09:00:00+08:00/P1D, and choose the type cycle"
    return _written_badly(form, text)


def _written_badly(form: TimerType | None, text: str) -> str:
    """Say what to write instead of a time with other letters, a blank or a sign too many, and of a day; or which type it is of."""
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).upper()
    parted = re.sub(r"^(P(?:\d+[YMWD])+)(\d+[HMS].*)$", r"\1T\2", plain)  # P1D5H
    for instead in (plain, plain.lstrip("-+"), parted, _CYCLE.sub(r"\1/P\2", plain)):
        if instead != text and _fault(form, instead) is None:
            return f": write {instead}"
    others = [kind for kind in _NAMES if form and kind is not form and _fault(kind, text) is None]
    if others:
        return f": choose the type {_NAMES[others[0]]}"
    day = _DAY.fullmatch(unicodedata.normalize("NFKC", text))
    year, month, at, hour, minute = (int(part or 0) for part in day.groups()) if day else (0, 0, 0, 0, 0)
    moment = f"{year:04}-{month:02}-{at:02}T{hour:02}:{minute:02}:00+08:00"
    if _fault(TimerType.DATE, moment) is None:
        return f": write {moment}{'' if form in (TimerType.DATE, None) else ', and choose the type date'}"
    return ""


def _number(written: str) -> int:
    """Return a number in digits, of full width too, or in Chinese up to ninety-nine."""
    if written.isdecimal():
        return int(written)
    tens, ten, ones = written.rpartition("十")
    return (_DIGITS.get(tens, 1) * 10 if ten else 0) + _DIGITS.get(ones, 0)


def _nearly(number: int, unit: str, *, typed: bool) -> str:
    """Say how a duration is written of which a letter is missing, or at the wrong place."""
    if unit in ("", "D"):
        date = ", and choose the type date" if typed else ""
        return f": write P{number}D for days by the calendar; for working days, write ${{workdays({number})}}{date}"
    return f": write {'PT' if unit in 'HS' else 'P'}{number}{unit}"


_NAMES = {TimerType.DATE: "date", TimerType.DURATION: "duration", TimerType.CYCLE: "cycle"}
