"""A process that does one thing, and freezes (SIGSTOP) when it first comes to a statement with words that it is told; see test_freezes.py.

    python -m tests.engine.freezer URL NOW WHAT STATEMENT [ID]

It says in the end what came of it, or what kept it from doing so.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from base64 import b64encode
from pathlib import Path
from uuid import UUID

import time_machine
from sqlalchemy import Engine

from engine import archives, deployments, logs, scheduler
from engine.database import Database
from engine.errors import EngineError
from engine.settings import Environment
from tests.documents import PDF
from tests.hall import application
from tests.listening import listening
from tests.stage import DESIGNER


def archive(db: Database) -> None:
    archives.sweep(db)


def delete(db: Database, deployment: str) -> None:
    with db.transaction() as session:
        deployments.delete(session, UUID(deployment), actor=DESIGNER, cascade=True)


def work(db: Database) -> None:
    scheduler.tick(db)


def upload(db: Database, case: str, folder: str) -> str:
    """Hand a file in, as a client does who repeats that with its key; what it was answered."""
    app = application(db.bind.url.render_as_string(hide_password=False), Path(folder))
    headers = {"Authorization": "Basic " + b64encode(b"clerk:clerk").decode(), "Idempotency-Key": "k"}
    parts = {"code": "m_plan", "file": (io.BytesIO(PDF), "plan.pdf")}
    answer = app.test_client().post(f"/api/v1/cases/{case}/materials", data=parts, headers=headers)
    app.extensions["database"].close()
    return f"{answer.status_code} {answer.json}"


WHAT = {"archive": archive, "delete": delete, "upload": upload, "work": work}


def main(url: str, now: str, what: str, statement: str, *about: str) -> None:
    """Do it."""
    logs.configure(Environment.PRODUCTION)
    frozen: list[str] = []

    def look(_connection: object, _cursor: object, said: str, *_more: object) -> None:
        if statement in said and not frozen:
            frozen.append(said)
            os.kill(os.getpid(), signal.SIGSTOP)

    with listening(Engine, before_cursor_execute=look), time_machine.travel(now, tick=True):
        db = Database(url)
        try:
            sys.stderr.write(WHAT[what](db, *about) or "")
        except EngineError as error:
            sys.stderr.write(type(error).__name__)
        db.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
