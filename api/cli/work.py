"""`onething work`: the scheduler alone."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import timedelta
from functools import partial

import click

from api.cli import streams
from api.cli.doctor import look_before_work
from engine import archives, compiled_files, garbage, holidays, moments, retention, scheduler, schema, settings
from engine.database import Database
from engine.files import FileStore
from engine.floors import Floors
from engine.heartbeat import Heartbeat
from engine.pace import Pace
from engine.settings import Settings

#: Transactions of timers at a time.
HANDS = 2
#: Pieces of one transaction when it is behind, and nobody is there to wait for one of their instances.
MANY = 100
#: What it is told to end by.
ENDING = {signal.SIGINT, signal.SIGTERM}
#: Objects that come and go in a batch: they are not looked at for garbage meanwhile.
YOUNG = 50_000
#: Seconds between two looks at what is kept no longer.
SWEEP = 3600
#: Seconds between two looks at the calendar.
DAY = 24 * SWEEP


@click.command()
def work() -> None:
    """Look for what is due until Ctrl-C or SIGTERM; any number of nodes may do so at the same time."""
    streams.wait_for_nobody()
    loaded = settings.load()
    look_before_work(loaded)
    live, batch, region = loaded.live_instances, loaded.batch, loaded.region
    database = Database(loaded.database_url, live=live, name=schema.WORKER, batch=batch, region=region)
    moments.follow(database.bind)
    os.nice(loaded.courtesy)  # nobody is to wait for a mass of what has become due
    garbage.spare(young=YOUNG)
    heart = heartbeat(database, loaded, pace(database))
    # Blocked in every thread, it waits for this one: another thread that were woken by it, as after SIGCONT, would tell nobody.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that is closed ends no server either
    streams.say(f"Looking every {loaded.tick:g} s for what is due.")
    heart.start()
    signal.sigwait(ENDING)
    heart.stop()
    database.close()


def pace(database: Database) -> Pace:
    """How it goes about what is due; SQLite has one writer, and does not tell whether anybody is there."""
    if database.bind.dialect.name == "sqlite":
        return Pace()
    return Pace(hands=HANDS, many=MANY, people=partial(scheduler.are_people_served, database))


def heartbeat(database: Database, loaded: Settings, pace: Pace) -> Heartbeat:
    """The heartbeat of the scheduler on this database, not yet started."""
    floors = Floors()
    tick = loaded.tick
    heart = Heartbeat(lambda: scheduler.pulse(database, floors, pace=pace, within=tick), seconds=tick)
    pace = replace(pace, stopping=heart.stopping.is_set)
    heart.also(lambda: retention.sweep(database, answers=timedelta(hours=loaded.keep_answers)), seconds=SWEEP)
    heart.also(lambda: archives.sweep(database, stopping=heart.stopping.is_set), seconds=SWEEP)
    heart.also(lambda: compiled_files.sweep(database), seconds=SWEEP)
    heart.also(FileStore(loaded.materials).clear_up, seconds=SWEEP)
    heart.also(lambda: holidays.watch(database), seconds=DAY)
    return heart
