"""The living tokens of a process: some are awake, the others are no more than their rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from SpiffWorkflow.task import TaskState

from bpmn.errors import InstanceError
from bpmn.instructions import PROCESS
from bpmn.snapshot import Row
from bpmn.spiff.token import Token
from bpmn.waits import Glance, WaitKind

if TYPE_CHECKING:
    from bpmn.spiff.process import Process

#: What is due at some time.
DATED = frozenset({WaitKind.USER_TASK, WaitKind.TIMER})
#: States of tokens that may sleep.
_RESTS = frozenset({TaskState.STARTED, TaskState.WAITING})


class Tokens:
    """The tokens of a process that have not ended, by their numbers, in the order in which they came.  SpiffWorkflow takes it for a dict.

    A token at rest may sleep: then it is no more than its row in a snapshot.  Whoever asks for it wakes it, with the scopes around it.  So
    a token that sleeps has not changed, and a command costs by what it touches, however many tokens wait beside that.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        #: By the number of each token: its row, if it sleeps; None, if it is awake.
        self._rows: dict[int, Row | None] = {}
        self.awake: dict[int, Token] = {}
        #: Numbers of the tokens inside each scope that sleeps.
        self._inside: defaultdict[int | None, list[int]] = defaultdict(list)
        #: What the tokens that are awake now waited for before the command; without those that it has made.
        self.before = Glance()

    def lay(self, rows: Sequence[Row]) -> None:
        """Put sleeping tokens into a process that has none yet; those that cannot sleep are woken at once."""
        # No function is called for each row: that would cost more than all the rest.
        self._rows |= {row.id: row for row in rows}
        specs, root = self._process.spec.task_specs, self._process.root
        for row in rows:
            if row.element not in specs or (row.scope is not None and row.scope not in self._rows):
                raise InstanceError(f"Expected token {row.id} at {row.element} in this definition, but there is no such place")
            self._inside[row.scope] += [row.id]
        self._enclose(root, self._inside.pop(None, []))
        for number in self._restless(rows):
            self.get(number)

    def sleep(self) -> None:
        """Let every token sleep that can."""
        rows = {row.id: row for row in self.rows(self.awake)}
        lasting = {around.id for number in self._restless(rows.values()) for around in self.awake[number].outwards()}
        for number in rows.keys() - lasting:
            self._rows[number] = rows[number]
            self._inside[number] = self.awake.pop(number)._children  # noqa: SLF001 - the library's own list

    def _restless(self, rows: Iterable[Row]) -> list[int]:
        """Give the numbers of tokens that never sleep: they are about to run, or failed, or what they wait for moves with the world."""
        dated = self._process.spec.dated
        return [row.id for row in rows if row.state not in _RESTS or "bound" in row.facts or "raised" in row.facts or row.element in dated]

    def _wake(self, row: Row) -> Token:
        process = self._process
        scope = process.root if row.scope is None else self[row.scope]
        token = Token(process, process.spec.task_specs[row.element], None, number=row.id, since=datetime.fromisoformat(row.since))
        token._parent, token.flow = scope.id, row.flow  # noqa: SLF001 - the library's own looks for its id
        token.facts = token.internal_data = row.facts
        token.begun = not _is_ahead(token, row)
        token.rest(row.state)
        if row.id in self._inside:
            self._enclose(token, self._inside.pop(row.id))
        _look(token, self.before)
        if row.state == TaskState.READY:
            process.make_ready(token)
        return token

    def _enclose(self, scope: Token, inside: list[int]) -> None:
        """Say which sleeping tokens are inside a scope that has just been woken."""
        scope._children = inside  # noqa: SLF001 - the library's own list
        scope.inside = len([row for row in self.rows(inside) if "watches" not in row.facts])

    # As SpiffWorkflow knows them -----------------------------------------------------------------------------------------------------

    def get(self, number: int | None) -> Token | None:
        """Return a token, awake, or None."""
        if number is None or number not in self._rows:
            return None
        row = self._rows[number]
        return self.awake[number] if row is None else self._wake(row)

    def __getitem__(self, number: int) -> Token:
        """Return a token, awake."""
        row = self._rows[number]
        return self.awake[number] if row is None else self._wake(row)

    def __setitem__(self, number: int, token: Token) -> None:
        """Keep a token that is awake."""
        self._rows[number], self.awake[number] = None, token

    def __contains__(self, number: object) -> bool:
        """Whether there is such a token."""
        return number in self._rows

    def __len__(self) -> int:
        """How many there are."""
        return len(self._rows)

    def numbers(self) -> Collection[int]:
        """Numbers of all tokens, awake or asleep."""
        return self._rows.keys()

    def pop(self, number: int) -> Token:
        """Take a token away, awake."""
        token = self[number]
        del self._rows[number], self.awake[number]
        return token

    def values(self) -> list[Token]:
        """Wake all, and return them."""
        return [self[number] for number in self._rows]

    # What is seen of them ------------------------------------------------------------------------------------------------------------

    def rows(self, numbers: Iterable[int] | None = None) -> list[Row]:
        """Return the rows of tokens (None: of all, each after the one it is in), without waking any."""
        there, awake = self._rows, self.awake
        asked = there if numbers is None else numbers
        return [_row(awake[number]) if (row := there[number]) is None else row for number in asked if number != PROCESS]

    def rows_inside(self, scope: Token) -> list[Row]:
        """Return the rows of what is in a scope that is awake."""
        return self.rows(scope._children)  # noqa: SLF001 - the library's own list

    def at(self, elements: Collection[str]) -> list[Token]:
        """Return the tokens at some elements, and all that are awake, wherever they are."""
        return [self[number] for number in [n for n, row in self._rows.items() if row is None or row.element in elements]]

    def can_move(self) -> bool:
        """Whether any token waits for something from outside; those that only watch for the start of an event subprocess do not count."""
        for row in self._rows.values():
            if row is not None and row.state == TaskState.STARTED and row.element in self._process.spec.awaiting:
                return True
        others = [number for number, row in self._rows.items() if row is None or row.state != TaskState.WAITING]
        return any(token.kind and not token.idle for token in map(self.__getitem__, others))

    def glance(self, among: Collection[int] | None = ()) -> Glance:
        """Look at what the tokens wait for that are awake, and those of some numbers (None: all)."""
        for number in self._rows if among is None else among:
            self.get(number)
        found = Glance()
        for token in self.awake.values():
            _look(token, found)
        return found


def _look(token: Token, glance: Glance) -> None:
    kind = token.kind
    if kind is not None:
        glance.kinds[token.id] = kind
        if kind in DATED and not token.task_spec.moves(token):
            glance.dates[token.id] = token.facts.get("due_at")


def _row(token: Token) -> Row:
    scope = token._parent  # noqa: SLF001 - the number of the one around it
    number = None if scope == PROCESS else scope
    return Row(token.id, number, token.task_spec.name, token._state, token.since.isoformat(), token.flow, token.facts)  # noqa: SLF001


def _is_ahead(token: Token, row: Row) -> bool:
    """Whether a token has not entered its element yet: it waits for a job, or for others that it needs to start, or has failed there."""
    return (
        row.facts.get("job") == "before"
        or "ahead" in row.facts
        or (row.state == TaskState.WAITING and token.task_spec.element.start_quantity > 1)
    )
