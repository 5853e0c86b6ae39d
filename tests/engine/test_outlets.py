"""Whoever reads the log may stop, and leave it open: nobody waits for that, and what was lost is told when it goes on."""

import io
import json
import os
import socket
import threading
from contextlib import contextmanager

import pytest
import structlog

from engine import logs, outlets


@contextmanager
def pipe():
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as file, os.fdopen(reader, "rb", buffering=0) as taken:
        yield taken, file


@contextmanager
def stream_of_a_service():
    """What systemd gives its services."""
    reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with reader, writer, reader.makefile("rb", buffering=0) as taken, os.fdopen(os.dup(writer.fileno()), "w", encoding="utf-8") as file:
        yield taken, file


def refuse(*_about):
    raise PermissionError


@pytest.fixture(params=["pipe", "pipe of another account", "stream of a service"])
def log(request, monkeypatch):
    """A log in production, and what reads it."""
    if request.param == "pipe of another account":
        monkeypatch.setattr(outlets.os, "open", refuse)
    with (stream_of_a_service if request.param == "stream of a service" else pipe)() as (taken, file):
        structlog.configure(logger_factory=lambda *_: logs.Lines(file))  # pytest has sys.stderr for itself
        yield taken


def does_end(work):
    """Whether a piece of work ends, though nobody reads on; what waits for ever is left behind."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(60)
    return not thread.is_alive()


def read(taken):
    os.set_blocking(taken.fileno(), False)
    return b"".join(iter(lambda: taken.read(1 << 20), None)).decode()


def test_log__nobody_reads_on(log):
    """What was taken is whole, and the first line that is taken again is followed by how many were lost."""
    say = structlog.get_logger().info
    assert does_end(lambda: [say("command", number=number, words="字" * 100) for number in range(3000)])

    before = [json.loads(line) for line in read(log).splitlines()]
    say("it goes on")
    after = [json.loads(line) for line in read(log).splitlines()]

    assert [line["number"] for line in before] == list(range(len(before)))
    assert [line["event"] for line in after] == ["it goes on", "lines of the log were lost"]
    assert after[1]["lines"] == 3000 - len(before) > 0


def test_log__nobody_reads_on_in_the_midst_of_a_line(log):
    """What was begun is ended before the next line begins."""
    long = "x" * 1_000_000
    assert does_end(lambda: structlog.get_logger().info(long))

    assert 0 < len(read(log)) < len(long)
    structlog.get_logger().info("it goes on")

    end, *lines = read(log).splitlines()
    assert end == ""
    assert [json.loads(line)["event"] for line in lines] == ["it goes on", "lines of the log were lost"]


def test_log__a_long_line_that_somebody_reads(log):
    """It does not fit into the pipe at once."""
    long, found = "x" * 1_000_000, bytearray()

    def take():
        while not found.endswith(b"\n"):
            found.extend(log.read(1000))

    reader = threading.Thread(target=take, daemon=True)
    reader.start()
    structlog.get_logger().info(long)
    reader.join(60)

    assert json.loads(found)["event"] == long


def test_write__the_pipe_is_not_changed_for_others():
    """They have it open, too, and may be written to wait."""
    with pipe() as (_taken, file):
        outlets.write(file, "a line")

        assert os.get_blocking(file.fileno())


def test_write__another_process_was_faster(monkeypatch):
    """The pipe had room a moment ago, and has none any more."""

    def full(*_about):
        raise BlockingIOError

    with pipe() as (taken, file):
        outlets.write(file, "first")
        with monkeypatch.context() as patch:
            patch.setattr(outlets.os, "write", full)
            outlets.write(file, "second")

        assert outlets.write(file, "third") == 1
        assert read(taken) == "first\nthird\n"


def test_write__nobody_reads_any_more():
    with pipe() as (taken, file):
        taken.close()

        with pytest.raises(BrokenPipeError):
            outlets.write(file, "a line")


def test_write__in_memory():
    assert outlets.write(file := io.StringIO(), "a line") == 0
    assert file.getvalue() == "a line\n"
