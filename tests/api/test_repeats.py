"""A request that the database keeps from its work is repeated, bounded; what then still fails is a 503 with Retry-After.

It is a 500 only when something is missing that nobody has just taken away.
"""

from __future__ import annotations

import io
import traceback
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from api import repeats
from api.app import create_app
from engine import database
from engine.database import Database
from engine.errors import Busy, EngineError, Vanished
from engine.passwords import WELL_KNOWN
from engine.settings import Settings
from tests.api import bundle
from tests.api.conftest import Caller
from tests.documents import PDF
from tests.engine.test_garbage import left
from tests.hall import furnish
from tests.proxy import COMMIT, Proxy

#: What is referred to is not there (SQLSTATE).
MISSING = "23503"


@pytest.fixture(scope="module")
def server(postgresql):
    """One database for all: what is done here has names of its own."""
    with postgresql.branch(furnish).fresh() as url, Proxy(url) as proxy:
        yield proxy


@pytest.fixture
def proxy(server):
    yield server
    server.mend()


@pytest.fixture
def app(proxy, tmp_path, monkeypatch):
    """The application, with the network between it and its database; it waits as shortly as it can."""
    monkeypatch.setattr(repeats, "PAUSES", (0.02, 0.05, 0.1))
    monkeypatch.setattr(database, "POOL_TIMEOUT", 0.05)
    url = proxy.url(options="-c lock_timeout=50ms -c timezone=UTC")
    app = create_app(Settings(database_url=url, data_dir=tmp_path), passwords=WELL_KNOWN)
    yield app
    app.extensions["database"].close()


@pytest.fixture
def near(proxy):
    """The database, as somebody reaches it who is not disturbed."""
    opened = Database(proxy.target.render_as_string(hide_password=False))
    yield opened
    opened.close()


@pytest.fixture
def in_the_pause(monkeypatch):
    """Let something happen before the request is repeated, however slow the machine is."""
    rest = repeats._rest

    def happen(what):
        monkeypatch.setattr(repeats, "_rest", lambda seconds: (what(), rest(seconds)))

    return happen


@pytest.fixture
def admin(app):
    return Caller(app, "admin")


@pytest.fixture
def clerk(app):
    return Caller(app, "clerk")


def create(admin, name, **headers):
    return admin.post("/accounts", {"name": name}, headers={key.replace("_", "-"): value for key, value in headers.items()})


def there_are(near, name):
    with near.reading() as session:
        return session.scalar(text("select count(*) from accounts where name = :name"), {"name": name})


def check_busy(answer):
    assert answer.status_code == 503, answer.json
    assert int(answer.headers["Retry-After"]) >= 1
    return answer.json


def test_command__connections_have_died(admin, near):
    """Asking who it is and doing it: both begin anew with a connection that lives."""
    admin.get("/me")
    with near.transaction() as session:
        session.execute(
            text("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()")
        )

    assert create(admin, "after-death").status_code == 201


def test_command__answer_to_its_commit_is_lost(admin, near, proxy):
    """The key knows that it was done: the client sees nothing of it all."""
    proxy.fatal_words = COMMIT

    answer = create(admin, "lost-answer", Idempotency_Key="lost-answer")

    assert (answer.status_code, answer.json["name"]) == (201, "lost-answer")
    assert answer.headers["Idempotency-Replayed"] == "true"
    assert there_are(near, "lost-answer") == 1


def test_command__answer_to_its_commit_is_lost_and_it_has_no_key(admin, near, proxy):
    proxy.fatal_words = COMMIT

    problem = check_busy(create(admin, "lost-without-key"))

    assert "whether it was carried out is not known" in problem["detail"]
    assert there_are(near, "lost-without-key") == 1


def test_command__somebody_has_the_row_for_a_while(admin, near, in_the_pause):
    create(admin, "held")
    with near.transaction() as session:
        session.execute(text("select * from accounts where name = 'held' for update"))
        in_the_pause(session.rollback)

        answer = admin.post("/accounts/held/disable")

    assert answer.status_code == 200
    assert answer.json["disabled"] is True


def test_command__somebody_has_the_row_for_too_long(admin, near):
    create(admin, "kept")
    with near.transaction() as session:
        session.execute(text("select * from accounts where name = 'kept' for update"))

        problem = check_busy(admin.post("/accounts/kept/disable"))

    assert problem["detail"] == "Expected to get hold of the case, but somebody else is working on it; try again"


@pytest.mark.parametrize("path", ["/api/v1/tasks", "/engine-rest/task"])
def test_question__database_is_away(clerk, proxy, path):
    proxy.cut()

    answer = check_busy(clerk.get(path, prefix=""))

    assert "Expected the database to answer, but it cannot be reached just now" in (answer.get("detail") or answer["message"])


def test_question__database_comes_back(clerk, proxy, in_the_pause):
    proxy.cut()
    in_the_pause(proxy.mend)

    assert clerk.get("/tasks").status_code == 200


