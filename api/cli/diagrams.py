"""`onething deploy` and `onething lint`: the files of matters, as Camunda Modeler saves them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from api.cli.database import opened
from api.cli.doctor import refuse_unfit
from engine import deployments, folders, settings
from engine.actors import Actor, Role, RoleGrant
from engine.database import Database, Session
from engine.folders import Folder

#: Who acts when a command is given on this machine: whoever may do that may do everything here.
OPERATOR = Actor(name="operator", display_name="onething", grants=(RoleGrant(role=Role.ADMIN),))

paths_argument = click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))


@click.command()
@paths_argument
def deploy(paths: tuple[Path, ...]) -> None:
    """Deploy the diagrams, decision tables and forms in PATHS, each folder as one deployment.

    All or nothing: when one folder is refused, none is deployed.  What is deployed already stays as it is.
    """
    found, loaded = folders.read(paths), settings.load()
    refuse_unfit(loaded)
    with opened(loaded) as database, database.transaction() as session:
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
    with database.transaction() as session:
        severities = Counter(severity for folder in found for severity in _check(session, folder))
    database.close()
    files = sum(len(folder.resources) for folder in found)
    click.echo(f"{files} files, {severities['error']} errors, {severities['warning']} warnings")
    if severities["error"]:
        raise click.exceptions.Exit(1)


def _check(session: Session, folder: Folder) -> list[str]:
    """Print what is wrong, and give its severities."""
    findings = deployments.check(session, folder.resources)
    for finding in findings:
        place = f"{folder.name}/{finding.resource}:{finding.line}"
        element = f" ({finding.element} {finding.element_name})" if finding.element else ""
        click.echo(f"{place}: {finding.severity}: {finding.message}{element} [{finding.rule}]")
    severities = [finding.severity for finding in findings]
    if "error" not in severities:
        # The folders that follow may call what is in this one.
        deployments.deploy(session, folder.name, folder.resources, actor=OPERATOR)
    return severities
