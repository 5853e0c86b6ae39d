"""`onething diff`: what changed between two versions of a diagram."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from api.cli import installation, words
from engine import differences, settings
from engine.differences import Change, Side

FORMATS = ("text", "json")


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--format", "written", type=click.Choice(FORMATS), default="text", show_default=True, help="How changes are written.")
def diff(before: str, after: str, written: str) -> None:
    """Say what changed from BEFORE to AFTER: files, folders, or versions that are deployed, as KEY:VERSION.

    Elements, flows, rules and fields are the same when their ids are; how a diagram looks is no change.
    """
    changes = differences.between(_side(before), _side(after))
    if written == "json":
        click.echo(json.dumps([asdict(change) for change in changes], ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(_text(changes)))


def _side(what: str) -> Side:
    """Read a path, or what is deployed under a key and a version."""
    key, _, version = what.rpartition(":")
    if Path(what).exists() or not key or not version.isdecimal():
        return differences.on_disk(Path(what))
    with installation.sound(settings.load()) as database, database.reading() as session:
        return differences.deployed(session, key, int(version))


def _text(changes: Iterable[Change]) -> Iterator[str]:
    """One line for each change, under the process, table or form that it is in."""
    count = 0
    for place, inside in groupby(changes, key=_place):
        yield place
        for change in inside:
            count += 1
            yield f"  {_line(change)}"
    yield f"共 {count} 处改动 ({count} changes)"


def _place(change: Change) -> str:
    return change.within or change.id


def _line(change: Change) -> str:
    called = f"“{change.name}” ({change.id})" if change.name else change.id
    what = f"{words.SUBJECTS[change.subject]} {called}"
    if change.kind in {"added", "removed"}:
        shown = change.after or change.before
        return f"{words.KINDS[change.kind]} {what}" + (f": {words.TYPES.get(shown, shown)}" if shown else "")
    attribute = f" {words.attribute(change.attribute)}" if change.kind == "changed" else ""
    return f"{words.KINDS[change.kind]} {what}{attribute}: {_value(change.before)} ⇒ {_value(change.after)}"


def _value(text: Any) -> str:
    return "（无）" if text is None else str(text)
