"""The executor alone, beside SpiffWorkflow as it comes: `python -m tests.benchmarks.bench_instance` prints the table."""

from __future__ import annotations

import time
from collections.abc import Callable

from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer

from bpmn.instance import Instance
from bpmn.waits import Context
from tests.bpmn import instances, stock
from tests.bpmn.diagrams import end, exclusive, flows, start, user

#: Each figure is the best of so many.
REPEATS = 20
ROW = "{:<28}{:>12}{:>8}{:>12}{:>14}{:>14}"


def best(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the milliseconds of CPU that the fastest run took."""
    times = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        times.append(time.process_time() - begun)
    return min(times) * 1000


def loop(condition: str) -> tuple[str, ...]:
    """One task, again and again."""
    path = flows("s -> again -> a -> x -> e", f"x -> again [{condition}]")
    return start("s"), exclusive("again"), user("a"), exclusive("x", default="e"), end("e"), path


def ours(name: str, content: tuple[str, ...], rounds: int = 0) -> None:
    """Print the row of the executor."""
    definition, context = instances.definition(*content), Context(now=instances.NOW)
    instance = Instance.start(definition, {"more": True}, context)
    for _ in range(rounds):
        instances.complete(instance, "a")
    snapshot, first = instance.snapshot(), instance.waits()[0].id

    def cold() -> None:
        loaded = Instance.load(definition, snapshot, {"more": True}, context)
        loaded.complete(first)
        loaded.waits()
        loaded.snapshot()

    started = best(lambda: Instance.start(definition, {}, context))
    _print(name, started, len(instance._process.tasks), len(snapshot), best(instance.snapshot), best(cold))


def library(name: str, content: tuple[str, ...], rounds: int = 0, repeats: int = 2) -> None:
    """Print the row of the library."""
    workflow = stock.begin(*content)
    for _ in range(rounds):
        stock.complete(workflow, "a", more=True)
    written, first = stock.dump(workflow), stock.standing(workflow)[0]

    def cold() -> None:
        loaded = BpmnWorkflowSerializer().deserialize_json(written)
        stock.complete(loaded, first, more=True)
        stock.dump(loaded)

    started = best(lambda: stock.begin(*content), repeats)
    _print(name, started, len(workflow.tasks), len(written), best(lambda: stock.dump(workflow), repeats), best(cold, repeats))


def _print(name: str, started: float, tasks: int, size: int, dumped: float, cold: float) -> None:
    print(ROW.format(name, f"{started:.2f}", tasks, size, f"{dumped:.2f}", f"{cold:.2f}"))  # noqa: T201 - the table is what it is for


def main() -> None:
    """Print the table."""
    print(ROW.format("", "start ms", "tasks", "bytes", "snapshot ms", "cold cycle ms"))  # noqa: T201 - its head
    ours("1 x 20 with timers", instances.blocks(1, 20, deadline="P3D"))
    library("  library, its start parses", instances.blocks(1, 20, deadline='"P3D"'))
    ours("3 x 20 with timers", instances.blocks(3, 20, deadline="P3D"))
    library("  library, 3 x 6", instances.blocks(3, 6, deadline='"P3D"'))
    ours("loop, after 300 rounds", loop("${more}"), rounds=300)
    library("  library, after 100", loop("more"), rounds=100)


if __name__ == "__main__":
    main()
