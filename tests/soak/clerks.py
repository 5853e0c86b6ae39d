"""Clerks and officers at work: each command has an idempotency key, and is sent again to another node until it is answered."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

#: What is entered for each kind of task.
DATA: dict[str, dict[str, Any]] = {
    "intake": {"outcome": "accept"},
    "decision": {"outcome": "granted"},
    "issuance": {"mode": "unified", "delivery": "window"},
    "rating": {"score": 5},
}
#: Whose the steps of a case are.
PEOPLE = ("clerk", "officer-market")
#: How many seconds a client waits before it asks another node.  A server may take longer, so two may work at one command.
PATIENCE = 4.0
#: One in so many commands without an answer is given up: nobody ever learns what became of it.
GOES_HOME = 20
#: One step in so many is taken in a case where others are just at work, and one is a new case (as long as more are to be submitted).
MEETS = SUBMITS = 5
SERVED, CREATED, BROKEN, AWAY = 200, 201, 500, 503


def applicant(key: str) -> dict[str, str]:
    """The applicant of a case.  The name ends with the key of the command that submits the case, by which the case is found again."""
    return {"kind": "enterprise", "name": f"好味餐饮 {key}", "id_number": "91430100MA4L000000"}


@dataclass(kw_only=True)
class Command:
    """A command, and its answer."""

    key: str
    who: str
    path: str
    body: dict[str, Any]
    #: The kind of the task that is to be completed, and the number of its case; a submission has neither.
    kind: str = ""
    case: str = ""
    #: The status of the answer; None: the client gave up without one.
    status: int | None = None
    answer: dict[str, Any] = field(default_factory=dict)
    #: How often it was sent; 0: it was carried out before the trial began.
    attempts: int = 0
    #: Seconds from the first attempt to the answer.
    took: float = 0.0


class Board:
    """What all clerks share: the nodes, the cases, and all commands."""

    def __init__(
        self, addresses: Sequence[tuple[str, int]], keys: Mapping[str, str], *, more: int, before: Mapping[str, Command] | None = None
    ) -> None:
        self.addresses, self.keys = addresses, keys
        #: How many cases are still to be submitted.
        self.more = more
        #: All commands; those that have submitted a case `before`, by its number, are the first.
        self.commands: list[Command] = list((before or {}).values())
        #: Answers that are wrong in any case, such as a 500.
        self.wrong: list[str] = []
        #: Cases in which something is to be done, the one that was left alone for the longest time first; and all in which something was done.
        self.open: deque[str] = deque(before or {})
        self.touched: set[str] = set()
        #: Set at the end: nobody begins anything new.
        self.closing = threading.Event()
        self.lock = threading.Lock()


class Clerk(threading.Thread):
    """A client that takes the next step of some case, again and again."""

    def __init__(self, board: Board, number: int, seed: int) -> None:
        super().__init__(name=f"clerk-{number}", daemon=True)
        self.board, self.number = board, number
        self.random = random.Random(seed * 1000 + number)
        self._made = 0
        self._connections: dict[tuple[str, int], http.client.HTTPConnection] = {}

    def run(self) -> None:
        """Work until the board is `closing`."""
        while not self.board.closing.is_set():
            case = self._pick()
            if case is None:
                self._submit()
            else:
                self._go_on(case)
        for connection in self._connections.values():
            connection.close()

    def _pick(self) -> str | None:
        """Choose the case of the next step; None: submit a new one."""
        with self.board.lock:
            line = self.board.open
            if not line or (self.board.more > 0 and self.random.randrange(SUBMITS) == 0):
                self.board.more -= 1
                return None
            if self.random.randrange(MEETS) == 0:
                return line[-self.random.randint(1, min(len(line), MEETS))]
            line.rotate(-1)
            return line[-1]

    def _submit(self) -> None:
        key = self._key()
        body = {"matter": "tiny", "hall": "changsha", "applicant": applicant(key)}
        command = self._command(Command(key=key, who="clerk", path="/cases", body=body))
        if command.status == CREATED:
            with self.board.lock:
                self.board.open.append(command.answer["number"])

    def _go_on(self, case: str) -> None:
        for who in self.random.sample(PEOPLE, len(PEOPLE)):
            found = self._ask(who, f"/tasks?limit=50&case={quote(case)}")
            if found is None:
                return
            if found["data"]:
                task = self.random.choice(found["data"])
                key = self._key()
                body = DATA[task["kind"]] | {"mark": key}
                path = f"/tasks/{task['id']}/complete"
                command = self._command(Command(key=key, who=who, path=path, body=body, kind=task["kind"], case=case))
                with self.board.lock:
                    self.board.touched.add(case)
                    if task["kind"] == "rating" and command.status == SERVED:
                        self.board.open.remove(case)
                return

    def _key(self) -> str:
        self._made += 1
        return f"{self.number}-{self._made}"

    def _command(self, command: Command) -> Command:
        with self.board.lock:
            self.board.commands.append(command)
        began = time.monotonic()
        while command.status is None:
            command.attempts += 1
            status, answer = self._send("POST", command.who, command.path, command.body, command.key)
            if status is None or status >= BROKEN:
                if self.random.randrange(GOES_HOME) == 0:
                    break
                time.sleep(self.random.uniform(0.05, 0.5))
                continue
            command.status, command.answer = status, answer
        command.took = time.monotonic() - began
        return command

    def _ask(self, who: str, path: str) -> dict[str, Any] | None:
        status, answer = self._send("GET", who, path)
        if status != SERVED:
            time.sleep(self.random.uniform(0.05, 0.3))
        return answer if status == SERVED else None

    def _send(self, method: str, who: str, path: str, body: Any = None, key: str = "") -> tuple[int | None, dict[str, Any]]:
        """Send a request to any node.  Returns status and body; without an answer the status is None, and the request may have been carried out."""
        address = self.random.choice(self.board.addresses)
        connection = self._connections.setdefault(address, http.client.HTTPConnection(*address, timeout=PATIENCE))
        headers = {"Authorization": f"Bearer {self.board.keys[who]}", "Content-Type": "application/json"}
        headers |= {"Idempotency-Key": key} if key else {}
        try:
            connection.request(method, f"/api/v1{path}", json.dumps(body) if body is not None else None, headers)
            got = connection.getresponse()
            status, text = got.status, got.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return None, {}
        retry_after = got.headers.get("Retry-After")
        if status >= BROKEN and (status != AWAY or retry_after is None):
            with self.board.lock:
                self.board.wrong.append(f"{method} {path} {key}: {status} {text.decode(errors='replace')[:300]}")
        return status, json.loads(text) if text else {}
