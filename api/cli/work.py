"""`onething work`: the scheduler alone."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable
from datetime import timedelta

import click

from api.cli.doctor import refuse_unfit
from engine import archives, compiled_files, moments, retention, settings, worker
from engine.database import Database
from engine.floors import Floors
from engine.heartbeat import Heartbeat
from engine.pace import Pace
from engine.settings import Settings

#: By how much other processes of the host go before this one: nobody is to wait for a mass of what has become due.
COURTESY = 5
#: Transactions of timers at a time; SQLite has one writer.
HANDS = 2
#: Objects after which Python looks for those that refer to each other in a circle.
COLLECTED = 50_000
#: Seconds between two looks at what is kept no longer.
SWEEP = 3600


@click.command()
def work() -> None:
    """Look for what is due until Ctrl-C or SIGTERM; any number of nodes may do so at the same time."""
    loaded = settings.load()
    refuse_unfit(loaded)
    database = Database(loaded.database_url, live=loaded.live_instances)
    moments.follow(database.bind)
    os.nice(COURTESY)
    # What is loaded by now stays; what comes and goes, by the ten thousand in a batch, is not looked at so often.
    gc.freeze()
    gc.set_threshold(COLLECTED)
    heart = heartbeat(database, loaded, hands=1 if database.bind.dialect.name == "sqlite" else HANDS)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    click.echo(f"Looking every {loaded.tick:g} s for what is due.")
    heart.start()
    stopped.wait()
    heart.stop()
    database.close()


def heartbeat(database: Database, loaded: Settings, *, hands: int = 1, asked: Callable[[], bool] = lambda: False) -> Heartbeat:
    """The heartbeat of the worker on this database, not yet started; `hands` and `asked` are those of its pace."""
    floors = Floors()
    heart = Heartbeat(lambda: worker.pulse(database, floors, region=loaded.region, pace=pace), seconds=loaded.tick)
    pace = Pace(hands=hands, asked=asked, stopping=heart.stopping.is_set)
    heart.also(lambda: retention.sweep(database, answers=timedelta(hours=loaded.keep_answers)), seconds=SWEEP)
    heart.also(lambda: archives.sweep(database), seconds=SWEEP)
    heart.also(lambda: compiled_files.sweep(database), seconds=SWEEP)
    return heart
