"""What a matter asks can be answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bpmn.lint import spelling
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import facts, questions

#: Types of questions that offer something to choose from.
CHOOSING = frozenset({"single", "multi"})
#: What people put between options beside a comma.
_MARKS = re.compile("[、；;]")
_TWO = 2


def check(bundle: Bundle) -> Problems:
    """A question of a situation has a number, a known type, two different options to choose from, and bounds that a number can keep."""
    words = bundle.known.words
    for matter in bundle.matters if words.questions else ():
        for rule, row in matter.rows("situations"):
            for wrong in _wrong(row, words.questions):
                message = f"Expected the question “{row.get('ask')}” in {rule} of the table situations to {wrong}"
                yield Problem(resource=bundle.place("situations"), line=rule.line, message=message)


def _wrong(row: Mapping[str, object], known: frozenset[str]) -> Iterator[str]:
    kind, options = str(row.get("type") or ""), facts.words(row.get("options"))
    if kind not in known:
        advice = spelling.advice(kind, known) or f": write {', '.join(sorted(known))}"
        yield f"be of a type that is known, but it is of the type {kind!r}{advice}"
    elif kind in CHOOSING and len(set(options)) < _TWO:
        one = options[0] if options else ""
        parted = f": write {','.join(part.strip() for part in _MARKS.split(one))}, parted by commas" if _MARKS.search(one) else ""
        yield f"offer two answers or more, but it offers {one or 'none'}{parted or ': add them to the options, parted by commas'}"
    elif len(set(options)) < len(options):
        twice = next(each for place, each in enumerate(options) if each in options[:place])
        yield f"offer each answer once, but {twice} stands twice"
    elif kind == "boolean" and options:
        yield "be answered with true or false, but it has options, which no such answer is: empty them, or write the type single"
    yield from _out_of_bounds(row, kind)


def _out_of_bounds(row: Mapping[str, object], kind: str) -> Iterator[str]:
    """Yield what is wrong with the least and the greatest number that may be answered."""
    written = {name: row[name] for name in questions.BOUNDS if row.get(name) not in (None, "")}
    for name, bound in written.items():
        if not questions.is_number(bound):
            yield f"have a number as its {name}, but it is {bound!r}: write a number, without quotation marks"
        elif kind != "number":
            yield f"be of the type number, since it has a {name}, but it is {kind!r}: empty that cell, or write number"
    least, most = questions.bounds(row)
    if least is not None and most is not None and least > most:
        yield f"have an answer, but none is {least} or more and {most} or less: exchange min and max"
