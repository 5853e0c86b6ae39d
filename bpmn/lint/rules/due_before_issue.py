"""What may follow after a result is issued is not due before that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

from bpmn import closure
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter.critical_path import Path, Plan
from bpmn.matter.facts import DrawnMatter, words

#: What holds no item back while it is missing.
AFTERWARDS = frozenset({"BEFORE_OPENING", "AFTER_ISSUE"})


def check(bundle: Bundle) -> Problems:
    """A material that may follow after the result is issued (缴回证件) is due later than the result: its days count from acceptance."""
    for matter in bundle.matters:
        late = [(rule, row) for rule, row in matter.rows("materials") if row.get("tolerable") and row.get("until") in AFTERWARDS]
        soonest = _soonest(bundle, matter, {code for _rule, row in late for code in words(row.get("used_by"))} & matter.calls.keys())
        for rule, row in late:
            days = row.get("due_days")
            for path in (soonest[code] for code in words(row.get("used_by")) if code in soonest):
                if isinstance(days, int) and 0 < days <= path.days:
                    chain = " → ".join(f"{matter.name(code)} {matter.days(code)}" for code in path.items)
                    message = (
                        f"Expected “{row.get('name')}” ({row.get('material')}) to be due after {matter.name(path.items[-1])} is issued, "
                        f"but its {days} working days count from acceptance, and {chain} take {path.days}: "
                        f"write more than {path.days} in due_days; when they and grace_days are over, the item is returned"
                    )
                    yield Problem(resource=bundle.place("materials"), line=rule.line, message=message)


def _soonest(bundle: Bundle, matter: DrawnMatter, wanted: Collection[str]) -> Mapping[str, Path]:
    """The chain that each of these items takes at least, by its code: that of the situation in which it is the shortest."""
    waits = {code: call.waits_for for code, call in matter.calls.items()}
    plan = Plan({code: matter.days(code) for code in matter.calls}, [(first, code) for code, its in waits.items() for first in its])
    chains: dict[str, set[frozenset[str]]] = defaultdict(set)
    for items in [frozenset(situation.items) for situation in bundle.situations(matter)] if wanted else ():
        for code in items.intersection(wanted):
            chains[code].add(_with_those_before(waits, code, items))
    found = {code: min(map(plan.longest, its), key=lambda path: path.days) for code, its in chains.items()}
    return {code: path for code, path in found.items() if path.items[-1:] == (code,)}


def _with_those_before(waits: Mapping[str, set[str]], code: str, items: frozenset[str]) -> frozenset[str]:
    """An item and all that it waits for, one behind the other; a circle of them is told by another rule."""
    return frozenset(closure.of([code], lambda each: waits.get(each, set()) & items))
