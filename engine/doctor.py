"""The doctor: is this installation fit to serve?  Looks at everything that it stands on, and changes nothing."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, make_url, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from engine import (
    administrators,
    calendars,
    connections,
    damage,
    database,
    durability,
    holidays,
    postgresql,
    premises,
    readiness,
    schema,
    upkeep,
)
from engine.case_models import Material
from engine.diagnoses import Check, CheckStatus
from engine.errors import Busy, EngineError, NotFound, Unavailable, Unfit
from engine.files import FileStore
from engine.models import Entry
from engine.schema import Finding
from engine.settings import PREFIX, Settings, describe

#: Day of the newest release in CHANGELOG.md: no clock is right that shows an earlier one.
RELEASED = date(2026, 11, 25)
#: How far the clocks of two nodes may differ.
TOLERATED_SKEW = timedelta(minutes=1)
#: How moments are shown.
SECOND = "%Y-%m-%d %H:%M:%S UTC"
#: Of so many materials, the newest, the files are looked for; what was only seen on paper has none.
NEWEST_MATERIALS = 20
#: How variables begin that only the tests read.
OF_TESTS = f"{PREFIX}TEST_"


def examine(settings: Settings, *, now: datetime, assets: Sequence[Path] = ()) -> list[Check]:
    """Look at everything; `assets` are files that the pages need."""
    return [
        check_variables(os.environ),
        premises.check_data_folder(settings.data_dir),
        premises.check_room(settings.materials),
        premises.check_temporary_files(),
        premises.check_secret_key(settings),
        *premises.check_restorations(settings.database_url),
        *check_database(
            settings.database_url,
            now=now,
            files=FileStore(settings.materials),
            trust_clock=settings.trust_clock,
            answers=timedelta(hours=settings.keep_answers),
        ),
        check_assets(assets),
    ]


def check_variables(names: Iterable[str]) -> Check:
    """Find environment variables that look like ours but are none: a slip of the finger would go unseen."""
    known = {variable.name for variable in describe()}
    unknown = sorted(name for name in names if name.startswith(PREFIX) and not name.startswith(OF_TESTS) and name not in known)
    if unknown:
        advice = "Correct or remove them; the README lists those that there are."
        return Check(what="settings", status=CheckStatus.WARNING, found=f"unknown: {', '.join(unknown)}", advice=advice)
    return Check(what="settings", found="every variable is known")


def check_database(
    url: str, *, now: datetime, files: FileStore | None = None, trust_clock: bool = False, answers: timedelta | None = None
) -> list[Check]:
    """Ask the database whether it answers, has the newest schema, keeps what it is told, and holds nothing from the future.

    `files`: where what it names should be; `trust_clock`: what is from the future was written by a wrong clock; `answers`: for how long
    answers to commands are kept.
    """
    parsed = make_url(url)
    shown = connections.shown(url)
    if parsed.get_backend_name() == "sqlite" and not Path(parsed.database or "").exists():
        # Connecting would make the file, and the doctor changes nothing.
        return [_check_of(schema.missing(f"{shown} does not exist yet"))]
    opened = database.Database(url)
    try:
        with opened.reading() as session:
            return [Check(what="database", found=f"{shown} answers"), *_inside(session, now, files, trust_clock, answers)]
    except Busy:
        found, advice = f"{shown} answers, but somebody holds a table that is looked at", "See who holds locks, and end that session."
        return [Check(what="database", status=CheckStatus.FAILED, found=found, advice=advice, passing=True)]
    except (SQLAlchemyError, Unavailable) as error:
        cause = error.__cause__ if isinstance(error, Unavailable) else error
        reason = str(getattr(cause, "orig", cause)).strip().splitlines()[0]
        unfit = isinstance(error, Unfit)
        advice = "Grant what is missing, or restore the newest backup." if unfit else f"Start it, or set {PREFIX}DATABASE_URL."
        found = f"{shown} does not answer: {reason}"
        passing = isinstance(error, Unavailable) and not unfit
        return [Check(what="database", status=CheckStatus.FAILED, found=found, advice=advice, passing=passing)]
    finally:
        opened.close()


def _inside(session: Session, now: datetime, files: FileStore | None, trust_clock: bool, answers: timedelta | None) -> list[Check]:
    connection = session.connection()
    migrations = check_migrations(connection)
    checks = [*check_server(connection), *check_sorting(connection), *damage.check(connection), durability.check(connection), migrations]
    if migrations.status is CheckStatus.OK and (withheld := readiness.withheld(connection)):
        checks.append(Check(what="tables", status=CheckStatus.FAILED, found=withheld.found, advice=withheld.advice))
    elif migrations.status is not CheckStatus.FAILED:
        # Ids grow with time; by `at` it would read all there is.
        newest = session.scalar(select(Entry.at).order_by(Entry.id.desc()).limit(1))
        there = connection.scalar(text("SELECT clock_timestamp()")) if postgresql.is_behind(connection) else None
        checks += [
            check_clock(now, newest, there, trusted=trust_clock),
            check_calendars(session, today=calendars.local_date(now)),
            check_administrators(session),
            upkeep.check_scheduler(session, now=there or now, answers=answers),
            *upkeep.check_nodes(connection),
        ]
        if files is not None:
            checks += [check_uploads(session, files), upkeep.check_backups(session, files, now=there or now)]
    return checks


def check_server(connection: Connection) -> list[Check]:
    """See that PostgreSQL takes our connections, and goes by what the engine was written for; of SQLite, that its file can be written."""
    behind = postgresql.is_behind(connection)
    if kept := readiness.kept_from_writing(connection):
        return [Check(what="server" if behind else "file", status=CheckStatus.FAILED, found=kept.found, advice=kept.advice, passing=behind)]
    if not behind:
        return []
    way = connections.look(connection)
    if way.otherwise:
        found = ", ".join(f"{name} = {value}" for name, value in way.otherwise.items()) + " is not ours"
        if way.pooled:
            advice = "Let no pooler stand between, or set what docs/operating.md says for the role."
            return [Check(what="server", status=CheckStatus.FAILED, found=f"a pooler stands between: {found}", advice=advice)]
        return [Check(what="server", status=CheckStatus.WARNING, found=found, advice=f"Take it out of {PREFIX}DATABASE_URL (options).")]
    if way.encoding != "UTF8":
        found, advice = f"its database is {way.encoding}, and refuses what that has no letter for", "Make it anew with ENCODING 'UTF8'."
        return [Check(what="server", status=CheckStatus.WARNING, found=found, advice=advice)]
    return [Check(what="server", found="takes our connections as they are")]


def check_sorting(connection: Connection) -> list[Check]:
    """See that the system of PostgreSQL's host still sorts texts as when its indexes were built: else they miss rows that are there."""
    noted = postgresql.collations(connection) if postgresql.is_behind(connection) else None
    if noted is None:
        return []
    then, now = noted
    if then == now:
        return [Check(what="sorting", found=f"texts are sorted by version {now}, as ever")]
    found = f"texts are sorted by version {now}, indexes were built by {then}: what is there may not be found, or be there twice"
    advice = "Stop the nodes, REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION (docs/operating.md)."
    return [Check(what="sorting", status=CheckStatus.WARNING, found=found, advice=advice)]


