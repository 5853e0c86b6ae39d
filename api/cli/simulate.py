"""`onething simulate`: try a drawing out, without a server and without waiting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console

from api.cli import findings
from api.simulation import coverage_page, junit, plays, report, scenario, stage, walks
from api.simulation.plays import Played
from api.simulation.stage import Stage
from engine import checks, folders, logs, settings
from engine.errors import InvalidInput

PLACE = click.Path(exists=True, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("path", type=PLACE)
@click.option("--scenario", "scenarios", multiple=True, type=PLACE, help="Play this and nothing else; may be given several times.")
@click.option("--coverage", type=click.Choice(["html"]), help="Draw what was reached: NAME.coverage.html in the current folder.")
@click.option("--junit", "results", type=FILE, help="Write the results for a CI, one test case for each walk or scenario.")
@click.option("--min-coverage", type=click.IntRange(0, 100), default=0, help="Nodes and flows that must be reached, of a hundred.")
@click.option("--min-paths", type=click.IntRange(0, 100), default=0, help="Paths that must be taken, of a hundred that are not impossible.")
@click.option("--walks", "most", type=click.IntRange(1), default=walks.WALKS, show_default=True, help="Walks through one process at most.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same walks, with the same ids and times.")
def simulate(
    path: Path,
    scenarios: tuple[Path, ...],
    coverage: str | None,
    results: Path | None,
    min_coverage: int,
    min_paths: int,
    most: int,
    seed: int,
) -> None:
    """Run what is drawn in PATH (the folder of a matter, or one diagram) on the real engine, in memory, with a virtual clock.

    Without a scenario it walks every path, with sample data from the forms: every way that one token can take from where it begins to
    its end, and every loop.  What was not taken is named, with the reason: it is impossible, or still open.  Exit status 1: a walk or
    scenario failed, or less was reached or taken than was asked for.
    """
    wanted = [scenario.read(file) for file in scenarios]
    path = path.resolve()
    try:
        with logs.silence(), stage.opened(settings.load(), path, seed) as opened:
            played = _play(opened, wanted, most, seed)
            _write(opened, played, Console(soft_wrap=True, highlight=False))
            if results is not None:
                results.write_bytes(junit.written(opened.tried, played))
            if coverage is not None:
                page = Path(f"{path.stem}.coverage.html")
                page.write_text(coverage_page.written(opened, played), encoding="utf-8")
                click.echo(f"Drawn in {page}")
            too_few = [*_too_few(opened, "reached", min_coverage), *_too_few(opened, "taken", min_paths)]
    except InvalidInput as error:
        raise _refusal(path, error) from error
    for words in too_few:
        click.echo(words, err=True)
    if too_few or any(play.failure for found in played.values() for play in found.plays):
        raise click.exceptions.Exit(1)


def _play(opened: Stage, wanted: list[scenario.Scenario], most: int, seed: int) -> dict[str, Played]:
    """Play the scenarios, or walk through each process; what was played by its key."""
    if not opened.tried:
        raise InvalidInput("Expected a process that can be executed, but there is none")
    if wanted:
        return {opened.tried[0].key: Played(plays=[plays.perform(opened, each) for each in wanted])}
    return {each.key: walks.through(opened, each.key, most=most, seed=seed) for each in opened.tried}


def _too_few(opened: Stage, what: str, least: int) -> Iterator[str]:
    """Yield what is wrong with processes of which less was reached, or taken, than was asked for."""
    for each in opened.tried:
        of, percent = ("", each.coverage.percent) if what == "reached" else ("the paths of ", each.coverage.percent_of_paths)
        if percent < least:
            yield f"Expected {least} % of {of}{each.name} ({each.key}) to be {what}, but it is {percent} %"


def _write(opened: Stage, played: dict[str, Played], console: Console) -> None:
    for each in opened.tried:
        report.tell(console, each, played.get(each.key, Played()))
    for each in opened.tried:
        report.cover(console, each, played.get(each.key, Played()))


def _refusal(path: Path, error: InvalidInput) -> click.ClickException:
    """Say what is wrong with the drawing as lint does."""
    own = folders.read([path])
    found = [each for each in checks.check([*folders.read([settings.load().workflows]), *own]) if each.path.parent in {f.path for f in own}]
    errors = [each for each in found if each.finding.refuses and (path.is_dir() or each.path == path)]
    words = findings.text(errors, sum(len(folder.resources) for folder in own)) if errors else str(error)
    return click.ClickException(words)
