"""Settings: defaults, values, refusals, and the README that lists them."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.app import create_app
from api.cli.installation import opened
from engine import disks, premises, settings
from engine.diagnoses import CheckStatus

CHECKOUT = Path(settings.__file__).parent.parent


def test_load__nothing_set():
    loaded = settings.load({})

    assert (loaded.host, loaded.port, loaded.env, loaded.region) == ("127.0.0.1", 8080, settings.Environment.DEVELOPMENT, "430100")
    assert loaded.workflows == CHECKOUT / "workflows"
    assert loaded.database_url == f"sqlite:///{CHECKOUT / 'var' / 'onething.db'}"


def test_load__everything_set(tmp_path):
    environ = {
        "ONETHING_HOST": "::1",
        "ONETHING_PORT": "80",
        "ONETHING_PROXIES": "2",
        "ONETHING_PROCESSES": "3",
        "ONETHING_THREADS": "4",
        "ONETHING_ENV": "production",
        "ONETHING_DATA_DIR": str(tmp_path),
        "ONETHING_DATABASE_URL": "postgresql://onething@db/onething",
        "ONETHING_SECRET_KEY": "k" * 32,
        "ONETHING_MAX_UPLOAD": "1000",
        "ONETHING_WORKFLOWS": str(tmp_path / "matters"),
        "ONETHING_REGION": "310000",
        "ONETHING_KEEP_ANSWERS": "24",
        "ONETHING_LIVE_INSTANCES": "128",
        "ONETHING_DRAIN": "10",
        "ONETHING_METRICS_TOKEN": "m" * 16,
        "ONETHING_COURTESY": "19",
        "ONETHING_TICK": "0.5",
        "ONETHING_BATCH": "1",
        "ONETHING_TRUST_CLOCK": "yes",
    }

    loaded = settings.load(environ)

    assert set(environ) == {variable.name for variable in settings.describe()}
    assert loaded == settings.Settings(
        host="::1",
        port=80,
        proxies=2,
        processes=3,
        threads=4,
        env=settings.Environment.PRODUCTION,
        data_dir=tmp_path,
        database_url="postgresql://onething@db/onething",
        secret_key="k" * 32,
        max_upload=1000,
        workflows=tmp_path / "matters",
        region="310000",
        keep_answers=24,
        live_instances=128,
        drain=10,
        metrics_token="m" * 16,
        courtesy=19,
        tick=0.5,
        batch=1,
        trust_clock=True,
    )


def test_batch__is_known_to_the_database(tmp_path):
    """Whoever opens it: a server, or a command."""
    loaded = settings.Settings(data_dir=tmp_path, batch=7)

    with opened(loaded) as database:
        found = {database.batch, create_app(loaded).extensions["database"].batch}

    assert found == {7}


def test_load__data_folder_moved(tmp_path):
    loaded = settings.load({"ONETHING_DATA_DIR": str(tmp_path)})

    assert loaded.database_url == f"sqlite:///{tmp_path}/onething.db"


@pytest.mark.parametrize(
    ("url", "cores", "processes"),
    [("sqlite:///x.db", 8, 1), ("postgresql://db/x", 1, 1), ("postgresql://db/x", 2, 2), ("postgresql://db/x", 8, 4)],
)
def test_load__processes(monkeypatch, url, cores, processes):
    """SQLite has one writer; each process takes memory, and connections of PostgreSQL, so there is an end to them."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)), raising=False)

    assert settings.load({"ONETHING_DATABASE_URL": url}).processes == processes


def test_load__processes_where_nobody_says_which_cores_are_ours(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)

    assert settings.load({"ONETHING_DATABASE_URL": "postgresql://db/x"}).processes == 3


@pytest.mark.parametrize(("processes", "whole", "share"), [(1, 16, 16), (2, 16, 8), (3, 16, 6), (64, 16, 1)])
def test_share__something_at_least(processes, whole, share):
    assert settings.load({"ONETHING_PROCESSES": str(processes)}).share(whole) == share


