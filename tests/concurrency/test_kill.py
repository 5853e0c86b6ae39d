"""The server or the scheduler is killed at every commit of a case: it goes on, and nothing is lost or doubled."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from engine import case_models, models
from engine.database import Database
from tests import invariants
from tests.hall import furnish

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def lives():
    """A process that gives a life for a line, and dies in between as told."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.concurrency.victim"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield lambda **life: _answer(process, life)
        process.stdin.close()


@pytest.mark.parametrize(("story", "after"), [("supplied", None), ("not_supplied", "opening")])
def test_kill__at_every_commit(store, lives, tmp_path, story, after):
    source = store.branch(furnish)
    whole, moments = _untouched(source, lives, tmp_path, story)
    # What two stories have in common is killed in one of them.
    first = _untouched(source, lives, tmp_path, after)[1] if after else 0
    assert moments - first > 10  # so many moments at which something could be lost

    for moment in range(first + 1, moments + 1):
        folder = tmp_path / str(moment)
        folder.mkdir()
        with source.fresh() as url:
            life = {"url": url, "folder": str(folder), "story": story}
            assert lives(**life, kill_at=moment) == {"killed": True, "status": 9}

            answer = lives(**life, kill_at=0)

            assert "case" in answer, f"after a death at {moment}: {answer}"
            assert _remains(url) == whole, f"after a death at {moment}"


def _untouched(source, lives, tmp_path, story):
    folder = tmp_path / story
    folder.mkdir()
    with source.fresh() as url:
        answer = lives(url=url, folder=str(folder), story=story, kill_at=0)
        return _remains(url), answer["moments"]


def _answer(process, life):
    process.stdin.write(json.dumps(life) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def _remains(url):
    """Everything that must be there once, whoever died: told without ids and hashes, which are new each time."""
    database = Database(url)
    invariants.check(database)
    with database.reading() as session:
        found = {
            "journal": Counter((e.actor, e.what) for e in session.scalars(select(models.Entry))),
            "notices": Counter((n.number, n.kind) for n in session.scalars(select(case_models.Notice))),
            "outbox": Counter(m.topic for m in session.scalars(select(models.Outbox))),
            "items": {i.number: (i.status, i.clock, i.delivery) for i in session.scalars(select(case_models.Item))},
            "results": Counter((r.number, r.name) for r in session.scalars(select(case_models.Result))),
            "packages": Counter(p.mode for p in session.scalars(select(case_models.Package))),
            "alerts": Counter((a.kind, a.light) for a in session.scalars(select(case_models.Alert))),
            "tolerances": {t.code: t.status for t in session.scalars(select(case_models.Tolerance))},
            "ratings": [r.score for r in session.scalars(select(case_models.Rating))],
            "tasks": Counter((t.name, t.status) for t in session.scalars(select(models.Task))),
            "timers": Counter((t.element, t.due_at) for t in session.scalars(select(models.Timer))),
            "instances": Counter(i.status for i in session.scalars(select(models.Instance))),
            "owed": [(j.kind, j.error) for j in session.scalars(select(models.Job))],
            "incidents": [i.message for i in session.scalars(select(models.Incident))],
        }
    database.close()
    return found