def check_migrations(connection: Connection) -> Check:
    """Compare the schema with the one that this version was written for."""
    return _check_of(schema.look(connection))


def _check_of(finding: Finding) -> Check:
    suits = CheckStatus.WARNING if finding.advice else CheckStatus.OK
    return Check(what="migrations", status=suits if finding.fit else CheckStatus.FAILED, found=finding.found, advice=finding.advice)


def check_clock(now: datetime, newest: datetime | None, there: datetime | None = None, *, trusted: bool = False) -> Check:
    """Compare the clock that counts, `there` in the database or this one, with the release, and with the newest entry of the journal.

    `trusted`: it is right, and was ahead when that entry was written.
    """
    counts, whose = (there, "the host of the database") if there else (now, "this machine")
    here, shown = f"{now.astimezone(UTC):{SECOND}}", f"{counts.astimezone(UTC):{SECOND}}"
    advice = f"Set the clock of {whose}, best with NTP."
    if counts.date() < RELEASED:
        found = f"{shown} is before the release of this version, {RELEASED}"
        return Check(what="clock", status=CheckStatus.FAILED, found=found, advice=advice, passing=True)
    if newest and newest > counts + TOLERATED_SKEW:
        found = f"{shown} is before the newest entry of the journal, {newest.astimezone(UTC):{SECOND}}"
        advice += f" If it is right, and was ahead when that was written: {PREFIX}TRUST_CLOCK=yes."
        status = CheckStatus.WARNING if trusted else CheckStatus.FAILED
        return Check(what="clock", status=status, found=found, advice=advice, passing=True)
    if there and abs(there - now) > TOLERATED_SKEW:
        advice = "Set whichever clock is wrong, best both with NTP."
        return Check(
            what="clock", status=CheckStatus.WARNING, found=f"{here} here, and {shown} at the database, which counts", advice=advice
        )
    return Check(what="clock", found=shown)


