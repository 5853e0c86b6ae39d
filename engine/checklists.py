"""Checklists (一次告知): which items and materials a situation calls for, said once and completely.

The tables of the matter decide (DMN `items` and `materials`); the answer is frozen on the case with the rules that gave it, so that
what was told can always be shown again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import orjson
from sqlalchemy.orm import Session

from bpmn.matter import facts, questions
from bpmn.matter.situations import EXCLUSIONS
from engine import definitions, matters
from engine.case_models import Case
from engine.definitions import Loaded
from engine.errors import InvalidInput
from engine.kept import Kept
from engine.matters import ItemFacts, Matter

#: A checklist: {"matter", "version", "items": […], "materials": […], "unanswered": […], "hash"}, and "exclusions" where there are any.
Checklist = dict[str, Any]
Questions = Sequence[Mapping[str, Any]]
#: Bytes that a process keeps of questions, and what one takes, about.
LIMIT, PER_QUESTION = 16 << 20, 2_000
#: Questions that never change, by deployments, whose ids no two databases share; None: the table asks for the day or the time.
_kept = Kept["Questions | None"](LIMIT, lambda found: PER_QUESTION * (1 + len(found or ())))


def make(
    session: Session,
    matter: Matter,
    answers: Mapping[str, Any],
    *,
    only: Iterable[str] | None = None,
    tables_of: str | None = None,
    whole: bool = False,
) -> Checklist:
    """Work the checklist out.

    `only` names items instead of letting the tables choose them (a single item; a follow-on); `tables_of` names the matter whose tables
    say what is asked, when it is another one (an item that is applied for again).  `whole`: no more answers will be given.  Raises
    InvalidInput for answers to questions that the matter does not ask, for items that it does not call, and, if `whole`, for questions that
    must be answered and are not: the items that an answer would call for would be left out in silence.
    """
    matters.require_called(matter, only or ())
    asking = _asking(session, matter, only) if tables_of is None else matters.get(session, tables_of)
    loaded = definitions.get(session, asking.definition_id)
    asked = situations(session, loaded)
    _check_answers(asked, answers, whole=whole)
    known = {question["id"]: answers.get(question["id"]) for question in asked}
    chosen = _choose(session, loaded, known) if only is None else dict.fromkeys(only, "include")
    checklist = {
        "matter": matter.key,
        "version": matter.version,
        "answers": dict(answers),
        "items": _items(session, matter, chosen),
        "materials": _materials(session, loaded, known, [code for code, action in chosen.items() if action == "include"]),
        "unanswered": [q["id"] for q in asked if not q["derived"] and q["id"] not in answers],
    }
    if excluded := _exclusions(session, matter, loaded, known):
        checklist["exclusions"] = excluded
    content = orjson.dumps(checklist, option=orjson.OPT_SORT_KEYS)
    return checklist | {"hash": hashlib.sha256(content).hexdigest()}


def require_offered(matter: Matter, checklist: Checklist) -> None:
    """Refuse a bundle in a situation in which it is not offered (排除情形), with all that the table says of it; raises InvalidInput."""
    wrong = [
        f"{excluded['reason']}（{excluded['basis']}）" + (f"：{excluded['instead']}" if excluded["instead"] else "")
        for excluded in checklist.get("exclusions", ())
    ]
    if wrong:
        offered = f"Expected a situation in which {matter.name} is offered, but "
        raise InvalidInput.of_fields([("answers", offered + each) for each in wrong])


def extend(session: Session, case: Case, codes: Sequence[str]) -> None:
    """Add what further items call for, by the tables of the case's own version; what was told before stays as it was.

    Raises InvalidInput for an item that the case's diagram does not call: nobody would ever handle it.
    """
    matter = matters.of(session, case)
    more = make(session, matter, _still_asked(session, _asking(session, matter, codes), case.answers), only=codes)
    known_items = {entry["code"] for entry in case.checklist["items"]}
    merged = {m["code"]: m for m in case.checklist["materials"]}
    for material in more["materials"]:
        before = merged.get(material["code"])
        merged[material["code"]] = before | {"used_by": sorted({*before["used_by"], *material["used_by"]})} if before else material
    case.checklist = case.checklist | {
        "items": case.checklist["items"] + [entry for entry in more["items"] if entry["code"] not in known_items],
        "materials": list(merged.values()),
    }


def situations(session: Session, loaded: Loaded) -> Questions:
    """The questions of a matter: [{id, ask, type, options, source, derived, required, min, max, used_by}]; for reading, they are kept."""
    if "situations" not in loaded.decisions:
        return []
    kept = _kept.get(loaded.deployment_id, lambda: _unchanging(session, loaded))
    return _decided(session, loaded, definitions.MOMENTS) if kept is None else kept


def _unchanging(session: Session, loaded: Loaded) -> Questions | None:
    """The questions, where the table asks neither for the day nor for the time: nothing is given to it, so it says the same for ever."""
    asked: list[str] = []

    def noted(name: str) -> Any:
        asked.append(name)
        return definitions.MOMENTS[name]()

    found = _decided(session, loaded, {name: partial(noted, name) for name in definitions.MOMENTS})
    return None if asked else found


def _decided(session: Session, loaded: Loaded, moments: Mapping[str, Callable[[], Any]]) -> Questions:
    rows = definitions.decision(session, loaded, "situations").evaluate({}, moments)
    flags = ("derived", "required")
    lists = ("options", "used_by")
    read = [{name: facts.words(row.get(name)) for name in lists} | {name: bool(row.get(name)) for name in flags} for row in rows]
    return [dict.fromkeys(questions.BOUNDS) | row | more for row, more in zip(rows, read, strict=True)]


def answers_for(session: Session, case: Case, codes: Collection[str]) -> dict[str, Any]:
    """What of the answers these items are handled by, as the table says (`used_by`): their departments are told no more of the bundle.

    In the archive only where these are the tables of the case's own matter.
    """
    told = {question["id"] for question in _asked_of(session, case, codes) if _is_for(question, codes)}
    return {name: value for name, value in case.answers.items() if name in told}


def withheld(session: Session, case: Case, codes: Collection[str]) -> set[str]:
    """Name the answers that the table gives to other items only; those of which it says nothing are withheld from nobody."""
    asked = _asked_of(session, case, codes)
    others = {question["id"] for question in asked if question["used_by"] and not _is_for(question, codes)}
    return others & case.answers.keys()


def _asked_of(session: Session, case: Case, codes: Collection[str]) -> Questions:
    """The questions of a case, where these are its items."""
    asking = _asking(session, matters.of(session, case), codes)
    return situations(session, definitions.get(session, asking.definition_id))


def _is_for(question: Mapping[str, Any], codes: Collection[str]) -> bool:
    return "*" in question["used_by"] or not set(codes).isdisjoint(question["used_by"])


def missing(checklist: Checklist, handed_in: Iterable[str], items: Iterable[str]) -> list[dict[str, Any]]:
    """Materials that the applicant must hand in himself for these items, and has not."""
    have, wanted = set(handed_in), set(items)
    return [m for m in checklist["materials"] if m["asked"] and m["code"] not in have and wanted & set(m["used_by"])]


def as_errors(materials: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Tell of materials that are missing, each under the field that it would be."""
    return [{"field": f"materials.{m['code']}", "message": f"Expected {m['name']}, but it was not handed in"} for m in materials]


