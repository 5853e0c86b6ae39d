"""What clients send over a network that is slow, or breaks: others are answered meanwhile, and nothing is done that was not said whole."""

import base64
import re
import socket
from contextlib import ExitStack

import pytest
from sqlalchemy import select

from api.bodies import SMALL
from engine import deployments, holidays
from engine.actors import Actor, Role, RoleGrant
from engine.models import Instance
from engine.settings import CHECKOUT
from tests import stage
from tests.api.camunda.conftest import worked
from tests.api.cli.conftest import PATIENCE
from tests.api.cli.test_serve import await_answer, get

pytestmark = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
DESIGNER = Actor(name="designer", grants=(RoleGrant(role=Role.DESIGNER),))
BEGIN = b'{"businessKey": "all of it"}'
LONG = b'{"businessKey": "all of it", "variables": {"v": {"value": "' + b"x" * SMALL + b'"}}}'


@pytest.fixture
def served(begin, environ, database):
    """A server that works on two requests at a time, and can begin a process."""
    with database.transaction() as session:
        holidays.publish_shipped(session, CHECKOUT / "workflows" / "calendars")
        stage.staff(session)
        deployments.deploy(session, "p", {"p.bpmn": worked("print")}, actor=DESIGNER)
    begin("serve", "--no-scheduler", ONETHING_THREADS="2")
    assert await_answer(environ) == 200
    return environ


def head(*lines):
    credentials = base64.b64encode(b"admin:admin").decode()
    beginning = ("POST /engine-rest/process-definition/key/p/start HTTP/1.1", "Host: here", f"Authorization: Basic {credentials}")
    return "\r\n".join([*beginning, "Content-Type: application/json", "Connection: close", *lines, "", ""]).encode()


def connect(environ):
    return socket.create_connection(("127.0.0.1", int(environ["ONETHING_PORT"])), timeout=PATIENCE)


def status(client):
    """Read an answer to its end."""
    with client.makefile("rb") as answer:
        return int(re.match(rb"HTTP/1.1 (\d+)", answer.read())[1])


def begun(database):
    with database.reading() as session:
        return session.scalars(select(Instance.business_key)).all()


def chunk(piece):
    return b"%x\r\n%s\r\n" % (len(piece), piece)


def test_serve__clients_are_slow(served, database):
    """Whoever sends slowly keeps nobody else from an answer, and is answered when he has done."""
    ways = [
        (f"Content-Length: {len(BEGIN)}", BEGIN[:9], BEGIN[9:]),
        (f"Content-Length: {len(LONG)}", LONG[:9], LONG[9:]),
        ("Transfer-Encoding: chunked", chunk(BEGIN[:9]), chunk(BEGIN[9:]) + chunk(b"")),
    ] * 3
    with ExitStack() as stack:
        slow = [stack.enter_context(connect(served)) for _ in ways]
        for client, (words, first, _) in zip(slow, ways, strict=True):
            client.sendall(head(words) + first)
        assert get(served, "/api/v1/tasks", "clerk") == 200

        for client, (_, _, rest) in zip(slow, ways, strict=True):
            client.sendall(rest)
        assert [status(client) for client in slow] == [200] * len(ways)

    assert begun(database) == ["all of it"] * len(ways)


def test_serve__connection_breaks_in_front_of_the_body(served, database):
    """A start without a body is one, too: it is not begun without what was to be said.  Who has nothing to say says so, and it is done."""
    for words, sent in [
        (f"Content-Length: {len(BEGIN)}", b""),
        (f"Content-Length: {len(BEGIN)}", b"{}"),
        (f"Content-Length: {len(LONG)}", b""),
        (f"Content-Length: {len(LONG)}", b"{}"),
        ("Transfer-Encoding: chunked", b""),
        ("Transfer-Encoding: chunked", chunk(BEGIN[:9])),
    ]:
        with connect(served) as client:
            client.sendall(head(words) + sent)
            client.shutdown(socket.SHUT_WR)
            assert (words, sent, status(client)) == (words, sent, 400)
    assert begun(database) == []

    for words in (("Content-Length: 0",), ()):
        with connect(served) as client:
            client.sendall(head(*words))
            assert status(client) == 200
    assert begun(database) == [None, None]
