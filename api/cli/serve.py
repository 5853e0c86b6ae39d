"""`onething serve`: the web server, and the scheduler beside it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import click

from engine import settings

#: Names the folder in which processes count together.
SHARED = "PROMETHEUS_MULTIPROC_DIR"


@click.command()
@click.option("--sample", "with_sample", is_flag=True, help="First migrate, deploy the shipped matters and load sample accounts.")
@click.option("--no-scheduler", is_flag=True, help="Leave what is due to `onething work`.")
def serve(*, with_sample: bool, no_scheduler: bool) -> None:
    """Serve the API and the pages until Ctrl-C or SIGTERM; requests in flight are finished."""
    loaded = settings.load()
    with _counting_together(loaded.processes):
        # Not before: prometheus-client looks when it is imported for the folder in which it is to count.
        from api.cli import server

        server.run(loaded, with_sample=with_sample, with_scheduler=not no_scheduler)


@contextmanager
def _counting_together(processes: int) -> Iterator[None]:
    if processes == 1 or SHARED in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="onething-meters-") as folder:
        os.environ[SHARED] = folder
        try:
            yield
        finally:
            del os.environ[SHARED]