def _asking(session: Session, matter: Matter, only: Iterable[str] | None) -> Matter:
    """The matter whose tables say what is asked: for an item alone, the first bundle that calls it."""
    if matter.key != matters.SINGLE_ITEM or only is None:
        return matter
    return next((m for m in matters.catalogue(session) if set(only) & set(m.calls)), matter)


def _still_asked(session: Session, asking: Matter, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what a version no longer asks, or asks otherwise, to which a case was moved after it had answered."""
    asked = {question["id"]: question for question in situations(session, definitions.get(session, asking.definition_id))}
    return {name: value for name, value in answers.items() if name in asked and not questions.refusal(asked[name], value)}


def _check_answers(asked: Questions, answers: Mapping[str, Any], *, whole: bool) -> None:
    known = {question["id"]: question for question in asked}
    unknown = [name for name in answers if name not in known]
    wrong = [(f"answers.{name}", f"Expected a question of this matter, but {name!r} is none") for name in unknown]
    wrong += [each for name, value in answers.items() if name in known for each in _check_answer(known[name], value)]
    lacking = [
        question for question in asked if whole and question["required"] and not question["derived"] and question["id"] not in answers
    ]
    wrong += [(f"answers.{question['id']}", f"Expected an answer to {question['ask']}, but there is none") for question in lacking]
    if wrong:
        raise InvalidInput.of_fields(wrong)


def _check_answer(question: Mapping[str, Any], value: Any) -> list[tuple[str, str]]:
    wrong = questions.refusal(question, value)
    return [(f"answers.{question['id']}", wrong)] if wrong else []


def _choose(session: Session, loaded: Loaded, answers: Mapping[str, Any]) -> dict[str, str]:
    """Items by the table, in its order; what one rule excludes no other rule brings back.

    Raises InvalidInput where the matter was deployed without its table: that of another one says nothing about it.
    """
    if "items" not in loaded.decisions:
        raise InvalidInput(
            f"Expected {loaded.key} to have a table of items (items), but it was deployed without one, so that nobody can apply for it: "
            "deploy its .dmn file with the diagram"
        )
    rows = definitions.decide(session, loaded, "items", answers)
    excluded = {row["item"] for row in rows if row["action"] == "exclude"}
    return {row["item"]: row["action"] for row in rows if row["action"] != "exclude" and row["item"] not in excluded}


def _exclusions(session: Session, matter: Matter, asking: Loaded, answers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Why the matter is not offered in a situation, by its own table; an item alone, asked for by the tables of a bundle, is."""
    if asking.id != matter.definition_id or EXCLUSIONS not in asking.decisions:
        return []
    rows = definitions.decide(session, asking, EXCLUSIONS, answers)
    return [{name: row.get(name) or "" for name in ("reason", "instead", "basis")} for row in rows]


def _items(session: Session, matter: Matter, chosen: Mapping[str, str]) -> list[dict[str, Any]]:
    facts = matters.items_of(session, chosen)
    return [_item(matter, facts[code], action) for code, action in chosen.items()]


def _item(matter: Matter, item: ItemFacts, action: str) -> dict[str, Any]:
    call = matter.calls.get(item.code)
    promised = call.promised if call else None
    return {
        "code": item.code,
        "name": item.name,
        "department": item.department,
        "mode": item.mode,
        "action": action,
        "limits": [
            {"kind": limit.kind, "days": promised if promised and limit.kind == "promised" else limit.days, "unit": limit.unit}
            for limit in item.limits
        ],
        "predecessors": [{"item": p.item, "kind": p.kind} for p in (call.predecessors if call else ())],
        "on_refusal": call.on_refusal if call else "BLOCK",
        "extension": item.extension,
        "post_check": item.post_check,
        "type": item.type,
        "result": item.result,
        "issuer": item.issuer,
    }


def _materials(session: Session, loaded: Loaded, answers: Mapping[str, Any], items: list[str]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for row in definitions.decide(session, loaded, "materials", answers) if "materials" in loaded.decisions else []:
        used_by = items if row["used_by"] == "*" else [code for code in facts.words(row["used_by"]) if code in items]
        if not used_by:
            continue
        # One material that several items ask for under one merge key is asked for once.
        known = found.setdefault(row.get("merge_key") or row["material"], _material(row, []))
        known["used_by"] = [*known["used_by"], *(code for code in used_by if code not in known["used_by"])]
    return list(found.values())


def _material(row: Mapping[str, Any], used_by: list[str]) -> dict[str, Any]:
    return {
        "code": row["material"],
        "name": row["name"],
        "necessity": row["necessity"],
        "source": row["source"],
        "exemption": row["exemption"],
        "merge_key": row.get("merge_key") or None,
        "used_by": used_by,
        #: Made by the system, or fetched from shared data: not asked of the applicant.
        "asked": row["exemption"] == "SUBMIT",
        "tolerable": bool(row.get("tolerable")),
        "until": row.get("until") or "BEFORE_ISSUE",
        "due_rule": row.get("due_rule") or "item_promise",
        "due_days": row.get("due_days"),
        "grace_days": row.get("grace_days") or 0,
        "basis": row.get("basis") or "",
    }
