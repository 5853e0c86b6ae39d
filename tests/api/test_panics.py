"""Where a library that is written in Rust has no memory it panics, of which Python makes no Exception; its client is told all the same."""

import re
import resource
from contextlib import contextmanager
from pathlib import Path

import pytest

from api import parsing
from tests.api.test_problems import check

#: So long is the text: longer than what memory each thread may have set aside (64 MB), of which another one would be given some.
LONG, LITTLE = 66 << 20, 4 << 20
BODY = b'{"name": "' + b"n" * LONG + b'"}'


def taken():
    """How much memory this process has, bytes."""
    return int(re.search(r"VmSize:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) << 10


@contextmanager
def no_more():
    """Let this process have no room for so long a text, nor find it in what it has given back to itself before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    kept, more = [], 0
    while more < LONG:
        before = taken()
        kept.append(bytearray(LONG))
        more = taken() - before
    resource.setrlimit(resource.RLIMIT_AS, (taken() + LITTLE, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.fixture
def full(monkeypatch):
    """A process that gets no more memory while a body is parsed."""
    parse = parsing.from_json

    def parsed(raw, **how):
        with no_more():
            return parse(raw, **how)

    with monkeypatch.context() as patched:
        patched.setattr(parsing, "from_json", parsed)
        yield


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the panic tells of the MemoryError that it has found
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not say how much memory is taken")
def test_body__no_memory_to_parse_it(app, admin, full, monkeypatch):
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 2 * LONG)

    answer = admin.post("/accounts", data=BODY, content_type="application/json")

    assert "Expected this node to have memory for it, but it has none left" in check(answer, 503)["detail"]
    assert answer.headers["Retry-After"] == "1"
    check(admin.post("/accounts", {"name": ""}), 422)


def test_body__another_panic(admin, monkeypatch, capsys):
    """It is a fault as any other: the log has it, and its client an id."""
    panic = type("PanicException", (BaseException,), {})

    def fail(*_about, **_words):
        raise panic("index out of bounds")

    monkeypatch.setattr(parsing, "from_json", fail)

    problem = check(admin.post("/accounts", {"name": "new"}), 500)

    assert problem["instance"] in (logged := capsys.readouterr().err)
    assert "panicked: index out of bounds" in logged
