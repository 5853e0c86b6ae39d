"""The doctor finds what is wrong with an installation, says what to do, and changes nothing."""

import errno
import io
import os
import shutil
import tempfile
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import func, make_url, select, text, update

from engine import accounts, beginnings, doctor, grants, holidays, premises, readiness, schema, settings
from engine.actors import Role
from engine.case_models import Material
from engine.database import Database
from engine.diagnoses import CheckStatus
from engine.files import FileStore
from engine.passwords import WELL_KNOWN
from tests import everywhere
from tests.documents import PDF
from tests.hall import OPERATOR

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
CALENDARS = settings.CHECKOUT / "workflows" / "calendars"


def by_name(checks):
    return {check.what: check for check in checks}


def make_administrator(session):
    accounts.create(session, "chief", actor=OPERATOR, password=None, passwords=WELL_KNOWN)
    grants.grant(session, "chief", Role.ADMIN, actor=OPERATOR)


def test_examine__sound_installation(database, database_url, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("ONETHING_")]:
        monkeypatch.delenv(name)
    loaded = settings.load({"ONETHING_DATABASE_URL": database_url, "ONETHING_DATA_DIR": str(tmp_path), "ONETHING_SECRET_KEY": "k" * 32})
    with database.transaction() as session:
        holidays.publish_shipped(session, CALENDARS)
        make_administrator(session)

    checks = by_name(doctor.examine(loaded, now=NOW, assets=[CALENDARS]))

    assert checks.pop("calendars").status is CheckStatus.WARNING  # 2027 is not published
    about = [
        "settings",
        "data folder",
        "room",
        "temporary files",
        "secret key",
        "database",
        "durability",
        "migrations",
        "clock",
        "administrators",
        "scheduler",
        "uploads",
        "backups",
        "assets",
    ]
    assert [name for name in checks if name not in {"server", "sorting", "damage", "nodes"}] == about
    assert ("server" in checks) is (database.bind.dialect.name == "postgresql")
    durability = checks.pop("durability")  # the server of the tests need not outlive its machine
    assert durability.status is (CheckStatus.WARNING if durability.found.startswith("fsync = off") else CheckStatus.OK)
    assert (checks.pop("clock").status is CheckStatus.WARNING) is ("server" in checks)  # it is later there than NOW
    assert {check.status for check in checks.values()} == {CheckStatus.OK}


def test_check_variables__unknown_one():
    names = ("PROT", "PORT", "TEST_DATABASE_URL", "TEST_SHARDS", "TEST_SEEDS")

    check = doctor.check_variables({"PATH", *(f"ONETHING_{name}" for name in names)})

    assert check.status is CheckStatus.WARNING
    assert check.found == "unknown: ONETHING_PROT"


def test_check_data_folder__not_there_yet(tmp_path):
    check = premises.check_data_folder(tmp_path / "var" / "data")

    assert check.status is CheckStatus.OK
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("inside", ["", "/var"])
def test_check_data_folder__is_a_file(tmp_path, inside):
    (tmp_path / "var").write_text("")

    assert premises.check_data_folder(Path(f"{tmp_path}/var{inside}")).status is CheckStatus.FAILED


@pytest.mark.parametrize(("free", "status"), [(0, CheckStatus.WARNING), (premises.ROOM, CheckStatus.OK)])
def test_check_room(tmp_path, monkeypatch, free, status):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))

    check = premises.check_room(tmp_path / "var" / "materials")

    assert (check.status, check.found) == (status, f"{free // 1_000_000} MB are free for {tmp_path}/var/materials")


@pytest.mark.parametrize(("folder", "status"), [("", CheckStatus.OK), ("none", CheckStatus.WARNING)])
def test_check_temporary_files(tmp_path, monkeypatch, folder, status):
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [str(tmp_path / folder)])

    check = premises.check_temporary_files()

    assert (check.status, bool(check.advice)) == (status, status is CheckStatus.WARNING)
    assert list(tmp_path.iterdir()) == []


