"""`onething deploy` and `onething lint`: the files of matters, as Camunda Modeler saves them."""

from __future__ import annotations

from pathlib import Path

import click

from api.cli.database import opened
from engine import deployments, folders, settings
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database

#: Who acts when a command is given on this machine: whoever may do that may do everything here.
OPERATOR = Actor(name="operator", display_name="onething", grants=(RoleGrant(role=Role.ADMIN),))

paths_argument = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.command()
@paths_argument
def deploy(paths: tuple[Path, ...]) -> None:
    """Deploy the diagrams, decision tables and forms in PATHS, each folder as one deployment.

    All or nothing: when one folder is refused, none is deployed.  What is deployed already stays as it is.
    """
    found = folders.read(paths)
    with opened(settings.load()) as database, database.transaction() as session:
        for folder in found:
            deployment = deployments.deploy(session, folder.name, folder.resources, actor=OPERATOR, source="command line")
            click.echo(f"{folder.name}: {', '.join(folder.resources)} (deployment {deployment.id})")


@click.command()
@paths_argument
def lint(paths: tuple[Path, ...]) -> None:
    """Check PATHS as a deployment does, and more: warnings, too; exit status 1 when something would be refused."""
    found = folders.read(paths)
    database = Database("sqlite://")  # in memory: what is checked is not deployed
    database.migrate()
    refused = False
    try:
        with database.transaction() as session:
            for folder in found:
                findings = deployments.check(session, folder.resources)
                for finding in findings:
                    where = f"{folder.name}/{finding.resource}:{finding.line}"
                    click.echo(f"{where}: {finding.severity}: {finding.message} [{finding.rule}] {finding.element} {finding.element_name}")
                if any(finding.severity == "error" for finding in findings):
                    refused = True
                else:
                    # The matters that call these items know them now.
                    deployments.deploy(session, folder.name, folder.resources, actor=OPERATOR)
    finally:
        database.close()
    if refused:
        raise click.exceptions.Exit(1)
