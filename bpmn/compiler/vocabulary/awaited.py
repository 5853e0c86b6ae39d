"""What the compiler reads and the engine does not do yet: refused until it does, or ignored with a warning where it does no harm."""

from __future__ import annotations

from bpmn.compiler.vocabulary.fate import Fate

ASYNCHRONOUS = Fate.REFUSED
BINDINGS = Fate.REFUSED
PRIORITY = Fate.WARNED
RETRIES = Fate.WARNED
SIGNAL = Fate.REFUSED
WORKER_ERRORS = Fate.REFUSED
