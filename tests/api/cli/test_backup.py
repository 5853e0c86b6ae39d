"""`onething backup` and `onething restore`."""

import pytest

from engine.database import Database
from tests import everywhere


@pytest.fixture
def store(sqlite):
    return sqlite


def test_backup__and_restore(run, environ, tmp_path):
    run("migrate")
    here = Database(environ["ONETHING_DATABASE_URL"])
    everywhere.begin(here)
    here.close()
    elsewhere = {"ONETHING_DATABASE_URL": f"sqlite:///{tmp_path / 'elsewhere.db'}", "ONETHING_DATA_DIR": str(tmp_path / "elsewhere")}

    taken = run("backup", str(tmp_path / "backup"))
    again = run("backup", str(tmp_path / "backup"))
    restored = run("restore", str(tmp_path / "backup"), **elsewhere)
    onto = run("restore", str(tmp_path / "backup"), **elsewhere)

    assert (taken.exit_code, again.exit_code, restored.exit_code, onto.exit_code) == (0, 1, 0, 1), restored.output
    assert taken.stdout.endswith("database.sqlite, 0 files with 0 bytes\n")
    assert "Expected" in again.stderr
    assert restored.stdout.endswith("完好 (whole)\n")
    assert run("verify", **elsewhere).exit_code == 0
