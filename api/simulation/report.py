"""The report of a simulation, for people at a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from api.simulation.choices import Survey
from api.simulation.lines import Line
from api.simulation.plays import Play, Played
from engine.simulation import Tried
from engine.simulation.trails import LIMIT, Criterion, Path

#: Nodes that only show the way: they are covered, but a trace is read for what happens.
_SILENT = ("Gateway",)
_HALF = 50


def tell(console: Console, tried: Tried, played: Played) -> None:
    """Write what was played in a process: the telling plays, what they took, and what was chosen."""
    if not played.plays:
        return
    console.print(f"\n[bold reverse] {escape(tried.name)} [/] ({tried.key})")
    told: set[int] = set()
    for play in played.telling:
        _tell(console, play, shared=play.shared if play.after in told else 0)
        told.add(play.number)
    if others := len(played.plays) - len(played.telling):
        console.print(f"\n{others} more walks made other choices, and came by nothing else in the drawing.")
    _compare(console, played.plays)
    if played.survey is not None:
        _sum_up(console, played.survey)


def _tell(console: Console, play: Play, *, shared: int) -> None:
    """Write the trace of a play, without the lines that it shares with one that was told, and what is left open."""
    console.print(f"\n[bold]{escape(play.name)}[/]" + (f" (+{play.gained})" if play.gained else ""))
    if shared:
        console.print(f"  … as in walk {play.after}, up to here", style="dim")
    for line in play.lines[shared:]:
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


def _compare(console: Console, played: Sequence[Play]) -> None:
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


def _sum_up(console: Console, survey: Survey) -> None:
    """Write what was chosen, what could not be, and what was left out."""
    console.print(f"\n{survey.walks} walks of {survey.steps} steps: {survey.made} of {survey.choices} choices made")
    for what, reason in survey.refused:
        console.print(f"  refused wherever it was tried: {escape(what)}: {escape(reason)}")
    if survey.left_out:
        console.print(f"  [yellow]left out:[/] {survey.left_out} branches, since enough walks were made; --walks allows more")


def cover(console: Console, tried: Tried, played: Played) -> None:
    """Write what of a process was reached and taken, and what never was and why."""
    covered = tried.coverage
    colour = "green" if not covered.missed else "yellow" if covered.percent >= _HALF else "red"
    console.print(f"\n[bold]{escape(tried.name)}[/] ({tried.key}): [{colour}]{covered.percent} %[/] reached: {parts(tried)}")
    for each in covered.missed:
        name = f" {escape(each.name)}" if each.name else ""
        console.print(f"  never reached: {each.id}{name} ({escape(covered.why(each))})")
    console.print(f"  {taken(tried)}")
    for path in covered.roundabout:
        console.print(f"  only with a loop on the way: {escape(covered.spoken(path))}")
    for kind, path, why in untaken(tried, played):
        console.print(f"  {kind}: {escape(covered.spoken(path))} ({escape(why)})")


def parts(tried: Tried) -> str:
    """Count nodes and flows."""
    covered = tried.coverage
    nodes, flows = (sum(each.id in covered.reached for each in some) for some in (covered.nodes, covered.flows))
    return f"{nodes} of {len(covered.nodes)} nodes, {flows} of {len(covered.flows)} flows"


def taken(tried: Tried) -> str:
    """Count paths; where there are too many, say what is counted in their stead."""
    trails = tried.coverage.trails
    instead = f" (more than {LIMIT} paths: they are not gone one by one)" if trails.paths.criterion is Criterion.PAIRS else ""
    impossible = f", {len(tried.coverage.impossible)} impossible" if tried.coverage.impossible else ""
    return f"{len(trails.taken)} of {len(trails.paths)} {trails.paths.criterion} taken{impossible}{instead}"


def untaken(tried: Tried, played: Played) -> list[tuple[str, Path, str]]:
    """List the paths that were not taken: what is known of them, and the reason."""
    covered, survey = tried.coverage, played.survey
    impossible = covered.impossible
    found = [("impossible", path, covered.contradiction(path)) for path in impossible]
    kind, more = "not taken", ""
    if survey is not None:
        kind = "open" if survey.left_out else "impossible with the sample data"
        gone = f"each of the {survey.situations} situations that there are was gone on from in every way"
        more = f"; {survey.left_out} branches were left out, since enough walks were made" if survey.left_out else f"; {gone}"
    return found + [(kind, path, covered.why_not(path) + more) for path in covered.untaken if path not in impossible]
