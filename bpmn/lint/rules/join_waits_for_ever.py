"""A parallel gateway opens."""

from __future__ import annotations

from bpmn.definition import ElementType
from bpmn.lint.bundle import Bundle
from bpmn.lint.rule import Problem, Problems
from bpmn.soundness import Net, is_join


def check(bundle: Bundle) -> Problems:
    """A parallel gateway waits only for tokens that can be there together: for one that has taken another way it would wait for ever."""
    for resource, process in bundle.processes:
        joins = [each for each in process.elements.values() if is_join(each) and each.type is ElementType.PARALLEL_GATEWAY]
        nets = {scope: Net(process, scope) for scope in {join.parent for join in joins}}
        for join in joins:
            net = nets[join.parent]
            waiting = net.in_vain(join.id) if join.id in net.opening else None
            # Where some tokens are only left over, another one may yet fetch them.
            if waiting and frozenset(join.incoming) <= frozenset().union(*waiting):
                message = (
                    f"Expected a token on every flow into {join.label}, but they come by ways that are not all taken: "
                    "it may wait for ever; draw an exclusive gateway (排他网关) where one of them comes, "
                    "an inclusive one (包容网关) where some do"
                )
                yield Problem(resource=resource, element=join, message=message)
