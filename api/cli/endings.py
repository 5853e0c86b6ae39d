"""How a command ends that is told to stop before it is done."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click


class Stopped(SystemExit):
    """The command was told to stop (SIGTERM), with the exit status that says so."""


@contextmanager
def tidy() -> Iterator[None]:
    """Have SIGTERM end the block as Ctrl-C does: what was begun is taken back, and programs that it has started end with it.

    Who is the first process of its container would not heed it at all, unless he has said how.  Either way it says what to do: what was
    committed is done, and whoever gives a command again goes on, or is told that there is nothing left to do.
    """
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        yield
    except (Stopped, KeyboardInterrupt):
        with suppress(OSError):  # nobody may be there any more
            click.echo("Stopped before the end: what was half done is taken back, the rest stays. Give it again to go on.", err=True)
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, _frame: object) -> None:
    raise Stopped(128 + number)
