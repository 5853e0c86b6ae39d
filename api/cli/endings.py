"""How a command ends that is told to stop before it is done."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click


class Stopped(SystemExit):
    """The command was told to stop, with the exit status that says by which signal."""


@contextmanager
def tidy() -> Iterator[None]:
    """Have SIGTERM end the block as Ctrl-C does: what was begun is taken back, and programs that it has started end with it.

    So does a terminal that is closed (SIGHUP), unless the command was begun to outlive it (`nohup`).  Who is the first process of its
    container would not heed a signal at all, unless he has said how.  Either way it says what to do: what was committed is done, and
    whoever gives a command again goes on, or is told that there is nothing left to do.
    """
    heeded = [signal.SIGTERM] if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else [signal.SIGTERM, signal.SIGHUP]
    before = {number: signal.signal(number, _stop) for number in heeded}
    try:
        yield
    except (Stopped, KeyboardInterrupt):
        with suppress(OSError):  # nobody may be there any more
            click.echo("Stopped before the end: what was half done is taken back, the rest stays. Give it again to go on.", err=True)
        raise
    finally:
        for number, how in before.items():
            signal.signal(number, how)


def _stop(number: int, _frame: object) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the system tells of a closed terminal, and the shell once more
    raise Stopped(128 + number)
