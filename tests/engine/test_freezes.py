"""A node freezes in the middle of what is one transaction, and wakes when all that it held was taken from it, or is killed: others do it, once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from engine import archives, deployments, scheduler, verification
from engine.archive_models import ArchivedCase
from engine.case_models import Case, Material
from engine.errors import NotFound
from engine.files import FileStore
from engine.models import Definition, Instance, Job, Task
from engine.schedule_models import StartTimer
from tests import restaurant
from tests.bpmn import diagrams as d
from tests.engine import freezer
from tests.engine.test_archives import deployed as deployed  # noqa: PLC0414 - a fixture
from tests.engine.test_archives import ended as ended  # noqa: PLC0414 - a fixture
from tests.engine.test_archives import left, told
from tests.stage import DESIGNER

ROOT = Path(__file__).parents[2]
#: What the server does itself to whoever stands still in a transaction for 15 s (docs/decisions/0014).
END = text(
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
)


@pytest.fixture
def store(postgresql):
    """On SQLite everybody waits for whoever writes."""
    return postgresql


@pytest.fixture(params=["wakes", "is killed"])
def end(request, stage):
    """Let others do the work of a frozen process: it is killed before, or wakes afterwards; then it is told that what it had is gone, or what
    came of it for them.
    """

    def end(frozen, others, says="Unavailable"):
        if request.param == "wakes":
            with stage.reading() as session:
                assert session.scalars(END).all() == [True]
            came = others()
            frozen.send_signal(signal.SIGCONT)
            assert frozen.communicate(timeout=60)[1].endswith(says or came)
        else:
            frozen.kill()
            others()
            assert frozen.wait() == -signal.SIGKILL

    return end


@pytest.fixture
def freeze(stage):
    """Let a process freeze; nothing of it is left in the end."""
    begun = []

    def freeze(*words):
        url = stage.database.bind.url.render_as_string(hide_password=False)
        command = [sys.executable, "-m", "tests.engine.freezer", url, datetime.now(UTC).isoformat(), *words]
        begun.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True))
        _, status = os.waitpid(begun[-1].pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status), begun[-1].stderr.read()
        return begun[-1]

    yield freeze
    for each in begun:
        each.kill()
        each.communicate()


def until(work, expected):
    """Do it again and again, as the scheduler does, until something comes of it."""
    give_up = time.monotonic() + 60
    while (found := work()) != expected:
        assert time.monotonic() < give_up, found


def test_sweep__freezes_between_its_steps(stage, clerk, ended, freeze, end):
    """Its document is there, and half of its rows are gone: nobody sees that, and nobody waits for it."""
    before = told(stage, clerk, ended)
    stage.move_to(2026, 5, 4)
    frozen = freeze("archive", "DELETE FROM instances")
    assert archives.sweep(stage.database) == 0
    assert told(stage, clerk, ended) == before

    end(frozen, lambda: until(lambda: archives.sweep(stage.database), 1))

    assert left(stage, ended) == {}
    assert told(stage, clerk, ended) == before
    with stage.reading() as session:
        assert session.scalars(select(ArchivedCase.number)).all() == [ended.number]
    assert list(verification.verify(stage.database)) == []


def test_delete__freezes_between_its_steps(stage, designer, freeze, end):
    """What ran on the deployment is gone, its version not yet; who is at work there goes on as if nothing had been, or finds nothing."""
    drawing = d.diagram(d.start("s"), d.user("work", name="办理"), d.end("e"), d.flows("s -> work -> e"), key="alone")
    with stage.database.transaction() as session:
        deployment = deployments.deploy(session, "alone", {"alone.bpmn": drawing}, actor=DESIGNER)
    running = designer.start("alone")
    frozen = freeze("delete", "DELETE FROM definitions", str(deployment.id))
    assert stage.tasks(stage.of(running)) == ["办理"]

    def delete():
        with stage.database.transaction() as session:
            deployments.delete(session, deployment.id, actor=DESIGNER, cascade=True)

    end(frozen, delete)

    with pytest.raises(NotFound):
        delete()
    with stage.reading() as session:
        assert session.get(Instance, running.id) is None
        assert session.scalars(select(Task.id).where(Task.instance_id == running.id)).all() == []
        assert session.scalars(select(Definition.id).where(Definition.key == "alone")).all() == []
    assert list(verification.verify(stage.database)) == []


def test_tick__freezes_behind_what_it_has_done_aside(stage, freeze, end):
    """The number of a case is taken for good before there is one: it is missing then, and the process begins once, with the next."""
    stage.deploy("p", p_bpmn=d.diagram(d.start("s", d.timer(duration="P1D")), d.user("t", name="登记"), d.flows("s -> t"), key="p"))
    stage.move_to(2026, 3, 4)
    frozen = freeze("work", "INSERT INTO cases")
    assert scheduler.tick(stage.database) == 0

    end(frozen, lambda: until(lambda: scheduler.tick(stage.database), 1))

    assert scheduler.drain(stage.database) == 0
    with stage.reading() as session:
        assert session.scalars(select(Case.number)).all() == ["43010020260304000002"]
        assert session.scalar(select(func.count()).select_from(Instance)) == 1
        assert session.scalars(select(StartTimer)).all() == session.scalars(select(Job)).all() == []
    assert list(verification.verify(stage.database)) == []


def files(folder):
    return [path.name for path in (folder / "materials").rglob("*") if path.is_file()]


def test_upload__freezes_behind_its_file(stage, clerk, freeze, end, tmp_path):
    """The file lies there, and nothing names it yet: who repeats the command uses it, and the first one, if it wakes, is answered the same."""
    case = clerk.submit("open_restaurant", answers=restaurant.ANSWERS, materials=restaurant.without("m_plan"))
    frozen = freeze("upload", "INSERT INTO materials", case.number, str(tmp_path))
    stored = files(tmp_path)

    end(frozen, lambda: freezer.upload(stage.database, case.number, str(tmp_path)), says=None)

    [material] = stage.all(Material, case, code="m_plan")
    assert files(tmp_path) == stored == [material.sha256]
    assert list(verification.verify(stage.database, files=FileStore(tmp_path / "materials"))) == []
