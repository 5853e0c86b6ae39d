"""`onething` on a host whose clock is wrong: it is ahead by the number of seconds in the file that the environment variable `CLOCK` names.

Only the clock of the day is set; steady clocks, by which a program measures how long something takes, go on as they are.
"""

from __future__ import annotations

import os
import threading
import time
from datetime import timedelta
from pathlib import Path

import time_machine

from api.cli import main

CLOCK = "SOAK_CLOCK"
#: Seconds between two looks at the file.
LOOK = 0.1


class Host:
    """The clock of this host, as this process and its children see it."""

    def __init__(self, told: Path) -> None:
        self._told, self._ahead = told, self._read(told)
        self._clock = time_machine.travel(timedelta(seconds=self._ahead), tick=True).start()

    def follow(self) -> None:
        """Follow the file from now on, in this process."""
        threading.Thread(target=self._follow, name="clock", daemon=True).start()

    def _follow(self) -> None:
        while True:
            time.sleep(LOOK)
            ahead = self._read(self._told)
            self._clock.shift(ahead - self._ahead)
            self._ahead = ahead

    @staticmethod
    def _read(told: Path) -> float:
        return float(told.read_text(encoding="utf-8") or 0)


if __name__ == "__main__":
    host = Host(Path(os.environ[CLOCK]))
    host.follow()
    os.register_at_fork(after_in_child=host.follow)
    main()
