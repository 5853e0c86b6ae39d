"""The command line, as a person or a service manager uses it."""

import contextlib
import functools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli import main
from bpmn import compiler
from tests.api.cli.nursery import Nursery
from tests.api.cli.simulating import bare, drawn, simulate

__all__ = ["bare", "drawn", "simulate"]

#: What became of drawings that commands deploy or try out again and again in this process.
_examined = functools.lru_cache(maxsize=256)(compiler.examine)
ONETHING = Path(sys.executable).parent / "onething"
#: Seconds after which a command hangs, however busy the machine is.
PATIENCE = 180


@pytest.fixture(scope="module", autouse=True)
def _compiled_once():
    """Compile a drawing once, as the fixture `compiled_once` does, for commands that fixtures of a module run as well."""

    def examine(content, resource, *, functions=None):
        return _examined(content, resource, functions=None if functions is None else frozenset(functions))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiler, "examine", examine)
        yield


@pytest.fixture
def environ(database_url, tmp_path):
    """The environment of a fresh installation on a port of its own; nothing of ours leaks into it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("ONETHING_")}
    return clean | {"ONETHING_DATABASE_URL": database_url, "ONETHING_DATA_DIR": str(tmp_path), "ONETHING_PORT": str(port)}


@pytest.fixture
def run(environ):
    """Run a command here."""

    def run(*words, typed=None, **changes):
        leaked = {name: None for name in os.environ if name.startswith("ONETHING_")}
        return CliRunner(env=leaked | environ | changes).invoke(main, words, input=typed)

    return run


class Started:
    """A command that runs in a process group of its own, as in a terminal."""

    def __init__(self, process):
        self.process = process
        self.output = ""
        # A command that hangs is killed, and then whoever waits for it sees that.
        self._patience = threading.Timer(PATIENCE, self.process.kill)
        self._patience.start()

    def until(self, pattern):
        """Read until a line matches; fail when the command ends before."""
        for line in self.process.stdout:
            self.output += line
            if re.search(pattern, line):
                return
        raise AssertionError(f"Expected to read {pattern!r}, but the command ended:\n{self.output}")

    def press_ctrl_c(self):
        """Interrupt the whole group, as a terminal does."""
        os.killpg(self.process.pid, signal.SIGINT)

    def ended(self):
        """Wait for the end and give the exit status."""
        self.output += self.process.stdout.read()
        return self.process.wait()

    def kill_group(self):
        """Leave nothing behind, whatever the test did; when it has failed, pytest shows what the command said."""
        self._patience.cancel()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.ended()
        self.process.stdout.close()
        sys.stdout.write(f"{self.process.args} said:\n{self.output}")


@pytest.fixture
def started():
    """Commands that were started; they end with the test."""
    started = []
    yield started
    for command in started:
        command.kill_group()


@pytest.fixture
def start(environ, started):
    """Start a command in a process of its own."""

    def start(*words, program=(ONETHING,), **changes):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "errors": "replace"}
        started.append(Started(subprocess.Popen((*program, *words), env=environ | changes, start_new_session=True, **pipes)))
        return started[-1]

    return start


@pytest.fixture(scope="session")
def nursery():
    """Where commands begin that find most imported."""
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture
def begin(environ, started, nursery):
    """Begin a command in a process of its own, in a third of the time: for what it does when it has started."""

    def begin(*words, program="", **changes):
        started.append(Started(nursery.begin([str(ONETHING), *words], environ | changes, program=program)))
        return started[-1]

    return begin
