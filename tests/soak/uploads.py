"""Uploads: a client hands files in all the time, also while their disk is full.  Each file is there as a whole, or was refused and left nothing."""

from __future__ import annotations

import hashlib
import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import select

from engine.case_models import Material
from engine.database import Database
from engine.files import DRAFT, FileStore
from tests.soak.clerks import AWAY, CREATED, Board

#: What is handed in: nobody waits for it.
CODE = "plan"
#: Bytes of a file, half of them.
SHORTEST, LONGEST = 5_000, 30_000
#: Seconds that an answer may take: a node tries for eight before it says that there is no room.
PATIENCE = 20
#: With these words a file is refused for which there is no room.
FULL = "there is no room left on the disk"
_BOUNDARY = "one-after-the-other"


class Uploader(threading.Thread):
    """A client that hands in one file after the other, and none of them twice."""

    def __init__(self, board: Board, seed: int) -> None:
        super().__init__(name="uploader", daemon=True)
        self.board, self.random = board, random.Random(seed)
        self.closing = threading.Event()
        #: Hashes of what was acknowledged, and how many uploads ended how.
        self.kept: list[str] = []
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        """Hand in files until `closing` is set."""
        while not self.closing.is_set():
            with self.board.lock:
                case = self.random.choice(self.board.open) if self.board.open else None
            if case is not None:
                self._hand_in(case, self._drawn())
            time.sleep(0.05)

    def _drawn(self) -> bytes:
        return b"%PDF-1.4\n" + self.random.randbytes(self.random.randint(SHORTEST, LONGEST)).hex().encode() + b"\n%%EOF\n"

    def _hand_in(self, case: str, content: bytes) -> None:
        connection = http.client.HTTPConnection(*self.random.choice(self.board.addresses), timeout=PATIENCE)
        headers = {
            "Authorization": f"Bearer {self.board.keys['clerk']}",
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
        }
        try:
            connection.request("POST", f"/api/v1/cases/{quote(case)}/materials", _form(content), headers)
            answer = connection.getresponse()
            said = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self.answers["no answer"] += 1
            return
        finally:
            connection.close()
        self.answers["no room" if answer.status == AWAY and FULL in said else str(answer.status)] += 1
        if answer.status == CREATED:
            self.kept.append(hashlib.sha256(content).hexdigest())
        elif answer.status != AWAY or not answer.headers.get("Retry-After"):
            self.board.wrong.append(f"upload to {case}: {answer.status} {said[:300]}")

    def check(self, db: Database, folder: Path) -> Iterator[str]:
        """Yield in words each file that was acknowledged and is missing or not whole, and whatever files that were refused have left."""
        with db.reading() as session:
            known = {sha256 for sha256 in session.scalars(select(Material.sha256)) if sha256}
        for sha256 in set(self.kept) - known:
            yield f"Expected acknowledged upload {sha256} to be a material, but it is none"
        for sha256 in known:
            if hashlib.sha256(FileStore(folder).path(sha256).read_bytes()).hexdigest() != sha256:
                yield f"Expected upload {sha256} to be whole, but it is not"
        drafts, unanswered = len(list(folder.glob(f"{DRAFT}*"))), self.answers["no answer"]
        if drafts > unanswered:
            yield f"Expected at most {unanswered} uploads to be broken off, but {drafts} have left something"


def _form(content: bytes) -> bytes:
    code = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="code"\r\n\r\n{CODE}\r\n'
    file = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="plan.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    return f"{code}{file}".encode() + content + f"\r\n--{_BOUNDARY}--\r\n".encode()
