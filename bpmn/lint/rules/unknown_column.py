"""The tables that the engine reads have the columns that it reads."""

from __future__ import annotations

from collections.abc import Iterator

from bpmn.decisions.table import DecisionTable, HitPolicy
from bpmn.lint import spelling
from bpmn.lint.bundle import LIMITS, TABLES, Bundle, Columns
from bpmn.lint.rule import Problem, Problems
from bpmn.matter import facts
from bpmn.matter.facts import DrawnMatter

#: Policies by which several rows count.
SEVERAL = frozenset({HitPolicy.COLLECT, HitPolicy.RULE_ORDER, HitPolicy.OUTPUT_ORDER})


def check(bundle: Bundle) -> Problems:
    """The tables of a matter, and that of limits, have the columns that are read, and let every row count that hits."""
    words = bundle.known.words
    if not words.tables:
        return
    read = {name for matter in bundle.matters for name in matter.decisions} & words.tables.keys()
    for resource, decision in bundle.decisions:
        if (decision.id in read or decision.id == LIMITS) and isinstance(decision.logic, DecisionTable):
            for message in _wrong(decision.id, decision.logic, words.tables[decision.id]):
                yield Problem(resource=resource, line=decision.line, message=message)
    for matter in bundle.matters:
        yield from _without_items(bundle, matter)
        for table in ("materials", "situations"):
            yield from _needed_by_nobody(bundle, matter, table)


def _wrong(table: str, logic: DecisionTable, columns: Columns) -> Iterator[str]:
    own = {column.name for column in logic.outputs}
    strange = own - columns.needed - columns.known
    for name in sorted(columns.needed | columns.known):
        meant = next((each for each in sorted(strange) if spelling.nearest(each, [name])), None)
        if name not in own and (name in columns.needed or meant):
            instead = f"rename the output {meant!r}" if meant else "add the output, or give it its name back (its label may be another)"
            yield f"Expected the table {table} to have an output called {name}, but it has none: {instead}"
    if columns.several and logic.hit_policy not in SEVERAL:
        yield (
            f"Expected every row of the table {table} to count that hits, but its hit policy is {logic.hit_policy}: choose COLLECT, "
            "otherwise the second of two rows is lost, or refused"
        )


def _without_items(bundle: Bundle, matter: DrawnMatter) -> Problems:
    """Yield a matter whose table of items is called almost so: nobody could hand anything in."""
    if matter.is_bundle and "items" not in matter.decisions and bundle.lacks(TABLES):
        meant = spelling.nearest("items", matter.decisions)
        if meant:
            message = (
                f"Expected a table of {matter.process.key} with the id items, which chooses them, but it is called {meant!r}: rename it"
            )
            yield Problem(resource=matter.resource, process=matter.process, message=message)


def _needed_by_nobody(bundle: Bundle, matter: DrawnMatter, name: str) -> Problems:
    """Yield materials that are asked for items which the matter does not call, and answers that are told to these: nobody has them."""
    table = matter.table(name) if matter.is_bundle else None
    for rule, row in facts.rows(table) if table else ():
        for code in facts.words(row.get("used_by", "*")):
            if code != "*" and code not in matter.named:
                message = (
                    f"Expected used_by in {rule} of the table {name} to name items of {matter.process.key}, but {code} is none"
                    f"{spelling.advice(code, matter.calls)}"
                )
                yield Problem(resource=bundle.place(name), line=rule.line, message=message)
