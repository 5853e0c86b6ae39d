"""Premises (本机条件): the folders and files of this node that an installation stands on."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from sqlalchemy import make_url

from engine import beginnings
from engine.diagnoses import Check, CheckStatus
from engine.settings import PREFIX, Settings

#: So many bytes are to be free for uploads, of which one has 20 million at most unless told otherwise.
ROOM = 500_000_000


def check_data_folder(folder: Path) -> Check:
    """Look for the place of the uploads, the embedded database and the generated key."""
    nearest = _nearest(folder)
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return Check(what="data folder", found=f"{folder} can be written")
    advice = f"Give the folder to the account that serves, or set {PREFIX}DATA_DIR."
    return Check(what="data folder", status=CheckStatus.FAILED, found=f"{folder} cannot be written", advice=advice)


def check_room(folder: Path) -> Check:
    """See that the disk of a folder takes some uploads yet; an empty file, or a lock, can be made where there is no room at all."""
    nearest = _nearest(folder)
    if not os.access(nearest, os.W_OK | os.X_OK):
        found, advice = (
            f"{folder} cannot be written: uploads are refused (503)",
            "Give it to the account that serves, or mount it to be written.",
        )
        return Check(what="room", status=CheckStatus.WARNING, found=found, advice=advice)
    free = shutil.disk_usage(nearest).free
    found = f"{free // 1_000_000} MB are free for {folder}"
    if free >= ROOM:
        return Check(what="room", found=found)
    return Check(what="room", status=CheckStatus.WARNING, found=found, advice="Make room; nothing under materials may be deleted.")


def check_restorations(url: str) -> list[Check]:
    """Find what killed restorations have left beside a database of SQLite, each as large as that; elsewhere they leave nothing."""
    parsed = make_url(url)
    beside = Path(os.path.realpath(parsed.database or "")).parent
    left = beginnings.left(beside, beginnings.DATABASE) if parsed.get_backend_name() == "sqlite" else []
    if not left:
        return []
    found = f"a killed restoration may have left {', '.join(map(str, left))}"
    advice = "When no onething restore is under way, rm -r it."
    return [Check(what="restorations", status=CheckStatus.WARNING, found=found, advice=advice)]


def check_temporary_files() -> Check:
    """See that there is a folder for temporary files, one of which a larger upload is while it comes in."""
    try:
        return Check(what="temporary files", found=f"{tempfile.gettempdir()} takes them")
    except FileNotFoundError:
        found, advice = "no folder takes any: larger uploads are refused (503)", "Make room in /tmp or /var/tmp, or name another in TMPDIR."
        return Check(what="temporary files", status=CheckStatus.WARNING, found=found, advice=advice)


def _nearest(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def check_secret_key(settings: Settings) -> Check:
    """See that sessions are signed with a key that nobody else can read."""
    if settings.secret_key:
        return Check(what="secret key", found="set")
    path = settings.data_dir / "secret-key"
    if not path.exists():
        return Check(what="secret key", found=f"will be made as {path}")
    if not os.access(path, os.R_OK):
        advice = f"chown it to the account that serves ({path} was made by another)."
        return Check(what="secret key", status=CheckStatus.FAILED, found=f"{path} cannot be read", advice=advice)
    if path.stat().st_mode & 0o077:
        return Check(what="secret key", status=CheckStatus.FAILED, found=f"{path} is open to others", advice=f"chmod 600 {path}")
    if not path.stat().st_size:
        return Check(
            what="secret key", status=CheckStatus.FAILED, found=f"{path} is empty", advice=f"rm {path}; everybody logs in once more"
        )
    return Check(what="secret key", found=f"kept in {path}")
