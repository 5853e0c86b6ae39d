"""What the compiler reads and the executor does not run yet: refused until it does, or ignored with a warning where it does no harm."""

from __future__ import annotations

from bpmn.compiler.vocabulary.fate import Fate

ASYNCHRONOUS = Fate.REFUSED
BINDINGS = Fate.REFUSED
COMPENSATION = Fate.REFUSED
CONDITIONAL = Fate.REFUSED
ERROR_VARIABLES = Fate.REFUSED
ESCALATION = Fate.REFUSED
EVENT_GATEWAY = Fate.REFUSED
EVENT_SUBPROCESS = Fate.REFUSED
EXPRESSION = Fate.REFUSED
LINK = Fate.REFUSED
LOOP = Fate.REFUSED
MESSAGE_THROWN = Fate.REFUSED
PARAMETERS = Fate.REFUSED
PEOPLE = Fate.REFUSED
FOLLOW_UP = Fate.WARNED
PRIORITY = Fate.WARNED
RETRIES = Fate.WARNED
QUANTITY = Fate.REFUSED
SEND_TASK = Fate.REFUSED
SIGNAL = Fate.REFUSED
TIMER_START = Fate.REFUSED
TRANSACTION = Fate.REFUSED
WORKER_ERRORS = Fate.REFUSED
