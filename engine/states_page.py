"""The page `docs/states.md`, made from the statuses and their transition tables: `python -m engine.states_page > docs/states.md`."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from enum import StrEnum

from engine import states

_MEMBER = re.compile(r'^    (?P<name>[A-Z_]+) = "(?P<value>\w+)"(?:  #: (?P<says>.*))?$')


def render() -> str:
    """Return the whole page as Markdown: for each enum its meaning, a picture, and a line for every status."""
    parts = ["# Statuses", "", "Made from `engine/states.py` by `python -m engine.states_page > docs/states.md`; do not edit.", ""]
    for kind, moves in states.TRANSITIONS.items():
        parts += [f"## {kind.__name__}", "", inspect.getdoc(kind) or "", "", "```mermaid", "stateDiagram-v2"]
        parts += _arrows(kind, dict(moves))
        parts += ["```", "", "| status | means | may become |", "|---|---|---|"]
        parts += [f"| `{v}` | {says} | {', '.join(f'`{t}`' for t in sorted(moves[kind(v)])) or '–'} |" for v, says in meanings(kind)]
        parts.append("")
    return "\n".join(parts)


def meanings(kind: type[StrEnum]) -> Iterator[tuple[str, str]]:
    """Yield each status with what is written beside it in the source."""
    for line in inspect.getsource(kind).splitlines():
        if found := _MEMBER.match(line):
            yield found["value"], found["says"] or ""


def _arrows(kind: type[StrEnum], moves: dict[StrEnum, frozenset[StrEnum]]) -> list[str]:
    reached = {target for targets in moves.values() for target in targets}
    first = next(iter(kind))
    begins = [f"    [*] --> {status}" for status in kind if status is first or status not in reached]
    steps = [f"    {source} --> {target}" for source, targets in moves.items() for target in sorted(targets)]
    ends = [f"    {status} --> [*]" for status, targets in moves.items() if not targets]
    return begins + steps + ends


if __name__ == "__main__":
    sys.stdout.write(render())
