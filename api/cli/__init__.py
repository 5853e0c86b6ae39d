"""The command line (`onething`): a group, and one module for each command."""

from __future__ import annotations

import click

from api.cli.database import migrate
from api.cli.demo import demo
from api.cli.diagrams import deploy
from api.cli.doctor import doctor
from api.cli.impact import impact
from api.cli.lint import lint
from api.cli.new import new
from api.cli.serve import serve
from api.cli.work import work
from engine import logs, settings
from engine.errors import EngineError
from engine.settings import SettingsError


class Group(click.Group):
    """A group whose refusals are one line, not a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what the engine or the settings refuse is an error of the person at the keyboard."""
        try:
            return super().invoke(ctx)
        except (EngineError, SettingsError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="onething")
def main() -> None:
    """Run bundled government matters (高效办成一件事).

    Settings are environment variables; `onething doctor` shows them.
    """
    logs.configure(settings.load().env)


for command in (serve, work, migrate, deploy, new, lint, impact, demo, doctor):
    main.add_command(command)
