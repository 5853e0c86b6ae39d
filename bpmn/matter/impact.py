"""The impact of bundling (四减: 减环节、减材料、减时限、减跑动): a bundle compared with its items, each applied for alone.

Alone, each item is taken in, handled and issued by itself, one after the other, with all its materials each time.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bpmn.definition import Definition, Element, ElementType
from bpmn.matter import facts, situations, ways
from bpmn.matter.critical_path import Plan
from bpmn.matter.facts import DrawnMatter
from bpmn.matter.situations import Situation

#: Tasks at the window of every application: it is taken in, and what came of it is handed out.
INTAKE, ISSUANCE = 1, 1


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One figure before and after."""

    #: steps, materials, days or visits.
    name: str
    before: int
    after: int


@dataclass(frozen=True, kw_only=True)
class Impact:
    """What bundling changes for an applicant in one situation."""

    matter: DrawnMatter
    situation: Situation
    measures: tuple[Measure, ...]

    def __str__(self) -> str:
        process, names = self.matter.process, "、".join(map(self.matter.name, self.situation.items))
        return f"{process.name} ({process.key}): {names}\n{situations.spoken(self.situation.answers)}"


def measure(matter: DrawnMatter, situation: Situation) -> Impact:
    """Compute before and after from the diagrams and tables: steps, materials, working days on the critical path, visits."""
    plan = Plan({code: matter.days(code) for code in matter.calls}, matter.order)
    handled = sum(_handling(matter, code) for code in situation.items)
    issued = sum(_has_result(matter, code) for code in situation.items)
    alone = len(situation.items) * INTAKE + issued * ISSUANCE
    together = INTAKE + ISSUANCE * bool(issued)
    demanded, asked = _materials(matter, situation)
    measures = (
        Measure(name="steps", before=alone + handled, after=together + handled),
        Measure(name="materials", before=demanded, after=asked),
        Measure(name="days", before=sum(map(matter.days, situation.items)), after=plan.longest(situation.items).days),
        Measure(name="visits", before=alone, after=together),
    )
    return Impact(matter=matter, situation=situation, measures=measures)


def widest(matter: DrawnMatter) -> Situation:
    """Return the situation that calls for the most items."""
    return max(situations.of(matter), key=lambda each: len(each.items))


def _materials(matter: DrawnMatter, situation: Situation) -> tuple[int, int]:
    """Count what the items demand, each by itself, and what the applicant hands in for all of them together."""
    decision = matter.decisions.get("materials")
    rows = decision.evaluate({**dict.fromkeys(decision.reads), **situation.answers}) if decision else []
    demanded, asked = set(), set()
    for row in rows:
        users = _users(row, situation)
        demanded |= {(str(row.get("material")), code) for code in users}
        if users and row.get("exemption") == "SUBMIT":
            asked.add(str(row.get("merge_key") or row.get("material")))
    return len(demanded), len(asked)


def _users(row: Mapping[str, Any], situation: Situation) -> set[str]:
    words = set(facts.words(row.get("used_by")))
    return set(situation.items) if "*" in words else words & set(situation.items)


def _has_result(matter: DrawnMatter, code: str) -> bool:
    """Tell whether an item gives the applicant something to collect."""
    item = matter.items.get(code)
    return bool(item and item.process.properties.get("onething.result"))


def _handling(matter: DrawnMatter, code: str) -> int:
    """Tasks that people do for an item, on the shortest way through its process."""
    item = matter.items.get(code)
    return _fewest_tasks(item.process) if item else 0


def _fewest_tasks(process: Definition) -> int:
    following = ways.followers(process)
    queue = [(0, start.id) for start in process.starts()]
    seen: set[str] = set()
    while queue:
        tasks, key = heapq.heappop(queue)
        element = process.elements[key]
        if _is_last(element):
            return tasks
        if key not in seen:
            seen.add(key)
            for follower in following(key):
                heapq.heappush(queue, (tasks + (process.elements[follower].type is ElementType.USER_TASK), follower))
    return 0


def _is_last(element: Element) -> bool:
    return element.type is ElementType.END_EVENT and element.parent is None
