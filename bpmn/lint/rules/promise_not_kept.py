"""The published limit of a bundle can be kept."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import situations
from bpmn.matter.critical_path import Path, Plan
from bpmn.matter.facts import DrawnMatter
from bpmn.matter.situations import Situation


def check(bundle: Bundle) -> Problems:
    """The published limit of a bundle (承诺时限) is compared with the critical path over its items' limits, in every situation."""
    for matter in bundle.matters:
        for path, situation in _broken(bundle, matter):
            chain = " → ".join(f"{matter.name(code)} {matter.days(code)}" for code in path.items)
            answers = situations.telling(matter, situation, path.items)
            when = situations.spoken(answers) or "in every situation"
            message = (
                f"Expected the bundle to be done in the {matter.promised} working days that are published, but its items take {path.days}: "
                f"{chain} ({when}): publish {path.days}, or shorten an item of this chain"
            )
            call = matter.calls[path.items[-1]]
            yield Problem(resource=matter.resource, element=call.element, message=message)


def _broken(bundle: Bundle, matter: DrawnMatter) -> Iterator[tuple[Path, Situation]]:
    """Yield the critical paths that take longer than promised, each with the smallest situation in which it is critical."""
    if matter.promised is None or not matter.is_bundle:
        return
    plan = Plan({code: matter.days(code) for code in matter.calls}, matter.order)
    heavy = plan.beyond(matter.promised)
    seen: set[frozenset[str]] = set()
    found: dict[Path, Situation] = {}
    for situation in sorted(bundle.situations(matter), key=lambda each: len(each.items)):
        chosen = heavy.intersection(situation.items)
        if chosen not in seen:
            seen.add(chosen)
            path = plan.longest(chosen)
            if path.days > matter.promised:
                found.setdefault(path, situation)
    for path, situation in sorted(found.items(), key=lambda each: -each[0].days):
        if not any(set(path.items) < set(other.items) for other in found):
            yield path, situation
