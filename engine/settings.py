"""Settings: everything that an operator chooses, read from environment variables in this one place.

The README and `onething doctor` list them from here.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine import disks

PREFIX = "ONETHING_"
CHECKOUT = Path(__file__).resolve().parent.parent
#: Processes that answer requests unless somebody says so: each takes memory, and a few connections of the hundred that a database has.
MOST_PROCESSES = 4


class SettingsError(Exception):
    """An environment variable has a value that cannot be used; the message names the variable."""


class Environment(StrEnum):
    """What the installation is for."""

    DEVELOPMENT = "development"  #: sample accounts and a generated secret key are allowed
    PRODUCTION = "production"  #: neither is


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One environment variable, for the people who set it."""

    name: str
    #: Text of the default; empty when there is none.
    default: str
    about: str


def _setting(default: Any, parse: Callable[[str], Any], about: str, *, shown: str | None = None, secret: bool = False) -> Any:
    shown = str(default) if shown is None else shown
    return field(default=default, repr=not secret, metadata={"parse": parse, "about": about, "shown": shown, "secret": secret})


def _between(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,15}", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def _seconds_from(low: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        if not re.fullmatch(r"\d{1,4}(\.\d{1,3})?", text, re.ASCII) or not low <= float(text) <= 3600:  # noqa: PLR2004 — said in words on the next line
            raise ValueError(f"seconds from {low:g} to 3600")
        return float(text)

    return parse


def _matching(pattern: str, expected: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text, re.ASCII):
            raise ValueError(expected)
        return text

    return parse


def _environment(text: str) -> Environment:
    if text not in set(Environment):
        raise ValueError(" or ".join(Environment))
    return Environment(text)