def test_check_restorations__one_was_killed(tmp_path):
    """Beside where the database really is; what somebody writes just now is none."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "one.db").symlink_to(tmp_path / "disk" / "one.db")
    url, left = f"sqlite:///{tmp_path}/one.db", tmp_path / "disk" / "one.db.restoring-0123abcd"
    with beginnings.begun(tmp_path / "disk" / "one.db", beginnings.DATABASE):
        assert premises.check_restorations(url) == []
    left.mkdir()

    [check] = premises.check_restorations(url)

    assert (check.what, check.status) == ("restorations", CheckStatus.WARNING)
    assert str(left) in check.found
    assert "When no onething restore is under way, rm -r it" in check.advice
    assert premises.check_restorations("postgresql://onething@db/onething") == []


def test_check_secret_key__made_by_us(tmp_path):
    loaded = settings.load({"ONETHING_DATA_DIR": str(tmp_path)})
    before = premises.check_secret_key(loaded)

    settings.secret_key(loaded)

    assert "will be made" in before.found
    assert "kept in" in premises.check_secret_key(loaded).found


def withhold(monkeypatch, place, but_for=0):
    """Let nobody use a place, but for the rights that are named: whoever is root, as in a container, is kept from nothing."""
    may = os.access
    monkeypatch.setattr(
        os, "access", lambda path, rights: not rights & ~but_for and may(path, rights) if Path(path) == place else may(path, rights)
    )


def test_check_room__cannot_be_written(tmp_path, monkeypatch):
    """As where it is another disk than that of the data folder, and somebody has mounted it to be read."""
    (tmp_path / "materials").mkdir()
    withhold(monkeypatch, tmp_path / "materials", but_for=os.R_OK | os.X_OK)

    check = premises.check_room(tmp_path / "materials")

    assert check.status is CheckStatus.WARNING
    assert check.found == f"{tmp_path}/materials cannot be written: uploads are refused (503)"


def test_check_secret_key__of_another_account(tmp_path, monkeypatch):
    """As when somebody has served as root first: the processes that answer ended one after the other."""
    loaded = settings.load({"ONETHING_DATA_DIR": str(tmp_path)})
    settings.secret_key(loaded)
    withhold(monkeypatch, tmp_path / "secret-key")

    check = premises.check_secret_key(loaded)

    assert (check.status, check.found) == (CheckStatus.FAILED, f"{tmp_path}/secret-key cannot be read")


@pytest.mark.parametrize("which", ["the file", "its folder"])
def test_check_database__file_of_another_account(sqlite, monkeypatch, which):
    """As when somebody has migrated as root: nothing can be written, and no node is to call itself ready."""
    with sqlite.fresh() as url:
        place = Path(make_url(url).database)
        opened = Database(url)
        assert readiness.look(opened).fit
        withhold(monkeypatch, place if which == "the file" else place.parent, but_for=os.R_OK)

        check = by_name(doctor.check_database(url, now=NOW))["file"]
        ready = readiness.look(opened)
        opened.close()

    assert (check.status, check.passing, check.advice) == (CheckStatus.FAILED, False, "Give both to the account that serves.")
    assert (ready.fit, ready.found) == (False, f"Expected a database that can be written to, but {check.found}")


def test_check_secret_key__open_to_others(tmp_path):
    loaded = settings.load({"ONETHING_DATA_DIR": str(tmp_path)})
    settings.secret_key(loaded)

    (tmp_path / "secret-key").chmod(0o644)

    assert premises.check_secret_key(loaded).status is CheckStatus.FAILED


def test_check_database__does_not_exist(tmp_path):
    (check,) = doctor.check_database(f"sqlite:///{tmp_path}/onething.db", now=NOW)

    assert (check.status, check.advice) == (CheckStatus.FAILED, "Run onething migrate.")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["postgresql://me:hunter2@127.0.0.1:1/onething", "sqlite:////dev/null/onething.db"])
def test_check_database__does_not_answer(url):
    checks = doctor.check_database(url, now=NOW)

    assert [check.status for check in checks] == [CheckStatus.FAILED]
    assert "hunter2" not in str(checks)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_check_database__somebody_holds_a_table(database, database_url):
    """Whoever asks what is wrong is told, and reads what else was looked at."""
    impatient = make_url(database_url).update_query_dict({"options": "-c lock_timeout=100"}).render_as_string(hide_password=False)
    with database.bind.begin() as connection:
        connection.exec_driver_sql("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")

        (check,) = doctor.check_database(impatient, now=NOW)

    assert (check.status, check.passing) == (CheckStatus.FAILED, True)
    assert check.found.endswith("answers, but somebody holds a table that is looked at")
    assert check.advice == "See who holds locks, and end that session."


def test_check_database__is_something_else(tmp_path):
    (tmp_path / "notes.txt").write_text("These are notes, not a database.\n" * 100)

    (check,) = doctor.check_database(f"sqlite:///{tmp_path}/notes.txt", now=NOW)

    assert "does not answer: file is not a database" in check.found


def test_check_database__empty(empty_database_url):
    opened = Database(empty_database_url)
    opened.bind.connect().close()  # SQLite makes the file now
    opened.close()

    checks = by_name(doctor.check_database(empty_database_url, now=NOW))

    assert checks["migrations"].status is CheckStatus.FAILED
    assert checks["migrations"].advice == "Run onething migrate."


@pytest.mark.parametrize(
    ("revision", "oldest", "status", "found"),
    [
        ("9999", schema.NEWEST, CheckStatus.WARNING, "schema 9999 is newer than this version, which may serve on it for the time being"),
        ("9999", "9998", CheckStatus.FAILED, "schema 9999 is newer than this version"),
        ("0020", "0019", CheckStatus.WARNING, "what only older versions use is there still"),
        ("0019", "0019", CheckStatus.FAILED, "schema 0019, newest "),
    ],
)
def test_check_database__of_another_release(database, database_url, monkeypatch, revision, oldest, status, found):
    monkeypatch.setattr(schema, "needed", lambda: "0020")  # as when what comes afterwards only takes away
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
        session.execute(update(schema.Compatibility).values(oldest=oldest))

    check = by_name(doctor.check_database(database_url, now=NOW))["migrations"]

    assert check.status is status
    assert found in check.found
    assert check.advice


@pytest.mark.parametrize(
    ("now", "newest", "status"),
    [
        (NOW, None, CheckStatus.OK),
        (NOW, NOW - timedelta(days=1), CheckStatus.OK),
        (NOW, NOW + timedelta(seconds=59), CheckStatus.OK),
        (NOW, NOW + timedelta(seconds=61), CheckStatus.FAILED),
        (datetime(1970, 1, 1, tzinfo=UTC), None, CheckStatus.FAILED),
    ],
)
def test_check_clock__set_back(now, newest, status):
    """That of the machine may be wrong where the database has one; whoever looks after a node begins it again, for NTP may come yet."""
    alone, of_the_database = doctor.check_clock(now, newest), doctor.check_clock(datetime(1970, 1, 1, tzinfo=UTC), newest, now)

    assert alone.status is status
    assert of_the_database.status is (status if status is CheckStatus.FAILED else CheckStatus.WARNING)
    assert {check.passing for check in (alone, of_the_database)} == {status is CheckStatus.FAILED}
    assert ("this machine" in alone.advice, "host of the database" in of_the_database.advice) == (status is CheckStatus.FAILED,) * 2


def test_check_clock__was_ahead_once():
    """Else no node could begin until what it wrote is past."""
    newest = NOW + timedelta(days=365)

    refused, trusted = doctor.check_clock(NOW, newest), doctor.check_clock(NOW, newest, trusted=True)

    assert (refused.status, trusted.status) == (CheckStatus.FAILED, CheckStatus.WARNING)
    assert refused.found == trusted.found == "2026-11-25 12:00:00 UTC is before the newest entry of the journal, 2027-11-25 12:00:00 UTC"
    assert refused.advice.endswith("If it is right, and was ahead when that was written: ONETHING_TRUST_CLOCK=yes.")
    assert doctor.check_clock(datetime(1970, 1, 1, tzinfo=UTC), newest, trusted=True).status is CheckStatus.FAILED


@pytest.mark.parametrize("trust", ["", "yes"])
def test_examine__entries_from_the_future(database, database_url, tmp_path, trust):
    """Of a node that is an hour behind on PostgreSQL, whose clock counts; of one on SQLite, where there is no other."""
    everywhere.begin(database)
    loaded = settings.load({"ONETHING_DATABASE_URL": database_url, "ONETHING_DATA_DIR": str(tmp_path), "ONETHING_TRUST_CLOCK": trust})

    check = by_name(doctor.examine(loaded, now=datetime.now(UTC) - timedelta(hours=1)))["clock"]

    counts_there = database.bind.dialect.name == "postgresql"
    assert check.status is (CheckStatus.WARNING if counts_there or trust else CheckStatus.FAILED)
    assert ("journal" in check.found) is not counts_there


@pytest.mark.parametrize(("ahead", "status"), [(59, CheckStatus.OK), (61, CheckStatus.WARNING), (-61, CheckStatus.WARNING)])
def test_check_clock__another_than_that_of_the_database(ahead, status):
    assert doctor.check_clock(NOW + timedelta(seconds=ahead), None, NOW).status is status


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_examine__the_clock_is_years_ahead(database, database_url):
    """What is due goes by the clock of the database, so it harms nobody; but dates in its log are wrong, and somebody should see to it."""
    now = datetime.now(UTC) + timedelta(days=3650)

    [found] = [check for check in doctor.check_database(database_url, now=now) if check.what == "clock"]

    assert (found.status, "at the database" in found.found) == (CheckStatus.WARNING, True)


@pytest.mark.parametrize(
    ("today", "status", "found"),
    [
        (date(2025, 11, 25), CheckStatus.OK, "2024 to 2026"),
        (date(2026, 1, 1), CheckStatus.OK, "2024 to 2026"),
        (date(2026, 11, 14), CheckStatus.OK, "2024 to 2026"),
        (date(2026, 11, 15), CheckStatus.WARNING, "2024 to 2026; due dates in 2027 are provisional"),
        (date(2027, 1, 1), CheckStatus.WARNING, "2024 to 2026; due dates in 2027 are provisional"),
    ],
)
def test_check_calendars__years(database, today, status, found):
    with database.transaction() as session:
        holidays.publish_shipped(session, CALENDARS)
        check = doctor.check_calendars(session, today=today)

    assert (check.status, check.found) == (status, found)


def test_check_calendars__none_published(database):
    with database.reading() as session:
        check = doctor.check_calendars(session, today=NOW.date())

    assert (check.status, check.advice) == (CheckStatus.FAILED, "Run onething migrate.")


def test_check_administrators__none_who_is_not_disabled(database):
    with database.transaction() as session:
        none = doctor.check_administrators(session)
        make_administrator(session)
        one = doctor.check_administrators(session)
        accounts.get(session, "chief").disabled = True
        disabled = doctor.check_administrators(session)

    assert (none.status, none.advice) == (CheckStatus.WARNING, "Run onething add-admin NAME.")
    assert one.status is CheckStatus.OK
    assert disabled == none


@pytest.fixture
def files(tmp_path):
    return FileStore(tmp_path / "materials")


def hand_in(session, files, instance, *contents):
    """Have materials of an instance; None: seen on paper.  The hashes of the others."""
    hashes = [files.keep(io.BytesIO(content), "plan.pdf").sha256 if content else None for content in contents]
    handed_in = {"code": "m", "name": "m", "handed_in_at": instance.started_at, "handed_in_by": "clerk", **instance.key}
    for sha256 in hashes:  # one after the other: the newest is the last
        no = (session.scalar(select(func.max(Material.no))) or 0) + 1
        session.add(Material(no=no, sha256=sha256, **handed_in))
        session.flush()
    return hashes


def test_check_uploads__folder_is_not_mounted(database, database_url, files):
    """Whoever begins a node there is told before people hand in what nobody finds again; an empty folder looks as one that was begun."""
    with database.transaction() as session:
        hashes = hand_in(session, files, everywhere.begin(database), PDF, None, PDF + b"\n", PDF)
        there = doctor.check_uploads(session, files)
    shutil.move(files.folder, files.folder.with_name("unmounted"))
    files.folder.mkdir()

    away = by_name(doctor.check_database(database_url, now=NOW, files=files))["uploads"]

    assert (there.status, there.advice) == (CheckStatus.OK, "")
    assert away.status is CheckStatus.WARNING
    assert away.found == f"2 of the 2 files that came last are not in {files.folder}: {hashes[0]}, {hashes[2]}"
    assert away.advice.startswith("Is the folder mounted?")
    assert list(files.folder.iterdir()) == []


def test_check_uploads__one_is_lost(database, files):
    with database.transaction() as session:
        first, second = hand_in(session, files, everywhere.begin(database), PDF, PDF + b"\n")
        files.path(first).unlink()
        check = doctor.check_uploads(session, files)

    assert second not in check.found
    assert check.found == f"1 of the 2 files that came last are not in {files.folder}: {first}"


def test_check_uploads__disk_does_not_answer(database, files, monkeypatch):
    def fail(_path):
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    with database.transaction() as session:
        hand_in(session, files, everywhere.begin(database), PDF)
        with monkeypatch.context() as patched:
            patched.setattr(Path, "is_file", fail)
            check = doctor.check_uploads(session, files)

    assert check.status is CheckStatus.WARNING


def test_check_uploads__looks_at_the_newest_only(database, files):
    """Old ones are for `onething verify`, which reads them all."""
    with database.transaction() as session:
        (old, *_) = hand_in(
            session, files, everywhere.begin(database), *(PDF + bytes([10] * n) for n in range(doctor.NEWEST_MATERIALS + 1))
        )
        files.path(old).unlink()
        check = doctor.check_uploads(session, files)

    assert check.status is CheckStatus.OK


def test_check_uploads__none_yet(database, files):
    with database.reading() as session:
        assert doctor.check_uploads(session, files).found == "none lately"


#: Of the rules for sorting that come with PostgreSQL itself; before 17 it has none that have a version on every machine.
_SORTED = "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' COLLATION_VERSION '{}'"


@pytest.mark.parametrize(("noted", "status"), [("0", CheckStatus.WARNING), ("1", CheckStatus.OK)])
def test_check_sorting__system_was_changed_below_the_database(postgresql, noted, status):
    """As with a new glibc: an index does not find what it was built by other rules for."""
    rules, known = (_SORTED.format(noted), True) if postgresql.version >= (17,) else ("LC_COLLATE 'C' LC_CTYPE 'C'", False)
    with postgresql.empty() as url:
        with postgresql.admin.connect() as connection:
            name = make_url(url).database
            connection.exec_driver_sql(f'DROP DATABASE "{name}"')
            connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE template0 {rules}')
        check = by_name(doctor.check_database(url, now=NOW)).get("sorting")

    assert (check is not None) is known
    assert check is None or (check.status, bool(check.advice)) == (status, status is CheckStatus.WARNING)


def test_check_assets__missing(tmp_path):
    check = doctor.check_assets([tmp_path / "there", CALENDARS])

    assert (check.status, check.found) == (CheckStatus.FAILED, f"missing: {tmp_path}/there")


def test_released__as_in_the_changelog():
    changelog = (settings.CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")

    newest = next(line for line in changelog.splitlines() if line.startswith("## ") and line != "## Unreleased")

    assert newest == f"## {version('onething')} ({doctor.RELEASED})"
