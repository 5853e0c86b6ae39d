"""The report of a simulation, for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from api.simulation.plays import Line, Play
from engine.simulations import Tried

#: Nodes that only show the way: they are covered, but a trace is read for what happens.
_SILENT = ("Gateway",)
_HALF = 50


def tell(console: Console, play: Play) -> None:
    """Write the trace of a play, and what is left open."""
    console.print(f"\n[bold]{escape(play.name)}[/]" + (f" (+{play.gained})" if play.gained else ""))
    for line in play.lines:
        console.print(_line(line))
    if play.failure:
        console.print(f"  [bold red]failed[/] {escape(play.failure)}")
    for group, names in sorted(play.open.items()):
        console.print(f"  open  {escape(group or 'nobody')}: {escape('、'.join(names))}")


def _line(line: Line) -> Text:
    text = Text(f"  {line.at:%m-%d %H:%M}  {line.who:<16} {line.what}")
    if line.refused:
        return text.append(f"  refused: {line.refused}", "yellow")
    names = way(line)
    return text.append(f"  → {' → '.join(names)}", "green") if names else text


def way(line: Line) -> list[str]:
    """Name the nodes that tokens came to, in order; gateways are left out."""
    return [each.name for each in line.reached if not each.type.endswith(_SILENT)]


def compare(console: Console, played: Sequence[Play]) -> None:
    """Write what was promised beside what was used: in the first play, and at most in any."""
    rows = {(figure.name, figure.promised): figure.used for figure in played[0].figures} if played else {}
    if not rows:
        return
    table = Table("clock", "promised", "used", "at most", title="Working days (in the first; in any)", title_justify="left", box=None)
    for (name, promised), used in rows.items():
        most = max(figure.used for play in played for figure in play.figures if figure.name == name)
        table.add_row(Text(name), str(promised), Text(str(used), "red" if used > promised else "green"), str(most))
    console.print()
    console.print(table)


def cover(console: Console, tried: Tried) -> None:
    """Write what of a process was reached, and what never was."""
    covered = tried.coverage
    colour = "green" if not covered.missed else "yellow" if covered.percent >= _HALF else "red"
    console.print(f"\n[bold]{escape(tried.name)}[/] ({tried.key}): [{colour}]{covered.percent} %[/] reached: {parts(tried)}")
    for each in covered.missed:
        console.print(f"  never reached: {each.id}" + (f" {escape(each.name)}" if each.name else ""))


def parts(tried: Tried) -> str:
    """Count nodes and flows."""
    covered = tried.coverage
    nodes, flows = (sum(each.id in covered.reached for each in some) for some in (covered.nodes, covered.flows))
    return f"{nodes} of {len(covered.nodes)} nodes, {flows} of {len(covered.flows)} flows"