def _yes_or_no(text: str) -> bool:
    if text not in {"yes", "no"}:
        raise ValueError("yes or no")
    return text == "yes"


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one process; each field is the environment variable `ONETHING_` + its name in capitals."""

    host: str = _setting("127.0.0.1", _matching(r"[\w.:-]+", "a host name or an address"), "Address that the server listens on.")
    port: int = _setting(8080, _between(1, 65535), "Port that the server listens on.")
    proxies: int = _setting(
        0,
        _between(0, 9),
        "How many reverse proxies of yours a request comes through, each of which adds the address that it has seen to `X-Forwarded-For`: "
        "wrong passwords are counted by where they come from.",
    )
    processes: int = _setting(
        0, _between(1, 64), "Processes that answer requests.", shown=f"one for each core, at most {MOST_PROCESSES}; one with SQLite"
    )
    threads: int = _setting(16, _between(1, 256), "Requests that all processes together work on at the same time.")
    env: Environment = _setting(
        Environment.DEVELOPMENT, _environment, "`development` or `production`; in production there are no sample accounts."
    )
    data_dir: Path = _setting(
        CHECKOUT / "var", _path, "Folder of the embedded database, the uploaded materials and the generated secret key.", shown="var"
    )
    database_url: str = _setting(
        "",
        _matching(r"(sqlite|postgresql(\+psycopg)?)://\S+", "sqlite:///PATH or postgresql://USER@HOST/NAME"),
        "Database: `sqlite:///PATH` or `postgresql://USER@HOST/NAME`.",
        shown="SQLite in the data folder",
        secret=True,  # a URL may hold a password
    )
    secret_key: str = _setting(
        "",
        _matching(r"\S{32,}", "at least 32 characters without blanks"),
        "Signs sessions, at least 32 characters; needed in production, otherwise made once and kept in the data folder.",
        secret=True,
    )
    max_upload: int = _setting(20 * 1024 * 1024, _between(1, 1 << 40), "Largest request that is read, in bytes.")
    workflows: Path = _setting(CHECKOUT / "workflows", _path, "Folder of the matters and calendars.", shown="workflows")
    region: str = _setting(
        "430100", _matching(r"\d{6}", "six digits"), "Division code (行政区划代码) of the place that the installation serves."
    )
    keep_answers: int = _setting(
        72, _between(1, 24 * 366), "Hours for which a repeated command (`Idempotency-Key`) is given its first answer; then it is deleted."
    )
    drain: float = _setting(
        0.0,
        _seconds_from(0),
        "Seconds for which a stopping server still takes requests while `/health/ready` refuses, so that a load balancer sees it.",
    )
    metrics_token: str = _setting(
        "",
        _matching(r"\S{16,}", "at least 16 characters without blanks"),
        "Whoever sends it (`Authorization: Bearer`, 16 characters or more) may read `/metrics` from anywhere; else this machine only.",
        secret=True,
    )
    live_instances: int = _setting(
        64, _between(0, 1 << 20), "Megabytes of instances that each process keeps in memory, so that they need not be read again; 0: none."
    )
    courtesy: int = _setting(5, _between(0, 19), "By how much `onething work` lets other processes of its host go first (`nice`, 0 to 19).")
    tick: float = _setting(1.0, _seconds_from(0.05), "Seconds between two looks of the scheduler at what is due, at most.")
    batch: int = _setting(
        500,
        _between(1, 500),
        "Cases that the scheduler, or a fetch of external tasks, writes in one transaction, at most (1 to 500). "
        "1 is for a database that is spread over shards: whatever else goes to many cases is done one by one then, too.",
    )
    trust_clock: bool = _setting(
        False,
        _yes_or_no,
        "`yes`: nodes begin although the journal has entries from the future; the clock is right, and was ahead when they were written.",
        shown="no",
    )

    def __post_init__(self) -> None:
        """Fill the defaults that depend on another setting, and refuse an unsigned production."""
        if not self.database_url:
            object.__setattr__(self, "database_url", f"sqlite:///{self.data_dir / 'onething.db'}")
        if not self.processes:
            # SQLite has one writer at a time: a second process would only wait for it.
            object.__setattr__(self, "processes", 1 if self.database_url.startswith("sqlite") else min(_cores(), MOST_PROCESSES))
        if self.env is Environment.PRODUCTION and not self.secret_key:
            raise SettingsError(f"Expected {PREFIX}SECRET_KEY to be set when {PREFIX}ENV is production, but it is not")

    @property
    def materials(self) -> Path:
        """Folder of the uploaded files."""
        return self.data_dir / "materials"

    def share(self, whole: int) -> int:
        """Give the share of one process in a number that all processes of the server have together, rounded up."""
        return -(-whole // self.processes)


def load(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings; an unset or empty variable takes its default.  Raises `SettingsError`."""
    known = {PREFIX + f.name.upper(): f for f in fields(Settings)}
    values: dict[str, Any] = {}
    for name, setting in known.items():
        if text := environ.get(name, "").strip():
            try:
                values[setting.name] = setting.metadata["parse"](text)
            except ValueError as error:
                but = "it is not" if setting.metadata["secret"] else f"it is '{text}'"
                raise SettingsError(f"Expected {name} to be {error}, but {but}") from None
    return Settings(**values)


def describe() -> tuple[Variable, ...]:
    """Every variable with its default and what it is about, in the order of `Settings`."""
    return tuple(Variable(name=PREFIX + f.name.upper(), default=f.metadata["shown"], about=f.metadata["about"]) for f in fields(Settings))


def secret_key(settings: Settings) -> str:
    """Give the key that signs sessions; the first call of a new installation makes it, readable by its owner only."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.data_dir / "secret-key"
    if not path.exists():
        disks.make(settings.data_dir, mode=0o700)
        draft = path.with_name(f"secret-key.{secrets.token_hex(8)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(32), encoding="ascii")
        disks.sync(draft)
        # Of two processes that start at once, one links its draft and both read that one.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
        disks.sync(settings.data_dir)
    key = path.read_text(encoding="ascii")
    if not key:
        raise SettingsError(f"Expected the key that signs sessions in {path}, but it is empty; remove it, and everybody logs in once more")
    return key
