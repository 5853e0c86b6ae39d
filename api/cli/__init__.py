"""The command line (`onething`): a group, and one module for each command."""

from __future__ import annotations

import errno
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import click

from api.cli import endings, streams
from engine import disks, errors, logs, settings
from engine.errors import Busy, EngineError, Unavailable, Unfit
from engine.settings import SettingsError

#: Module of each command, and what it does, in the order of the help: to tell it, no command is imported.
COMMANDS = {
    "serve": ("serve", "Serve the API and the page, with the scheduler."),
    "work": ("work", "Run the scheduler alone."),
    "migrate": ("database", "Bring the schema to the newest version."),
    "add-admin": ("accounts", "Make the account of an administrator."),
    "deploy": ("diagrams", "Deploy diagrams, decision tables and forms."),
    "new": ("new", "Make a folder for a new matter."),
    "lint": ("lint", "Check files as a deployment does, and more."),
    "diff": ("diff", "Say what changed between files or versions."),
    "migrate-cases": ("migrate_cases", "Move running cases to another version."),
    "publish-calendar": ("calendar", "Publish or correct a year of the calendar."),
    "impact": ("impact", "Compare a bundle with its items done one by one."),
    "simulate": ("simulate", "Try a drawing out, in memory."),
    "demo": ("demo", "Play a restaurant case; nothing of it is kept."),
    "doctor": ("doctor", "Tell whether the installation is fit to serve."),
    "verify": ("verify", "Look whether everything that is kept is whole."),
    "backup": ("backup", "Copy the database and the uploaded files."),
    "restore": ("restore", "Make an installation of a backup."),
}


class Hindered(click.ClickException):
    """The database, or a disk, has kept a command from its work; a script sees by the exit status (EX_TEMPFAIL) that it may try again."""

    exit_code = 75


class Group(click.Group):
    """A group whose refusals are one line, not a traceback; a command is imported when it is asked for, so that lint needs no server."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click passes it
        """Name the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = f"api.cli.{COMMANDS[cmd_name][0]}"
        if module not in sys.modules:
            _load(module)
        command: click.Command = getattr(sys.modules[module], cmd_name.replace("-", "_"))
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Say what each command does."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what the engine or the settings refuse is an error of the person at the keyboard."""
        try:
            with endings.tidy(), disks.named(), _heard():
                return super().invoke(ctx)
        except (EngineError, SettingsError) as error:
            passing = isinstance(error, Busy | Unavailable) and not isinstance(error, Unfit)
            kind = Hindered if passing else click.ClickException
            why = errors.said_below(error)  # which clients of the API are not told
            raise kind(f"{error} ({why})" if why else str(error)) from error
        except MemoryError as error:  # outside of a transaction
            raise Hindered("Expected this machine to have memory for it, but it has none left; try again later") from error


@contextmanager
def _heard() -> Iterator[None]:
    """Raise ClickException when the standard output does not take what a command says, which may be done by then; who reads it may go."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE or error.filename or not (why := streams.fault()):
            raise
        raise click.ClickException(
            f"Expected to say on the standard output how it went, but {why}; look whether it is done before you give it again"
        ) from error


def _load(module: str) -> None:
    # What is imported stays: to look for garbage among it, again and again, takes a sixth of the time, and as long with each request.
    gc.disable()
    import_module(module)
    gc.freeze()
    gc.enable()


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="onething")
def main() -> None:
    """Run bundled government matters (高效办成一件事).

    Settings are environment variables; `onething doctor` shows them.
    """
    streams.have()
    logs.configure(settings.load().env)
