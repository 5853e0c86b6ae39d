"""The tables of the benchmark."""

from __future__ import annotations

from statistics import median
from uuid import UUID

from rich.table import Column, Table
from sqlalchemy import func, select

from engine.database import Database
from engine.models import Instance
from tests.benchmarks.meter import Sample

Samples = dict[str, list[Sample]]
#: Updates of a single row, each with a commit: no completion can be cheaper than one.
LIMIT = "one updated row"


def costs(name: str, samples: Samples) -> Table:
    """What each kind of work costs: CPU is that of the cheapest, all else is the median; `x` counts in updates of a single row."""
    heads = ("times", "statements", "commits", "CPU ms", "x", "wall ms", "x", "a second")
    table = Table("work", *(Column(head, justify="right") for head in heads), title=f"Reference bundle on {name}, cold")
    limit_cpu, limit_wall = _cpu(samples[LIMIT]), _wall(samples[LIMIT])
    for kind, found in samples.items():
        cpu, wall = _cpu(found), _wall(found)
        statements, commits = median(len(sample.statements) for sample in found), median(sample.commits for sample in found)
        figures = (len(found), statements, commits, 1000 * cpu, cpu / limit_cpu, 1000 * wall, wall / limit_wall, 1 / wall)
        table.add_row(kind, *(f"{figure:.2f}".rstrip("0").rstrip(".") for figure in figures))
    return table


def _cpu(samples: list[Sample]) -> float:
    # Whatever disturbs the machine makes a sample dearer, never cheaper.
    return min(sample.cpu for sample in samples)


def _wall(samples: list[Sample]) -> float:
    return median(sample.wall for sample in samples)


def sizes(db: Database, case_id: UUID) -> Table:
    """How large the state of the instances of a case is, in bytes."""
    heads = ("instances", "largest snapshot", "largest variables")
    table = Table("of", *(Column(head, justify="right") for head in heads), title="State while the departments are at work, bytes")
    query = select(func.count(), func.max(func.length(Instance.state)), func.max(func.length(Instance.small)))
    with db.reading() as session:
        for label, which in (("the bundle", Instance.item_id.is_(None)), ("an item", Instance.item_id.is_not(None))):
            table.add_row(label, *map(str, session.execute(query.where(Instance.case_id == case_id, which)).one()))
    return table
