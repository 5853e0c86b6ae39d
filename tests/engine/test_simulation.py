"""What simulations rest on: ids that can be drawn again, and somebody who sees where tokens go."""

from datetime import UTC, datetime, timedelta

import pytest

from api.simulation import stage
from bpmn.simulation.coverage import Coverage
from engine import columns, definitions, simulation
from engine.settings import Settings
from engine.simulation import Witness
from engine.simulation.reading import Reader
from tests import restaurant
from tests.benchmarks.meter import measure
from tests.hall import WORKFLOWS

PERSON = {"kind": "person", "name": "许文清", "id_number": "430105198809211448", "phone": "13900000002"}


def drawn(seed, count=3):
    with columns.seeded(seed):
        return [columns.new_id().int & (1 << 62) - 1 for _ in range(count)]


def test_seeded__the_same_ids_again():
    assert drawn("7") == drawn("7")
    assert drawn("7") != drawn("8")


def test_new_id__in_the_order_in_which_they_are_made(monkeypatch):
    """Also within one thousandth of a second."""
    ticks = iter(range(1_772_000_000_000_000_000, 1_772_000_000_003_000_000, 250))
    monkeypatch.setattr("engine.columns.time.time_ns", lambda: next(ticks))

    made = [columns.new_id() for _ in range(10_000)]

    assert made == sorted(made)
    assert {each.version for each in made} == {7}
    assert columns.first_id(datetime.fromtimestamp(1_772_000_000, UTC), timedelta()) <= made[0]


def test_seeded__only_within_the_block():
    with columns.seeded("7"), pytest.raises(RuntimeError), columns.seeded("8"):
        raise RuntimeError
    inside, after = drawn("7"), [columns.new_id() for _ in range(3)]

    assert len(set(after)) == 3
    assert not {each.int & (1 << 62) - 1 for each in after} & set(inside)


def test_restore__everything_is_as_it_was_kept(tmp_path):
    with stage.opened(Settings(data_dir=tmp_path, workflows=WORKFLOWS), WORKFLOWS / "post-check", 1) as opened:
        hall = opened.hall
        hall["clerk"].submit(matter="hukou", hall="changsha", applicant=PERSON, answers={})
        assert hall["clerk"].get("/cases")["data"]

        opened.begin_anew()

        assert not hall["clerk"].get("/cases")["data"]


def test_witness__sees_nodes_and_flows_and_forgets(tmp_path):
    with stage.opened(Settings(data_dir=tmp_path, workflows=WORKFLOWS), WORKFLOWS / "single-item", 1) as opened:
        with opened.hall.database.reading() as session:
            process = definitions.latest(session, "single_item").definition
        witness = Witness(coverage={"single_item": Coverage(process=process)})
        witness.watch(opened.hall.database)

        opened.hall["clerk"].submit(matter="hukou", hall="changsha", applicant=PERSON, answers={})

        assert [each.element for each in witness.take()] == ["submitted", "intake"]
        assert witness.coverage["single_item"].reached == {"submitted", "submitted_to_intake", "intake"}
        assert witness.take() == []
        with opened.hall.database.reading() as session:
            assert simulation.root(session).status == "running"


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_read__as_many_statements_however_many_tasks_are_open(stage, clerk):
    """A walk reads what is open after each of its steps."""
    case, reader = clerk.submit("open_restaurant", answers=restaurant.ANSWERS, materials=restaurant.MATERIALS), Reader()

    def read():
        with stage.reading() as session:
            return reader.read(session, case.number)

    def measured():
        open_tasks = len(read().tasks)  # it works samples out, once
        return open_tasks, len(measure(stage.database.bind, read).statements)

    one, for_one = measured()
    clerk.complete(case, "一窗受理", outcome="accept")
    several, for_several = measured()

    assert several > one == 1
    assert for_several == for_one
