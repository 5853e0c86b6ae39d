"""The server or the scheduler is killed at every commit of a case: it goes on, and nothing is lost or doubled."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from engine import case_models, models
from tests import databases, invariants
from tests.concurrency import stories
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


@pytest.mark.parametrize(("story", "known"), [("supplied", 0), ("not_supplied", len(stories.OPENING))])
def test_kill__at_every_commit(store, lives, tmp_path, story, known):
    """What two stories have in common is killed in one of them.  Each death begins with the step in which it comes."""
    source, before = store.branch(furnish), tmp_path / "0"
    before.mkdir()
    whole, everything = _untouched(source, lives, shutil.copytree(before, tmp_path / "untouched"), story)
    passed = deaths = 0

    for steps in range(1, len(stories.STORIES[story]) + 1):
        then, moments = _advance(source, lives, shutil.copytree(before, tmp_path / f"{steps}"), story, steps)
        for moment in range(1, moments + 1) if steps > known else ():
            with source.fresh() as url:
                life = {"url": url, "folder": str(shutil.copytree(before, tmp_path / f"{steps}-{moment}")), "story": story}
                assert lives(**life, kill_at=moment) == {"killed": True, "status": 9}

                answer = lives(**life)

                assert "case" in answer, f"after a death at {moment} of step {steps}: {answer}"
                assert _remains(url) == whole, f"after a death at {moment} of step {steps}"
                deaths += 1
        source, before, passed = then, tmp_path / f"{steps}", passed + moments

    assert passed == everything  # no moment between the steps was left out
    assert deaths > 10  # so many moments at which something could be lost


def _untouched(source, lives, folder, story):
    """What remains of a story that nothing disturbs, and how many moments it has."""
    with source.fresh() as url:
        answer = lives(url=url, folder=str(folder), story=story, fork=False)
        return _remains(url), answer["moments"]


def _advance(source, lives, folder, story, steps):
    """Play on to the next step; gives databases in which it is done, and how many moments it had."""
    answers = []
    after = source.branch(lambda url: answers.append(lives(url=url, folder=str(folder), story=story, steps=steps, fork=False)))
    return after, answers[0]["moments"]


def _answer(process, life):
    process.stdin.write(json.dumps(life) + "\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


def _remains(url):
    """Everything that must be there once, whoever died: told without ids and hashes, which are new each time.

    Numbers are the same: who dies after he has taken one has it again when his command is repeated with its key.
    """
    database = databases.opened(url)
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