def check_calendars(session: Session, *, today: date) -> Check:
    """See how far the published calendars reach: from mid-November on the next year is missed (its due dates are provisional)."""
    try:
        calendar = holidays.calendar(session)
    except EngineError as error:
        return Check(what="calendars", status=CheckStatus.FAILED, found=str(error), advice="Run onething migrate.")
    covered = f"{calendar.published_from.year} to {calendar.provisional_after.year}"
    if missing := calendar.missing(today):
        found = f"{covered}; due dates in {missing} are provisional"
        advice = f"Load the calendar of {missing} as soon as the State Council publishes it."
        return Check(what="calendars", status=CheckStatus.WARNING, found=found, advice=advice)
    return Check(what="calendars", found=covered)


def check_administrators(session: Session) -> Check:
    """See that somebody can make accounts: without an administrator who is not disabled, nobody can over the API."""
    if not administrators.are_there(session):
        advice = "Run onething add-admin NAME."
        return Check(what="administrators", status=CheckStatus.WARNING, found="there is none", advice=advice)
    return Check(what="administrators", found="there is one")


def check_uploads(session: Session, files: FileStore) -> Check:
    """Look for the files that were handed in last: where the disk is not mounted, an empty folder takes what comes, and hides it later."""
    newest = select(Material.id, Material.sha256).order_by(Material.id.desc()).limit(NEWEST_MATERIALS)
    named = list(dict.fromkeys(row.sha256 for row in session.execute(newest) if row.sha256))
    missing = [sha256 for sha256 in named if not _is_there(files, sha256)]
    if missing:
        found = f"{len(missing)} of the {len(named)} files that came last are not in {files.folder}: {', '.join(missing)}"
        advice = (
            "Is the folder mounted? Stop the nodes of this host before you mount it, and copy there what they took meanwhile. "
            "Else put them back from a backup (materials/ab/cd/SHA256), and run onething verify."
        )
        return Check(what="uploads", status=CheckStatus.WARNING, found=found, advice=advice)
    return Check(what="uploads", found=f"the files that came last are in {files.folder}" if named else "none lately")


def _is_there(files: FileStore, sha256: str) -> bool:
    try:
        files.path(sha256)
    except (NotFound, OSError):  # a disk that does not answer has nothing for anybody
        return False
    return True


def check_assets(assets: Sequence[Path]) -> Check:
    """Look for the files that pages need; they work without the internet."""
    if missing := [str(path) for path in assets if not path.exists()]:
        return Check(what="assets", status=CheckStatus.FAILED, found=f"missing: {', '.join(missing)}", advice="Run make setup.")
    return Check(what="assets", found="present")
