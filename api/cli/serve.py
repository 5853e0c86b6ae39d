"""`onething serve`: the web server, and the scheduler beside it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from api.cli import streams
from engine import settings

#: Names the folder in which processes count together.
SHARED = "PROMETHEUS_MULTIPROC_DIR"
#: Has a library in Rust say where it has panicked.  It holds a lock meanwhile, and where there is no memory to find that out it wants the
#: lock once more, in order to say so: it would wait for itself for ever, and with it all threads of Python.
TRACES = "RUST_BACKTRACE"
#: How the name of such a folder begins; a file in it is locked for as long as any process of its server lives.
METERS, LIVES = "onething-meters-", "lives"
#: Where it is, if it can be: a process that counts where there is no room left is ended (SIGBUS), and uploads fill the other place.
MEMORY = Path("/dev/shm")  # noqa: S108 - whoever makes it there owns it alone
#: Seconds after which a folder that nobody holds is nobody's.
FORSAKEN = 60


@click.command()
@click.option("--sample", "with_sample", is_flag=True, help="First migrate, deploy the shipped matters and load sample accounts.")
@click.option("--no-scheduler", is_flag=True, help="Leave what is due to `onething work`.")
def serve(*, with_sample: bool, no_scheduler: bool) -> None:
    """Serve the API and the pages until Ctrl-C or SIGTERM; requests in flight are finished."""
    streams.wait_for_nobody()
    os.environ[TRACES] = "0"
    loaded = settings.load()
    with counting_together(loaded.processes):
        # Not before: prometheus-client looks when it is imported for the folder in which it is to count.
        from api.cli import server  # noqa: PLC0415

        server.run(loaded, with_sample=with_sample, with_scheduler=not no_scheduler)


@contextmanager
def counting_together(processes: int) -> Iterator[None]:
    """Let the processes of one server count in one folder, which goes when the block ends."""
    if processes == 1 or SHARED in os.environ:
        yield
        return
    home = MEMORY if os.access(MEMORY, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
    _clear_up(home)
    with tempfile.TemporaryDirectory(prefix=METERS, dir=home) as folder, (Path(folder) / LIVES).open("w") as lives:
        fcntl.flock(lives, fcntl.LOCK_EX)
        os.environ[SHARED] = folder
        try:
            yield
        finally:
            del os.environ[SHARED]


def _clear_up(home: Path) -> None:
    """Remove what servers that were killed have left."""
    for folder in home.glob(f"{METERS}*"):
        with suppress(OSError), (folder / LIVES).open() as lives:  # another's, or there is none yet
            fcntl.flock(lives, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - folder.stat().st_mtime > FORSAKEN:
                shutil.rmtree(folder)
