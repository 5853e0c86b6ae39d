"""How cost grows: `make bench-growth` measures what must not, plots it (PNG) and prints the tables.

Everything is counted in milliseconds of one run; the update of a single row, measured beside it, says what the machine is worth.  Nothing
here passes or fails.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib import pyplot as plt
from rich.console import Console
from rich.table import Column, Table
from sqlalchemy import text

from engine.database import Database
from tests import databases
from tests.benchmarks import axes
from tests.benchmarks.axes import AXES, Databases, Samples
from tests.benchmarks.meter import Sample, measure
from tests.soak.server import Server

mpl.use("Agg")
#: A million cases take twenty gigabytes: they are on the disk, and nobody waits for it.
CONF = """
fsync = off
full_page_writes = off
synchronous_commit = off
max_wal_size = 4GB
max_connections = 100
shared_buffers = 1GB
listen_addresses = ''
unix_socket_directories = '{folder}'
"""
LIMIT = "one updated row"
#: With more lines than that, a plot shows our CPU alone.
MANY = 6


def main() -> None:
    """Measure along each axis that is asked for."""
    words = argparse.ArgumentParser(prog="python -m tests.benchmarks.growth", description=__doc__)
    words.add_argument("--axis", action="append", choices=list(AXES), help="only this one; may be given again")
    words.add_argument("--most", type=int, help="how far to go, instead of as far as was promised")
    words.add_argument("--plots", type=Path, default=Path("docs/images"), help="folder for the plots")
    words.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    asked = words.parse_args()
    told = Console(stderr=True)
    for name in asked.axis or AXES:
        most, label, walk = AXES[name]
        points = dict[int, Samples]()
        with _databases(asked.database) as dbs:
            for size, samples in walk(dbs, asked.most or most):
                points[size] = samples | _limit(dbs.hot)
                told.print(f"{name}: {size:,}")
        Console(width=150).print(_table(f"{label}, {asked.database}", points))
        _plot(asked.plots / f"growth-{name}-{asked.database}.png", points, label)


def _limit(db: Database) -> Samples:
    """What the update of a single row takes now."""

    def update() -> None:
        with db.bind.begin() as connection:
            connection.execute(text("UPDATE counters SET value = value + 1 WHERE name = (SELECT max(name) FROM counters)"))

    return {LIMIT: [measure(db.bind, update) for _ in range(axes.EACH)]}


def _wall(samples: list[Sample]) -> float:
    return 1000 * median(sample.wall for sample in samples)


def _cpu(samples: list[Sample]) -> float:
    # Whatever disturbs the machine makes a sample dearer, never cheaper.
    return 1000 * min(sample.cpu for sample in samples)


def _table(title: str, points: dict[int, Samples]) -> Table:
    heads = (Column(f"{size:,}", justify="right") for size in points)
    table = Table("work", *heads, title=f"By {title}: milliseconds on the wall (median), in brackets our CPU (cheapest)")
    for kind in next(iter(points.values())):
        table.add_row(kind, *(f"{_wall(samples[kind]):.1f} ({_cpu(samples[kind]):.1f})" for samples in points.values()))
    return table


def _plot(path: Path, points: dict[int, Samples], label: str) -> None:
    """Draw our CPU, and time on the wall where there are few lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure, plot = plt.subplots(figsize=(9, 5.5))
    plot.set_prop_cycle(color=mpl.colormaps["Dark2"].colors + mpl.colormaps["Set1"].colors)
    kinds = [kind for kind in next(iter(points.values())) if kind != LIMIT]
    for kind in kinds:
        cpu = [_cpu(samples[kind]) for samples in points.values()]
        (line,) = plot.plot(list(points), cpu, marker="o", label=f"{kind}, our CPU")
        if len(kinds) <= MANY:
            wall = [_wall(samples[kind]) for samples in points.values()]
            plot.plot(list(points), wall, marker=".", linestyle=":", color=line.get_color(), label=f"{kind}, on the wall")
    plot.plot(
        list(points), [_wall(samples[LIMIT]) for samples in points.values()], color="grey", linestyle="--", label=f"{LIMIT}, on the wall"
    )
    plot.set(xscale="log", yscale="log", ylim=(0.1, 1000), xlabel=label, ylabel="milliseconds")
    plot.grid(visible=True, alpha=0.3)
    plot.legend(fontsize="x-small", ncols=2)
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


@contextmanager
def _databases(name: str) -> Iterator[Databases]:
    """Open a fresh database of our own."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="onething-growth-", ignore_cleanup_errors=True)))
        if name == "sqlite":
            url = stack.enter_context(databases.SQLite(folder).fresh())
        else:
            server = Server(folder, conf=CONF)
            server.found()
            server.start()
            stack.callback(server.stop)
            url = server.url()
        dbs = Databases(hot=Database(url), cold=Database(url, live=0))
        dbs.hot.migrate()
        for _kind, db in dbs.kinds():
            stack.callback(db.close)
        yield dbs


if __name__ == "__main__":
    main()
