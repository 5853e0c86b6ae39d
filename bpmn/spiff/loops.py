"""Loops: activities that run several times.  The *body* is around the activity; each round is a token in it, with its own variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpmn import errors
from bpmn.definition import BODY, COUNTERS, Definition, Element, Loop
from bpmn.expressions import plain
from bpmn.expressions.values import describe
from bpmn.spiff import canceling, values
from bpmn.spiff.element import ElementSpec

if TYPE_CHECKING:
    from bpmn.spiff.spec import ProcessSpec
    from bpmn.spiff.token import Token

#: What Camunda 7 calls the counters of a multi-instance activity.
ALL, DONE, ACTIVE, COUNTER = COUNTERS
#: Rounds that begin together; one command could not run through more.
MOST = 20_000


class Body(ElementSpec):
    """What is around an activity that runs several times: it starts the rounds, counts them, and ends after the last one."""

    rests = True

    def __init__(self, process: ProcessSpec, element: Element, definition: Definition) -> None:
        super().__init__(process, element, definition)
        assert element.loop is not None, f"{element.id} has no loop characteristics"
        self.loop: Loop = element.loop

    def count(self, token: Token) -> None:
        """Count a round that is over, and evaluate whether it was the last one; to be overridden."""

    def forget(self, token: Token) -> None:
        """Take a round out of the count that is canceled by hand; to be overridden where rounds run side by side."""

    def cancel_others(self, token: Token) -> None:
        """Cancel the other rounds, if with the end of this one enough are done; to be overridden."""

    def start_round(self, body: Token, index: int, **variables: Any) -> None:
        """Start one round."""
        activity = self._wf_spec.task_specs[self.name.removesuffix(BODY)]
        body.workflow.spawn(activity, body, local={COUNTER: index, **variables})

    def prepare(self, token: Token) -> None:
        """Give a round what it needs, when it begins; to be overridden."""

    def admit(self, body: Token) -> dict[str, Any]:  # noqa: ARG002 - those that may say so look at it
        """Count one more round, which is started by hand, and return its variables; to be overridden where rounds run side by side."""
        raise errors.InstanceError(f"Expected rounds of {self.drawn_id} side by side to start one more, but one follows the other")

    def close(self, body: Token) -> None:
        """End the activity with everything that watches in it."""
        body.workflow.finish(body)


class MultiInstance(Body):
    """As many rounds as the cardinality says, or as a collection has entries; with both, the first so many entries."""

    def enter(self, token: Token) -> None:
        """Find out how many, and start."""
        number = self.number(token)
        token.facts["local"] = {**token.facts.get("local", {}), ALL: number, DONE: 0, ACTIVE: 0}
        if number == 0:
            token.facts["done"] = True
        else:
            self.begin(token, number)

    def begin(self, token: Token, number: int) -> None:
        """Start the rounds: by default all of them, side by side."""
        if number > MOST:
            raise errors.InstanceError(f"Expected at most {MOST} rounds side by side, but there are {number}")
        token.facts["local"][ACTIVE] = number
        entries = self.entries(token)
        for index, own in enumerate([self.entry(entries, index) for index in range(number)]):  # a list: if one fails, none starts
            self.start_round(token, index, **own)

    def admit(self, body: Token) -> dict[str, Any]:
        """Count one more round; the collection has no entry for it."""
        local = body.facts["local"]
        local[ALL] += 1
        local[ACTIVE] += 1
        return {COUNTER: local[ALL] - 1}

    def forget(self, token: Token) -> None:
        """One round less is at work, unless it was over already and only the completion condition has failed."""
        if "counted" not in token.facts:
            token.scope.set_local({ACTIVE: token.scope.facts["local"][ACTIVE] - 1})

    def number(self, token: Token) -> int:
        """Return how many rounds there are."""
        if self.loop.cardinality is None:
            return len(self.entries(token))
        return values.whole("cardinality", token.evaluate(self.loop.cardinality), least=0)

    def entries(self, token: Token) -> list[Any]:
        """Return the collection; empty without one."""
        if self.loop.collection is None:
            return []
        entries = token.evaluate(self.loop.collection)
        if not isinstance(entries, (list, tuple)):
            raise errors.ExpressionError(f"Expected the collection to be a list, but it is {describe(entries)}")
        return list(entries)

    def entry(self, entries: list[Any], index: int) -> dict[str, Any]:
        """Return the variable of one round."""
        if self.loop.element_variable is None or self.loop.collection is None:
            return {}
        if index >= len(entries):
            raise errors.ExpressionError(f"Expected entry {index + 1} of the collection, but it has {len(entries)} by now")
        return {self.loop.element_variable: plain(entries[index])}

    def count(self, token: Token) -> None:
        """Count a round that is over; the completion condition sees the variables of the round."""
        body = token.scope
        local = body.facts["local"]
        if "counted" not in token.facts:  # the condition may fail, and be evaluated again
            body.set_local({DONE: local[DONE] + 1, ACTIVE: self.at_work(local)})
            token.facts["counted"] = True
        body.facts["enough"] = local[DONE] >= local[ALL] or (self.loop.condition is not None and token.test(self.loop.condition))

    def at_work(self, local: dict[str, Any]) -> int:
        """Return how many rounds are at work when one more is over."""
        return int(local[ACTIVE]) - 1

    def cancel_others(self, token: Token) -> None:
        """Cancel the rounds that still run when enough are done."""
        body = token.scope
        if body.facts.get("enough"):
            canceling.cancel(body.workflow, *(other for other in body.children if other is not token and not other.watches))

    def lose(self, token: Token) -> None:
        """End the activity when enough rounds are done, or no other is left: some may have been canceled by hand."""
        if token.facts.get("enough") or not token.inside:
            self.close(token)


class Sequential(MultiInstance):
    """One round after the other."""

    admit = Body.admit

    def at_work(self, local: dict[str, Any]) -> int:  # noqa: ARG002 - always one, also in between, as Camunda 7 counts
        """Return how many rounds are at work."""
        return 1

    def begin(self, token: Token, number: int) -> None:  # noqa: ARG002 - all of them come in time
        """Start the first round."""
        token.facts["local"][ACTIVE] = 1
        self.start_round(token, 0)

    def prepare(self, token: Token) -> None:
        """Give a round its entry; the collection is read anew, as in Camunda 7."""
        token.facts["local"].update(self.entry(self.entries(token.scope), token.facts["local"][COUNTER]))

    def lose(self, token: Token) -> None:
        """Start the next round."""
        if token.facts.get("enough"):
            self.close(token)
        elif not token.inside:
            self.start_round(token, token.facts["local"][DONE])


class StandardLoop(Body):
    """Again as long as a condition holds."""

    def enter(self, token: Token) -> None:
        """Start the first round, if the condition need not hold before."""
        if self.loop.maximum == 0 or (self.loop.test_before and not self.again(token, 0)):
            token.facts["done"] = True
        else:
            self.start_round(token, 0)

    def again(self, token: Token, rounds: int) -> bool:
        """Whether another round follows so many."""
        if self.loop.maximum is not None and rounds >= self.loop.maximum:
            return False
        return self.loop.condition is None or token.test(self.loop.condition)

    def count(self, token: Token) -> None:
        """See whether another round follows."""
        rounds = token.facts["local"][COUNTER] + 1
        token.scope.facts["next"] = rounds if self.again(token, rounds) else None

    def lose(self, token: Token) -> None:
        """Start the next round, or end."""
        following = token.facts.get("next")
        if following is None:
            self.close(token)
        elif not token.inside:
            self.start_round(token, following)
