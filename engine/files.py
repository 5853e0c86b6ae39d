"""Files (上传文件): stored once by what is in them, outside the database; what they are is read from their content.

A file lies in `materials/ab/cd/<sha256>` before the row that names it is committed.  When that commit fails, an orphan
stays, which harms nobody: the next upload of the same content finds it.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from engine import disks, file_types
from engine.errors import InvalidInput, NotFound
from engine.materials import StoredFile

_CHUNK = 1 << 20
#: How what is not a file yet is called.
DRAFT = "draft-"
#: What tells by its time when all of it was backed up: here, for every node sees this folder.
BACKED_UP = "last-backup"
#: After so many seconds what has not become a file never will.
FORSAKEN = 24 * 3600
LONGEST_NAME = 200


class FileStore:
    """The folder of the uploaded materials."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: Where it is noted when all of it was backed up.
        self.noted = folder / BACKED_UP

    def keep(self, content: IO[bytes], filename: str) -> StoredFile:
        """Store what is read; it is durable when this returns.

        Raises InvalidInput for a type that is not taken, Unavailable when the disk has no room, or takes nothing.
        """
        name = _plain_name(filename)
        with disks.told(self.folder):
            return self._keep(content, name)

    def _keep(self, content: IO[bytes], name: str) -> StoredFile:
        disks.make(self.folder)
        draft = self.folder / f"{DRAFT}{secrets.token_hex(16)}"
        try:
            size, sha256 = _write(draft, content)
            media_type = file_types.recognise(draft, name)
            self._settle(draft, sha256)
        finally:
            draft.unlink(missing_ok=True)
        return StoredFile(sha256=sha256, size=size, media_type=media_type, filename=name)

    def clear_up(self) -> None:
        """Remove what uploads and restorations have left whose process was killed."""
        for draft in self.folder.glob(f"{DRAFT}*"):
            with suppress(FileNotFoundError):  # another node does so, too
                if time.time() - draft.stat().st_mtime > FORSAKEN:
                    draft.unlink()

    def note_backup(self, made_at: datetime) -> None:
        """Note that there is a backup of everything, and of when; raises OSError."""
        disks.make(self.folder)
        self.noted.touch()
        os.utime(self.noted, (made_at.timestamp(), made_at.timestamp()))

    def backed_up_at(self) -> datetime | None:
        """Of when the newest backup is that was noted; None: none was."""
        with suppress(OSError):
            return datetime.fromtimestamp(self.noted.stat().st_mtime, UTC)
        return None

    def path(self, sha256: str) -> Path:
        """Where the content is.  Raises NotFound when it is gone."""
        path = self._place(sha256)
        if not path.is_file():
            raise NotFound(f"Expected a file with the content {sha256}, but it is not in the store")
        return path

    def _settle(self, draft: Path, sha256: str) -> None:
        place = self._place(sha256)
        place.parent.mkdir(parents=True, exist_ok=True)
        # Also where it was handed in before: what lies there may have rotted since.
        draft.replace(place)
        # Else the name, not the content, could be lost with the power; whoever has put it there before us may not have come so far.
        for folder in (place.parent, place.parent.parent, self.folder):
            disks.sync(folder)

    def _place(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256[2:4] / sha256


def _write(draft: Path, content: IO[bytes]) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    draft.touch(mode=0o600, exist_ok=False)
    with draft.open("wb") as target:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            size += target.write(chunk)
        target.flush()
        os.fsync(target.fileno())
    return size, digest.hexdigest()


def _plain_name(filename: str) -> str:
    """Drop the folders that some browsers send; refuse what is no name."""
    name = filename.replace("\\", "/").rpartition("/")[2].strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput.of_field("file", f"Expected a file name of 1 to {LONGEST_NAME} printable characters, but got another one")
    return name
