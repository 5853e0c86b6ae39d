"""`onething deploy`: the files of matters, as Camunda Modeler saves them."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli import findings, installation
from engine import checks, deployments, folders, settings
from engine.actors import OPERATOR
from engine.checks import Located


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
def deploy(paths: tuple[Path, ...]) -> None:
    """Deploy the diagrams, decision tables and forms in PATHS, each folder as one deployment.

    All or nothing: when one folder is refused, none is deployed.  What is deployed already stays as it is.  Warnings come last.
    """
    found, told, warnings = folders.read(paths), [], list[Located]()
    with installation.sound(settings.load()) as database, database.transaction() as session:
        for folder in found:
            deployment = deployments.deploy(
                session, folder.name, folder.resources, actor=OPERATOR, source="command line", warn=checks.locate(folder, warnings)
            )
            told.append(f"{folder.name}: {', '.join(folder.resources)} (deployment {deployment.id})")
    click.echo("\n".join(told))
    for located in warnings:
        click.echo(findings.line(located), err=True)