def test_question__all_connections_are_taken(app, clerk):
    taken = [app.extensions["database"].bind.connect() for _ in range(database.POOL_SIZE + database.POOL_OVERFLOW)]

    problem = check_busy(clerk.get("/tasks"))

    assert "all of them are taken" in problem["detail"]
    for connection in taken:
        connection.close()


@pytest.fixture
def refusing(near):
    """Let the server refuse, inside the block, whatever accounts are made."""

    @contextmanager
    def refusing(state):
        refuse(near, state)
        with near.transaction() as session:
            session.execute(text("create trigger refuses before insert on accounts for each row execute function refuse()"))
        yield
        mend(near)

    return refusing


def refuse(near, state):
    raising = f"begin raise 'no' using errcode = '{state}'; end"
    with near.transaction() as session:
        session.execute(text(f"create or replace function refuse() returns trigger language plpgsql as $$ {raising} $$"))


def mend(near):
    with near.transaction() as session:
        session.execute(text("drop function if exists refuse cascade"))


def forget(near, name):
    with near.transaction() as session:
        session.execute(text("delete from accounts where name = :name"), {"name": name})
        session.execute(text("delete from idempotent_answers where key = :name"), {"name": name})


@pytest.mark.parametrize("state", ["53100", "40001", "40P01"])
def test_command__server_refuses(admin, near, refusing, state):
    with refusing(state):
        check_busy(create(admin, "refused", Idempotency_Key="refused"))

    assert create(admin, "refused", Idempotency_Key="refused").status_code == 201
    forget(near, "refused")


def test_command__what_it_refers_to_has_just_gone(admin, near, refusing, in_the_pause):
    """Nobody is told: the second attempt finds what has become of it."""
    with refusing(MISSING):
        in_the_pause(lambda: mend(near))

        assert create(admin, "raced", Idempotency_Key="raced").status_code == 201

    forget(near, "raced")


def test_command__what_it_refers_to_has_never_been_there(admin, near, refusing):
    """To try again is no help: it is a fault of ours, and the log has all of it; it can be given again when that is mended."""
    with refusing(MISSING), capture_logs() as logged:
        problem = create(admin, "faulty", Idempotency_Key="faulty")

    assert (problem.status_code, "Retry-After" in problem.headers) == (500, False)
    [line] = [line for line in logged if line["event"] == "request failed"]
    assert (line["incident"], type(line["exc_info"])) == (problem.json["instance"], IntegrityError)
    assert "in create" in "".join(traceback.format_exception(line["exc_info"]))
    assert create(admin, "faulty", Idempotency_Key="faulty").status_code == 201
    forget(near, "faulty")


def test_command__misses_something_at_its_last_attempt(admin, near, refusing, in_the_pause, monkeypatch):
    """Whoever had to wait for somebody until then has missed it only once, and may come again."""
    monkeypatch.setattr(repeats, "PAUSES", (0.02,))
    with refusing("40001"):
        in_the_pause(lambda: refuse(near, MISSING))

        check_busy(create(admin, "late"))


def test_upload__is_read_again(clerk, proxy):
    """What is sent is there in the second attempt, too."""
    case = bundle.submit(clerk)["number"]
    proxy.fatal_words = COMMIT

    answer = upload(clerk, case, PDF, "plan")

    assert answer.status_code == 201, answer.json
    assert answer.json["size"] == len(PDF)
    assert answer.headers["Idempotency-Replayed"] == "true"


def test_upload__other_content_with_the_same_key(clerk):
    """It is another command, though its file has the same name."""
    case = bundle.submit(clerk)["number"]
    assert upload(clerk, case, PDF, "first").status_code == 201

    assert upload(clerk, case, PDF + b"\n", "first").status_code == 422


def upload(clerk, case, content, key):
    data = {"code": "m_plan", "file": (io.BytesIO(content), "plan.pdf")}
    headers = {"Idempotency-Key": key}
    return clerk.call("POST", f"/cases/{case}/materials", data=data, content_type="multipart/form-data", headers=headers)


@pytest.mark.parametrize("end", ["done", "busy", "missed twice"])
def test_again__leaves_no_garbage(monkeypatch, end):
    """What was in the way, and all that its frames hold, is gone with the request: nobody looks for circles (decision 0015)."""
    monkeypatch.setattr(repeats, "_rest", lambda _seconds: None)
    failing = {"done": [Vanished("gone")], "busy": [Busy("held")] * 9, "missed twice": [Vanished("gone")] * 9}[end]

    def work():
        if failing:
            try:
                {}["missing"]
            except LookupError as error:
                raise type(failing.pop())("in the way") from error

    with left(EngineError, LookupError) as found:
        try:
            repeats.again(work)
        except (Busy, LookupError) as error:
            told = type(error)
        else:
            told = None

    assert told is {"done": None, "busy": Busy, "missed twice": KeyError}[end]
    assert not found, found
