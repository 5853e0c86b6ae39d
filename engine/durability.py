"""Durability: whether what is committed outlives the machine, by how the database is set."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from sqlalchemy import Connection, text

from engine import database, postgresql
from engine.diagnoses import Check, CheckStatus
from engine.settings import PREFIX

#: What PostgreSQL is not to go by: for a rescue somebody may have set it, and forgotten; then rows are missing, or stay, in silence.
RESCUES = {"zero_damaged_pages": "on", "ignore_checksum_failure": "on", "session_replication_role": "replica"}


def check(connection: Connection) -> Check:
    """See that a commit survives the machine: some versions of SQLite can lose data when their write-ahead log is reset."""
    if postgresql.is_behind(connection):
        asked = ["synchronous_commit", "synchronous_standby_names", "fsync", *RESCUES]
        said = connection.execute(text("SELECT name, setting FROM pg_settings WHERE name = ANY(:asked)"), {"asked": asked})
        hosts = connection.engine.url.normalized_query.get("host", ())
        return judge({row.name: row.setting for row in said}, hosts=sum(len(one.split(",")) for one in hosts))
    mode = str(connection.scalar(text("PRAGMA journal_mode")))
    found = f"SQLite {sqlite3.sqlite_version}, journal mode {mode}"
    if mode == "wal" and not database.wal_is_safe():
        advice = "Stop every process that uses the file; the next one to start changes its journal mode."
        return Check(what="durability", status=CheckStatus.FAILED, found=f"{found}, which can lose data", advice=advice)
    return Check(what="durability", found=found)


def judge(said: Mapping[str, str], *, hosts: int = 1) -> Check:
    """Say what a commit of PostgreSQL survives, by its settings; `hosts`: how many are named, any of which may take over."""
    mode, standbys = said["synchronous_commit"], said.get("synchronous_standby_names", "").strip()
    if mode == "off":
        advice = f"Set synchronous_commit = on in postgresql.conf, and take it out of {PREFIX}DATABASE_URL (options)."
        return Check(what="durability", status=CheckStatus.FAILED, found="commits are not waited for", advice=advice)
    found, advice = f"PostgreSQL, synchronous_commit = {mode}", ""
    if said.get("fsync") == "off":
        found, advice = "fsync = off: what is committed may be lost with the machine", "Set fsync = on in postgresql.conf."
    elif wrong := [f"{name} = {value}" for name, value in RESCUES.items() if said.get(name) == value]:
        found, advice = f"{', '.join(wrong)}: rows may be lost without a word", "Set it back, for the server, the database and the role."
    elif standbys and mode == "local":
        found += ": commits wait for no standby"
        advice = "Set synchronous_commit = on, or what a standby lacks is lost with the primary."
    elif not standbys and hosts > 1:
        found = f"{hosts} hosts, and commits wait for no standby"
        advice = "Set synchronous_standby_names on each of them, or what a standby lacks is lost with the primary."
    return Check(what="durability", status=CheckStatus.WARNING if advice else CheckStatus.OK, found=found, advice=advice)
