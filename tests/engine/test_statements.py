"""The number of statements of each piece of work, so that it cannot grow silently.  (How long they take is the benchmark's business.)"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import partial
from math import inf

import pytest
import time_machine
from sqlalchemy import text
from werkzeug.test import create_environ

from api.v1 import present
from engine import cases, columns, deadlines, deeds, definitions, deployments, earlier_items, processes, queues, scheduler, tasks, worklists
from engine.deadlines import DeadlineFilter
from engine.floors import Floors
from engine.variables import NOTHING
from engine.worklists import CaseFilter
from tests import effort
from tests.benchmarks import bench_scheduler, bundle, lists, population, reference, shipped
from tests.benchmarks.meter import measure
from tests.hall import application
from tests.stage import MONDAY

#: Kind of work → statements.  On PostgreSQL each is a round trip for every case: whoever raises a figure says why in the commit.
#: On SQLite, which is in the process, what is written together is a statement for each table.
MOST = {
    "postgresql": {
        "intake": 20,  # with the start of five items, each an instance of its own: one looks for what is called, one writes it
        "decision": 3,  # one locks, one reads what the lock is for, one writes
        "resume": 7,  # all but the last compute dates, and read the calendar
        "issuance": 5,
        "rating": 4,
    },
    "sqlite": {"intake": 67, "decision": 17, "resume": 17, "issuance": 20, "rating": 14},
}
#: Calls of functions of a completion, in the engine and through HTTP, with those that listen to statements in tests; as Python 3.11 makes
#: them, later ones make fewer.
CALLS_OF_A_COMPLETION, CALLS_THROUGH_HTTP = 1_275, 2_410
#: Calls of functions for each timer of those that go off together; it took 833, then 665.
CALLS_OF_A_TIMER = 475
#: Calls of functions of a look at what is due when nothing is; it took 7,300, for each of its questions was made anew.
CALLS_OF_A_LOOK = 2_150
#: After so many the driver has prepared every statement.
WARM = 6
#: Calls of functions for each row of a worklist; an entity with what is around it took two hundred.
CALLS_OF_A_ROW = 40
#: The same for each deadline, with what it waits for; it took more than two hundred.
CALLS_OF_A_DEADLINE = 90
#: The same for each case of a list, with its items; it took more than sixty.
CALLS_OF_A_CASE = 50


@pytest.fixture
def counted(database):
    """What each piece of work of one bundle has cost; another one came first, and filled the caches."""
    bundle.deploy(database)
    samples = defaultdict(list)
    # Rows are written in the order of their ids: what changes alike goes into one statement as long as nothing else comes in between.
    with time_machine.travel(MONDAY, tick=False), columns.seeded("the same ids"):
        for _kind, work in bundle.work(database, bundle.submit(database)):
            work()
        for kind, work in bundle.work(database, bundle.submit(database)):
            samples[kind].append(measure(database.bind, work))
    return samples


def test_work__a_whole_bundle(database, counted):
    most = MOST[database.bind.dialect.name]
    assert {kind: len(samples) for kind, samples in counted.items()} == {
        "intake": 1,
        "decision": 5,
        "resume": 5,
        "issuance": 1,
        "rating": 1,
    }
    for kind, samples in counted.items():
        for sample in samples:
            assert sample.commits == 1, kind
            assert len(sample.statements) <= most[kind], "\n".join([kind, *sample.statements])
    # It does not matter how many departments have decided before.
    assert len({len(sample.statements) for sample in counted["decision"]}) == 1


def test_submit__five_items_as_one(database):
    """What a bundle calls for is looked for, numbered and written together."""
    bundle.deploy(database)

    def submit(items):
        with database.transaction() as session:
            cases.submit(session, replace(bundle.SUBMISSION, items=items), actor=bundle.CLERK)

    submit(bundle.ITEMS)
    one, five = (measure(database.bind, partial(submit, items)).statements for items in (bundle.ITEMS[:1], bundle.ITEMS))

    assert len(bundle.ITEMS) == 5
    assert len(one) == len(five), "\n".join(five)


def test_submit__what_is_under_way_elsewhere_is_one_statement(database):
    """It is told with every submission, however much that is."""
    bundle.deploy(database)
    with database.transaction() as session:
        for _time in range(3):
            made = cases.submit(session, bundle.SUBMISSION, actor=bundle.CLERK)

    def ask():
        with database.transaction() as session:
            assert len(earlier_items.under_way(session, bundle.CLERK, made.number)) == 2 * len(bundle.ITEMS)

    assert len(measure(database.bind, ask).statements) == 1


def test_completion__of_the_reference_process(database):
    reference.deploy(database)
    reference.complete(
        database, reference.standing(database, reference.begin(database))["department2"], reference.officer(2), reference.DATA
    )
    task = reference.standing(database, reference.begin(database))["department2"]
    sample = measure(database.bind, lambda: reference.complete(database, task, reference.officer(2), reference.DATA))
    assert sample.commits == 1
    # The driver takes longer ones apart each time.
    assert max(map(len, sample.statements)) <= 4096
    # One reads and locks everything, one writes everything.
    assert len(sample.statements) == {"postgresql": 2, "sqlite": 7}[database.bind.dialect.name], "\n".join(sample.statements)


@pytest.mark.parametrize(("remembered_for", "most"), [(0, {"postgresql": 4, "sqlite": 9}), (inf, {"postgresql": 3, "sqlite": 8})])
def test_completion__through_http(database, tmp_path, monkeypatch, remembered_for, most):
    reference.deploy(database)
    url = database.bind.url.render_as_string(hide_password=False)
    headers = {"Authorization": f"Bearer {shipped.key(url)}"}
    client = application(url, tmp_path).test_client()
    first, second, third = (reference.standing(database, reference.begin(database))["department2"] for _ in range(3))
    there = client.application.extensions["database"].bind
    monkeypatch.setattr(client.application.extensions["acquaintances"], "remembered_for", remembered_for)
    client.post(f"/api/v1/tasks/{first}/complete", json=reference.DATA, headers=headers)
    sample = measure(there, lambda: client.post(f"/api/v1/tasks/{second}/complete", json=reference.DATA, headers=headers))
    headers["Idempotency-Key"] = "k"
    keyed = measure(there, lambda: client.post(f"/api/v1/tasks/{third}/complete", json=reference.DATA, headers=headers))
    client.application.extensions["database"].close()

    # One finds out who asks, unless that was known a moment ago, the completion follows, one reads the answer.
    assert len(sample.statements) == most[there.dialect.name], "\n".join(sample.statements)
    # One keeps the answer.
    assert len(keyed.statements) == most[there.dialect.name] + 1, "\n".join(keyed.statements)
    assert keyed.commits == sample.commits == 1


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_completion__calls_of_functions(database, tmp_path, monkeypatch):
    reference.deploy(database)
    url = database.bind.url.render_as_string(hide_password=False)
    headers = {"Authorization": f"Bearer {shipped.key(url)}"}
    app = application(url, tmp_path)
    monkeypatch.setattr(app.extensions["acquaintances"], "remembered_for", inf)
    tasks = [reference.standing(database, reference.begin(database))["department2"] for _ in range(2 * WARM)]

    in_engine = [effort.calls(partial(reference.complete, database, task, reference.officer(2), reference.DATA)) for task in tasks[:WARM]]
    through_http = []
    for task in tasks[WARM:]:
        asked = create_environ(f"/api/v1/tasks/{task}/complete", method="POST", json=reference.DATA, headers=headers)
        through_http.append(effort.calls(lambda asked=asked: b"".join(app(asked, lambda *_answer: None))))
    app.extensions["database"].close()

    assert in_engine[-1] <= CALLS_OF_A_COMPLETION, in_engine
    assert through_http[-1] <= CALLS_THROUGH_HTTP, through_http


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_timers__calls_of_functions(database):
    """However many go off together: one statement says that it waits for nobody, one reads and locks, one writes."""
    with database.transaction() as session:
        deployments.deploy(session, bench_scheduler.KEY, {"reminder.bpmn": bench_scheduler.diagram()}, actor=reference.DESIGNER)
        loaded = definitions.latest(session, bench_scheduler.KEY)
        for _ in range((WARM + 1) * (10 + 50)):
            processes.open_plain(session, loaded, actor=reference.DESIGNER, given=NOTHING)
    made = {}
    for size in (10, 50):
        some = partial(deeds.do_together, database, deeds.TIMERS, size, queues.LONG_AGO)
        for _ in range(WARM - 1):
            assert some() == size
        sample = measure(database.bind, some)
        assert len(sample.statements) == 3, "\n".join(sample.statements)
        made[size] = effort.calls(some)

    assert made[50] - made[10] < 40 * CALLS_OF_A_TIMER, made


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_look__calls_of_functions(database):
    """A node looks every second, and as often as it has done something: what it asks each time is built once."""
    floors = Floors()
    looks = [effort.calls(lambda: scheduler.pulse(database, floors)) for _ in range(2 * WARM)]

    assert looks[-1] <= CALLS_OF_A_LOOK, looks


def test_read__is_known_by_a_mark():
    """To hash all that a query says, each time it is asked, takes long, and no count of calls shows it; nor is it compiled for each person."""
    said, other, elsewhere = (tasks._read_held(who)._packed._generate_cache_key() for who in (*map(reference.officer, (2, 3)), lists.ADMIN))

    assert len(said.key) < 10
    assert said.key == other.key != elsewhere.key
    assert [bind.value for bind in said.bindparams] != [bind.value for bind in other.bindparams]


def test_page__however_many_rows(database, tmp_path, monkeypatch):
    """Who asks, whether tasks name them, and one statement for those with a due date, one for those without."""
    reference.deploy(database)
    url = database.bind.url.render_as_string(hide_password=False)
    headers = {"Authorization": f"Bearer {shipped.key(url)}"}
    client = application(url, tmp_path).test_client()
    monkeypatch.setattr(client.application.extensions["acquaintances"], "remembered_for", 0)
    for _ in range(40):
        reference.begin(database, done=0)
    there = client.application.extensions["database"].bind
    made = {}
    for size in (10, 40):
        look = partial(client.get, f"/api/v1/tasks?limit={size - 1}", headers=headers)
        assert len(look().json["data"]) == size - 1
        sample = measure(there, look)
        assert len(sample.statements) == 4, "\n".join(sample.statements)
        made[size] = effort.calls(look)
    client.application.extensions["database"].close()

    assert made[40] - made[10] < 30 * CALLS_OF_A_ROW


def some_deadlines(session, size):
    """Items, bundles, the calendar, and what they wait for: of that, SQLite reads each of five kinds by itself."""
    return deadlines.open_ones(session, lists.ADMIN, DeadlineFilter(), after=None, limit=size)


def some_cases(session, size):
    """Cases, and their items."""
    return present.briefs(session, worklists.find_cases(session, lists.ADMIN, CaseFilter(), after=None, limit=size), lists.ADMIN)


@pytest.mark.parametrize(
    ("listed", "calls", "most"),
    [(some_deadlines, CALLS_OF_A_DEADLINE, {"postgresql": 4, "sqlite": 8}), (some_cases, CALLS_OF_A_CASE, {"postgresql": 2, "sqlite": 2})],
)
def test_page__of_cases_however_many_rows(database, listed, calls, most):
    population.multiply(database, lists.template(database), 40)
    made, statements = {}, set()

    def look(size):
        with database.reading() as session:
            return listed(session, size)

    for size in (10, 40):
        assert len(look(size)) == size
        statements.add(len(measure(database.bind, partial(look, size)).statements))
        made[size] = effort.calls(partial(look, size))

    assert statements == {most[database.bind.dialect.name]}
    assert made[40] - made[10] < 30 * calls, made


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_reading__statements_stay_prepared(database):
    """A driver that forgets what it has prepared would have every statement planned anew."""
    query = text("SELECT count(*) FROM tasks")
    for _ in range(7):
        with database.reading() as session:
            session.scalar(query)

    with database.reading() as session:
        prepared = session.scalars(text("SELECT statement FROM pg_prepared_statements")).all()
    assert "SELECT count(*) FROM tasks" in prepared
