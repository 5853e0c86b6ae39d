"""`onething migrate-cases`: move running cases to another version of their diagram."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from uuid import UUID

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from api.cli import installation
from engine import case_migrations, settings
from engine.actors import OPERATOR
from engine.case_migrations import Affected, Plan, Report
from engine.columns import new_id
from engine.database import Database, Session
from engine.definitions import Loaded
from engine.errors import Busy

FORMATS = ("text", "json")
#: Names of elements by id in the old and in the new version.
Names = tuple[dict[str, str], dict[str, str]]
#: What becomes of a token, as people say it.
VERDICTS = {
    "kept": "保留 kept",
    "reset": "重新计时 reset",
    "started": "开始监听 started",
    "stopped": "停止监听 stopped",
    "refused": "不可迁移 refused",
}


@click.command("migrate-cases")
@click.argument("key", required=False)
@click.option("--from", "source", type=int, help="Version that the cases are of.")
@click.option("--to", "target", type=int, help="Version that they shall be of.")
@click.option("--map", "renamed", multiple=True, metavar="OLD=NEW", help="An element or a flow that has another id in the new version.")
@click.option("--case", "numbers", multiple=True, metavar="NUMBER", help="Only these cases or items.")
@click.option("--execute", is_flag=True, help="Move them; without it, only say what would become of them.")
@click.option("--undo", "batch", type=click.UUID, metavar="BATCH", help="Put back what a batch has moved.")
@click.option("--format", "written", type=click.Choice(FORMATS), default="text", show_default=True, help="How the report is written.")
def migrate_cases(
    key: str | None,
    source: int | None,
    target: int | None,
    renamed: tuple[str, ...],
    numbers: tuple[str, ...],
    batch: UUID | None,
    written: str,
    *,
    execute: bool,
) -> None:
    """Move running cases of the process KEY to another version, or say what would become of them.

    Each case is moved by itself: when the command is interrupted, what was moved stays moved, and giving it again takes up the rest.
    What is refused stays as it was.  Exit status 1 when something is refused.
    """
    with installation.sound(settings.load()) as database:
        names: Names = ({}, {})
        if batch is not None:
            reports = list(_undo(database, batch))
        elif key is None or source is None or target is None:
            raise click.UsageError("Expected KEY, --from and --to, or --undo BATCH")
        else:
            with database.reading() as session:
                plan = case_migrations.plan(session, key, source=source, target=target, renamed=dict(map(_pair, renamed)))
                affected = case_migrations.affected(session, plan, numbers)
            reports = list(_move(database, plan, affected) if execute else _preview(database, plan, affected))
            names = (_names(plan.source), _names(plan.target))
    _write(reports, names, written)
    if any(report.reasons for report in reports):
        raise click.exceptions.Exit(1)


def _preview(database: Database, plan: Plan, affected: Sequence[Affected]) -> Iterator[Report]:
    for about in _tracked(affected):
        with database.reading() as session:
            yield case_migrations.preview(session, plan, about, actor=OPERATOR)


def _move(database: Database, plan: Plan, affected: Sequence[Affected]) -> Iterator[Report]:
    batch = new_id()
    click.echo(f"批次 batch {batch} (onething migrate-cases --undo {batch})", err=True)
    return _each(database, affected, lambda session, about: case_migrations.move(session, plan, about, batch=batch, actor=OPERATOR))


def _undo(database: Database, batch: UUID) -> Iterator[Report]:
    with database.reading() as session:
        affected = case_migrations.of_batch(session, batch)
    return _each(database, affected, lambda session, about: case_migrations.undo(session, batch, about, actor=OPERATOR))


def _each(database: Database, affected: Sequence[Affected], do: Callable[[Session, Affected], Report]) -> Iterator[Report]:
    """Do something to each instance, in a transaction of its own; who is busy is left for the next time."""
    for about in _tracked(affected):
        try:
            with database.transaction() as session:
                report = do(session, about)
        except Busy as busy:
            report = Report(about=about, reasons=(busy.message,))
        yield report


def _tracked(affected: Sequence[Affected]) -> Iterable[Affected]:
    """Show how far it is, apart from the report."""
    return track(affected, "办件 cases", console=Console(stderr=True))


def _write(reports: Sequence[Report], names: Names, written: str) -> None:
    if written == "json":
        click.echo(json.dumps(list(map(asdict, reports)), ensure_ascii=False, indent=2, default=str))
        return
    table = Table("办件 case", "现在 now", "之后 then", "结果 outcome")
    for report in reports:
        _add(table, report, names)
    Console(width=160).print(table)
    refused = sum(1 for report in reports if report.reasons)
    for reason, number in Counter(reason for report in reports for reason in report.reasons).most_common():
        click.echo(f"{number} × {reason}")
    click.echo(f"{len(reports)} instances, {sum(report.done for report in reports)} done, {refused} refused")


def _add(table: Table, report: Report, names: Names) -> None:
    """A row for the instance, one for each of its tokens, and why it is refused."""
    number = report.about.item or report.about.case
    table.add_section()
    table.add_row(number, "", "", "不可迁移 refused" if report.reasons else "已完成 done" if report.done else "可迁移 can be moved")
    for step in report.steps:
        why = f": {step.reason}" if step.reason and step.verdict != "refused" else ""
        table.add_row("", _called(step.element, names[0]), _called(step.to, names[1]), f"{VERDICTS[step.verdict]}{why}")
    for reason in report.reasons:
        table.add_row("", "", "", reason)
    for note in report.notes:
        table.add_row("", "", "", f"注意 note: {note}")


def _names(version: Loaded) -> dict[str, str]:
    return {id_: element.name for id_, element in version.definition.elements.items() if element.name and element.name != id_}


def _called(element: str | None, names: dict[str, str]) -> str:
    """What people call an element, with the id by which it is mapped; a dash for nowhere."""
    if element is None:
        return "–"
    return f"{names[element]} ({element})" if element in names else element


def _pair(text: str) -> tuple[str, str]:
    old, sign, new = text.partition("=")
    if not sign:
        raise click.BadParameter(f"Expected OLD=NEW, but got {text!r}", param_hint="--map")
    return old, new