def test_load__empty_value():
    assert settings.load({"ONETHING_PORT": " "}).port == 8080


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOST", "local host"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "8080.0"),
        ("PORT", "http"),
        ("PORT", "٨٠"),
        ("PORT", "9" * 5000),
        ("PROCESSES", "0"),
        ("PROCESSES", "65"),
        ("THREADS", "0"),
        ("ENV", "staging"),
        ("MAX_UPLOAD", "20 MB"),
        ("REGION", "4301"),
        ("REGION", "43010x"),
        ("TICK", "0"),
        ("TICK", "nan"),
        ("TICK", "1e9"),
        ("TRUST_CLOCK", "true"),
    ],
)
def test_load__bad_value(name, value):
    with pytest.raises(settings.SettingsError, match=f"Expected ONETHING_{name} to be .+, but it is '"):
        settings.load({f"ONETHING_{name}": value})


@pytest.mark.parametrize(
    ("name", "value"), [("SECRET_KEY", "hunter2"), ("DATABASE_URL", "mysql://root:hunter2@db/onething"), ("DATABASE_URL", "hunter2.db")]
)
def test_load__bad_value_that_is_secret(name, value):
    with pytest.raises(settings.SettingsError, match=f"Expected ONETHING_{name} to be .+, but it is not") as refused:
        settings.load({f"ONETHING_{name}": value})

    assert "hunter2" not in str(refused.value)


def test_settings__shown():
    loaded = settings.load({"ONETHING_SECRET_KEY": "hunter2" * 5, "ONETHING_DATABASE_URL": "postgresql://me:hunter2@db/onething"})

    assert "hunter2" not in repr(loaded)


def test_load__production_without_secret_key():
    with pytest.raises(settings.SettingsError, match="Expected ONETHING_SECRET_KEY to be set when ONETHING_ENV is production"):
        settings.load({"ONETHING_ENV": "production"})


def test_secret_key__set():
    assert settings.secret_key(settings.load({"ONETHING_SECRET_KEY": "k" * 40})) == "k" * 40


def test_secret_key__made_once(tmp_path):
    loaded = settings.load({"ONETHING_DATA_DIR": str(tmp_path / "var")})

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: settings.secret_key(loaded), range(8)))

    (key,) = keys
    assert len(key) >= 32
    assert [path.name for path in loaded.data_dir.iterdir()] == ["secret-key"]
    assert (loaded.data_dir / "secret-key").stat().st_mode & 0o777 == 0o600
    assert loaded.data_dir.stat().st_mode & 0o777 == 0o700


def test_secret_key__survives_the_machine(tmp_path, monkeypatch):
    """What it says is there before its name is, and the folder before what lies in it."""
    loaded, synced = settings.load({"ONETHING_DATA_DIR": str(tmp_path / "var")}), []
    monkeypatch.setattr(disks, "sync", synced.append)

    settings.secret_key(loaded)

    folder, draft, names = synced
    assert (folder, draft.parent, names) == (tmp_path, loaded.data_dir, loaded.data_dir)


def test_secret_key__empty(tmp_path):
    """With it nobody could log in, and nothing would say why."""
    loaded = settings.load({"ONETHING_DATA_DIR": str(tmp_path)})
    (tmp_path / "secret-key").touch(mode=0o600)

    with pytest.raises(settings.SettingsError, match=r"Expected the key that signs sessions in .*secret-key, but it is empty"):
        settings.secret_key(loaded)

    assert premises.check_secret_key(loaded).status is CheckStatus.FAILED


def test_describe__as_in_the_readme():
    readme = (CHECKOUT / "README.md").read_text(encoding="utf-8")

    rows = [f"| `{variable.name}` | {variable.default} | {variable.about} |" for variable in settings.describe()]

    assert "\n".join(rows) in readme
    assert readme.count("\n| `ONETHING_") == len(rows)
