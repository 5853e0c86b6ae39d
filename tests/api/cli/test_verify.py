"""`onething verify`."""

import json

import pytest
from sqlalchemy import update

from api.cli import verify
from engine import verification
from engine.database import Database
from engine.errors import Unavailable
from engine.models import Entry
from engine.verification.faults import Fault, FaultKind
from tests import everywhere

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)


@pytest.fixture
def here(run, environ):
    run("migrate")
    here = Database(environ["ONETHING_DATABASE_URL"])
    everywhere.begin(here)
    yield here
    here.close()


def test_verify__whole(run, here):
    result = run("verify")

    assert (result.exit_code, result.stdout) == (0, "完好 (whole)\n"), result.output


def test_verify__a_fault_and_what_to_do(run, here):
    with here.transaction() as session:
        session.execute(update(Entry).values(actor="nobody"))

    result, written = run("verify"), run("verify", "--format", "json")

    assert (result.exit_code, written.exit_code) == (1, 1)
    kind, fault, total = result.stdout.splitlines()
    assert kind.startswith("journal: Somebody has written past the engine.")
    assert fault.startswith("  instance ")
    assert fault.endswith("to be as it was written, but its hash differs")
    assert total == "共 1 处差错 (1 faults)"
    [told] = json.loads(written.stdout)
    assert told["kind"] == "journal"
    assert told["message"] in fault
    assert told["advice"] in kind


@pytest.mark.parametrize("why", [KeyboardInterrupt(), Unavailable("Expected the database to answer, but it is away")])
def test_verify__interrupted(run, here, monkeypatch, why):
    """It says where to go on, and what it has found: whoever goes on there is not told again."""
    fault = Fault(kind=FaultKind.JOURNAL, about="instance 1", message="Expected 2 entries, but found 1")

    def interrupted(*_, watch, **__):
        yield fault
        watch(verification.Part.INSTANCES, 100, "019cadc6")
        raise why

    monkeypatch.setattr(verify.verification, "verify", interrupted)

    result = run("verify")

    assert result.exit_code != 0
    assert "Go on with: onething verify --after 019cadc6" in result.stderr
    assert "  instance 1: Expected 2 entries, but found 1\n共 1 处差错 (1 faults)\n" in result.stdout


def test_verify__interrupted_and_nothing_found(run, here, monkeypatch):
    """Nothing is called whole that was not looked at."""
    monkeypatch.setattr(verify.verification, "verify", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))

    assert run("verify").stdout == ""
