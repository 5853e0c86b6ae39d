"""A stage: a hall in memory, furnished with what is tried out; every play begins with it as it was furnished."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import time_machine

from api.app import create_app
from api.simulation.hall import Hall
from engine import columns, folders, simulation
from engine.calendars import BEIJING
from engine.folders import Folder
from engine.passwords import WELL_KNOWN
from engine.settings import Settings
from engine.simulation import Copy, Seen, Witness

#: A Monday with a working calendar on either side: when everything begins that says nothing else.
MORNING = datetime(2026, 3, 2, 9, tzinfo=BEIJING)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The stage at a moment: what is stored, the time, and what the witness has seen."""

    kept: Copy
    at: datetime
    seen: Seen


@dataclass(kw_only=True)
class Stage:
    """The hall, and who sees what happens in it."""

    hall: Hall
    witness: Witness
    #: The processes that are tried out; matters first.
    tried: list[simulation.Tried]
    _base: bytes = b""

    def __post_init__(self) -> None:
        self._furnished = self.scene()
        self._base = bytes(self._furnished.kept.whole)

    def scene(self) -> Scene:
        """Remember everything as it is now."""
        kept = simulation.keep(self.hall.database, self._base)
        return Scene(kept=kept, at=datetime.now(BEIJING), seen=self.witness.remember())

    def show(self, scene: Scene) -> None:
        """Let everything be as it was."""
        simulation.restore(self.hall.database, scene.kept)
        self.witness.recall(scene.seen)
        self.hall.clock.move_to(scene.at)

    def begin_anew(self) -> None:
        """Let everything be as it was furnished."""
        self.show(self._furnished)


@contextmanager
def opened(loaded: Settings, path: Path, seed: int) -> Iterator[Stage]:
    """Furnish a stage for what is tried out, until the block ends.  Raises InvalidInput with the findings of a drawing that cannot run."""
    own, only = _own(path)
    # A diagram that is tried out by itself is deployed once more, beside all that lies in its folder.
    around = [folder for folder in _around(loaded) if only or folder.path not in {each.path for each in own}]
    with (
        tempfile.TemporaryDirectory(prefix="onething-simulate-") as data,
        time_machine.travel(MORNING, tick=False) as clock,
        columns.seeded(f"{seed} {_digest([*around, *own])}"),
    ):
        settings = Settings(data_dir=Path(data), workflows=loaded.workflows, region=loaded.region, database_url="sqlite://")
        hall = Hall(create_app(settings, passwords=WELL_KNOWN), clock)
        witness = Witness()
        simulation.furnish(hall.database, around, own, years=loaded.workflows / "calendars")
        with hall.database.reading() as session:
            tried = simulation.tried(session, own, only=only)
        witness.coverage = {each.key: each.coverage for each in tried}
        witness.watch(hall.database)
        yield Stage(hall=hall, witness=witness, tried=tried)
        hall.close()


def _own(path: Path) -> tuple[list[Folder], str | None]:
    """Read what is tried out: a folder, or one diagram with the tables and forms beside it (and its name)."""
    if path.is_dir():
        return folders.read([path]), None
    beside = [file for ending in (*folders.TABLES, *folders.FORMS) for file in sorted(path.parent.glob(f"*{ending}"))]
    return folders.read([path, *beside]), path.name


def _around(loaded: Settings) -> Sequence[Folder]:
    return folders.read([loaded.workflows]) if loaded.workflows.is_dir() else []


def _digest(read: Sequence[Folder]) -> str:
    """Tell one set of files from another: ids that are drawn again must not be those of something else."""
    digest = hashlib.sha256()
    for folder in read:
        for name, content in folder.resources.items():
            digest.update(f"{folder.name}/{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()
