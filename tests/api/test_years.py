"""A life of years: bundles are taken in, handed out, put away, backed up, and read as ever on another machine; and what they gave still counts."""

import os
import re

import pytest
import time_machine
from sqlalchemy import select, update

from engine import archives, backups, moments, scheduler, verification
from engine.backups import restorations
from engine.case_models import Case
from engine.files import FileStore
from engine.models import Outbox
from engine.tables import METADATA
from tests.api.bundle import complete, submit
from tests.api.conftest import Caller, serving
from tests.api.test_materials import upload
from tests.documents import JPEG, PDF
from tests.engine.test_backups import PROGRAMS

#: The shipped matters are put away after five years (`camunda:historyTimeToLive`).
LATER = "2031-06-02T09:00:00+08:00"
#: Who looks, and at what of a case.
PEOPLE = ("clerk", "supervisor", "officer-market", "officer-fire", "admin")
ARCHIVED = re.compile(rb'<p role="note">\xe5\xb7\xb2\xe5\xbd\x92\xe6\xa1\xa3.*</p>')
PARTS = ("", "/journal", "/diagram", "/materials", "/materials/1", "/materials/1/file")


@pytest.fixture(autouse=True)
def _programs(monkeypatch):
    monkeypatch.setenv("PATH", f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def lived(app, clerk, market, fire):
    """A bundle that was handed out, an item that was handled alone, and what was refused: their numbers."""
    bundle = submit(clerk)
    upload(clerk, bundle, PDF, "平面图.pdf")
    upload(clerk, bundle, JPEG, "门头.jpg", "m_evac")
    complete(clerk, bundle, "一窗受理", outcome="accept")
    complete(market, bundle, "食品经营许可审批", outcome="granted", certificate_no="JY24301020000017")
    complete(fire, bundle, "现场检查", inspectors="刘洋、何静", findings="合" * 9000)
    complete(fire, bundle, "消防检查决定", outcome="granted")
    complete(clerk, bundle, "统一出件", mode="unified", delivery="window")
    clerk.post(f"/cases/{bundle['number']}/rate", {"score": 1, "comment": "等太久"})
    alone = submit(clerk, matter="signboard", materials=["m_signdraw", "m_premises"])
    upload(clerk, alone, PDF, "效果图.pdf", "m_signdraw")
    complete(clerk, alone, "一窗受理", outcome="accept")
    complete(Caller(app, "officer-urban"), alone, "招牌备案审核", outcome="granted", certificate_no="HZ-7")
    complete(clerk, alone, "统一出件", mode="unified", delivery="window")
    refused = submit(clerk)
    complete(clerk, refused, "一窗受理", outcome="refuse", refusal_kind="not_required", reason="依法不需要")
    return [case["number"] for case in (bundle, alone, refused)]


def seen(app, numbers):
    """Everything that anybody sees of the cases, and of their items."""
    found = {}
    for name in PEOPLE:
        caller = Caller(app, name)
        for number in numbers:
            answers = {part: caller.get(f"/cases/{number}{part}") for part in PARTS}
            answers |= {f"/items/{n:02d}": caller.get(f"/items/{number}-{n:02d}") for n in range(1, 5)}
            answers |= {"page": caller.page(f"/?case={number}"), "page of an item": caller.page(f"/?case={number}-01")}
            for part, answer in answers.items():
                content = answer.json if answer.is_json else ARCHIVED.sub(b"", answer.data)
                found[name, number, part] = (answer.status_code, content)
                answer.close()
    return found


def settle(db):
    """Have done what was due in all these years, and everything carried."""
    scheduler.drain(db)
    with db.transaction() as session:
        session.execute(update(Outbox).values(sent_at=moments.now()))


def rows(db):
    """Every row that there is, but for what a node has compiled, and numbers, which go on elsewhere."""
    with db.reading() as session:
        tables = [table for name, table in METADATA.tables.items() if name not in {"compiled_files", "counters"}]
        return {table.name: sorted(map(repr, session.execute(select(table)).all())) for table in tables}


def test_years__of_a_hall(app, lived, empty_database_url, tmp_path):
    db, files = app.extensions["database"], app.extensions["files"]
    open_case = submit(Caller(app, "clerk"))

    with time_machine.travel(LATER, tick=False):
        settle(db)
        before = seen(app, lived)
        assert archives.sweep(db) == 3
        with db.reading() as session:
            assert session.scalars(select(Case.number)).all() == [open_case["number"]]
        assert differences(before, seen(app, lived)) == []
        assert list(verification.verify(db, files=files)) == []

        backups.take(db, files, tmp_path / "backup")
        elsewhere = FileStore(tmp_path / "elsewhere" / "materials")
        restorations.restore(tmp_path / "backup", empty_database_url, elsewhere)
        with serving(empty_database_url, tmp_path / "elsewhere") as there:
            assert list(verification.verify(there.extensions["database"], files=elsewhere)) == []
            assert rows(there.extensions["database"]) == rows(db)
            assert differences(before, seen(there, lived)) == []


def differences(before, after):
    """What is seen otherwise: where, and how."""
    return [(*key, path, *how) for key in before for path, *how in unlike(before[key], after[key]) if not path.endswith(".archived_at")]


def unlike(one, other, path=""):
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {*one, *other}:
            yield from unlike(one.get(key), other.get(key), f"{path}.{key}")
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for place, pair in enumerate(zip(one, other, strict=True)):
            yield from unlike(*pair, f"{path}[{place}]")
    elif one != other:
        yield path, one, other
