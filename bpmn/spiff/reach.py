"""What may still come to an inclusive gateway while it stays shut.

BPMN lets an inclusive gateway wait for every token that can still come by a flow which has none yet.  To look for a path in the diagram is
not enough: in a rework loop there is a path from everywhere to everywhere.  A token beside the gateway could come to it in the next round,
but it never does, for the join that begins the next round waits for this very gateway.  So a trial is made: the gateway stays shut,
everything else runs as far as it can, and what cannot run without the gateway stays where it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from SpiffWorkflow.task import TaskState

from bpmn.spiff.element import ElementSpec
from bpmn.spiff.gateways import InclusiveGateway, Join, ParallelGateway

if TYPE_CHECKING:
    from bpmn.spiff.token import Token


def may_open(gateway: InclusiveGateway, scope: Token) -> bool:
    """Whether no token can come any more by a flow into the gateway that has none yet."""
    specs, waiting = scope.workflow.spec.task_specs, defaultdict[str, set[str]](set)
    moving, coming = set(), set()
    for row in scope.workflow.tasks.rows_inside(scope):  # the rows are enough: no token need be woken for this question
        if row.state == TaskState.WAITING:
            waiting[row.element] |= {row.flow or ""}
        elif row.flow and "job" in row.facts and row.facts["job"] == "before" and isinstance(specs[row.element], Join):
            coming.add(row.flow)
        elif "watches" not in row.facts:
            moving |= {row.element}
    return nothing_comes(gateway, specs, moving, waiting, coming)


def nothing_comes(
    gateway: InclusiveGateway,
    specs: Mapping[str, ElementSpec],
    moving: Collection[str],
    waiting: Mapping[str, set[str]],
    coming: Collection[str],
) -> bool:
    """The same question as `may_open` answers, of any tokens.

    `moving`: the elements at which tokens can move.  `waiting`: by each join at which tokens wait, the flows by which they came.  `coming`:
    the flows of tokens that stand before a join, and wait for a job there.
    """
    trial = _Trial(specs, moving, waiting, coming)
    shut = {gateway.name}
    while True:
        trial.run(shut)
        held = {join.name for join in trial.passed_joins() if trial.holds(join)} - shut
        if not held:
            return not any(flow in trial.reached for flow in gateway.element.incoming if flow not in waiting[gateway.name])
        shut |= held


class _Trial:
    """A run in which no token is ever consumed: what it does not reach, no run does."""

    def __init__(
        self, specs: Mapping[str, ElementSpec], moving: Collection[str], waiting: Mapping[str, set[str]], coming: Collection[str]
    ) -> None:
        self._specs, self._moving, self._coming = specs, moving, coming
        #: Flows with a token at each join that waits.
        self.waiting = waiting
        self.reached: set[str] = set()
        self._passed: set[str] = set()

    def run(self, shut: set[str]) -> None:
        """Let everything run while these joins stay shut."""
        self.reached, self._passed = set(self._coming), set()
        open_ends = list(self._moving)
        open_ends += [join for join in (*self.waiting, *self._joins_ahead()) if self._passes(join, shut)]
        while open_ends:
            here = open_ends.pop()
            if here in self._passed:
                continue
            self._passed.add(here)
            spec = self._specs[here]
            self.reached.update(flow.id for flow in spec.flows)
            open_ends += spec.boundaries
            open_ends += [flow.target for flow in spec.flows if self._passes(flow.target, shut)]

    def _joins_ahead(self) -> list[str]:
        return [spec.name for spec in self._specs.values() if self._coming and not self.reached.isdisjoint(spec.element.incoming)]

    def _passes(self, element: str, shut: Iterable[str]) -> bool:
        spec = self._specs[element]
        if isinstance(spec, ParallelGateway) and len(spec.element.incoming) > 1:
            return self._arrived(spec).issuperset(spec.element.incoming)
        return element not in shut

    def _arrived(self, join: Join) -> set[str]:
        """Flows into a join that have a token or may get one."""
        return self.waiting.get(join.name, set()) | self.reached.intersection(join.element.incoming)

    def passed_joins(self) -> list[InclusiveGateway]:
        """Return the inclusive joins that something has passed."""
        passed = [self._specs[name] for name in self._passed]
        return [spec for spec in passed if isinstance(spec, InclusiveGateway) and len(spec.element.incoming) > 1]

    def holds(self, join: InclusiveGateway) -> bool:
        """Whether an inclusive join waits for a token that cannot move.

        As BPMN has it: for one that can come by a flow that has no token, unless it can come by a flow that has one too.
        """
        arrived = self._arrived(join)
        stuck = self.waiting.keys() - self._passed - {join.name}
        full = frozenset().union(*(reach for flow, reach in join.upstream.items() if flow in arrived))
        empty = frozenset().union(*(reach for flow, reach in join.upstream.items() if flow not in arrived))
        return not stuck.isdisjoint(empty - full)
