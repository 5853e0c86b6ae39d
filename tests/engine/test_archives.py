"""The archive: finished cases leave the tables of what goes on after their time, whole, once, and can be read as before."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import event, func, select, text, update
from structlog.testing import capture_logs

from engine import adoptions, archive_documents, archive_search, archives, cases, dossiers, instances, verification, worklists
from engine.archive_models import ArchivedCase
from engine.case_models import Case, Material
from engine.command_models import IdempotentAnswer, Reservation
from engine.errors import Busy, InvalidState, NotFound, Vanished
from engine.models import Base, Entry, Instance, Outbox
from engine.states import InstanceStatus
from engine.verification.faults import FaultKind
from tests import tiny
from tests.engine.test_adoptions import PLAN

pytestmark = pytest.mark.usefixtures("one_order_of_locks")


@pytest.fixture
def deployed(stage):
    deploy(stage)


def deploy(stage):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, archive_days="30"))


def finished(stage):
    """A bundle that was handed out on 2 March."""
    deploy(stage)
    finish(stage.person("clerk"), stage.person("officer-market"))


@pytest.fixture
def ended(begun):
    [case] = begun(finished)
    return case


def finish(clerk, market):
    case = clerk.take_in("tiny")
    for code in ("alpha", "beta"):
        market.complete(case, f"{code}审批", outcome="granted", certificate_no=f"{code}-1")
    clerk.complete(case, "统一出件", mode="unified", delivery="window")
    if "好差评" in clerk.stage.tasks(case):
        clerk.complete(case, "好差评", score=5)
    with clerk.stage.database.transaction() as session:  # whoever carries messages has done so
        session.execute(update(Outbox).where(Outbox.case_id == case.id).values(sent_at=case.submitted_at))
    assert clerk.stage.case(case).ended_at is not None
    return case


def told(stage, who, case):
    """Everything that a person can see of a case, wherever it is."""
    with stage.reading() as session, archive_search.holding(session, case.number) as holding:
        row = cases.get(holding, case.number, who.actor)
        found = dossiers.read(holding, row, who.actor)
        return (
            row.applicant,
            [(item.number, item.status, item.result) for item in found.items],
            [(notice.number, notice.content) for notice in found.notices],
            [(result.number, result.holder, result.issued_at) for result in found.results],
            [(entry.at, entry.what, entry.hash) for entry in dossiers.journal(holding, row, who.actor)],
            found.rating and found.rating.score,
        )


def left(stage, case):
    """Rows of a case in the tables of what goes on."""
    tables = [table for table in Base.metadata.sorted_tables if "case_id" in table.c]
    with stage.reading() as session:
        counted = {
            table.name: session.scalar(select(func.count()).select_from(table).where(table.c.case_id == case.id)) for table in tables
        }
        return {name: count for name, count in counted.items() if count} | ({"cases": 1} if session.get(Case, case.id) else {})


def test_sweep__after_its_time(stage, clerk, market, supervisor, ended):
    """Everything is read as before, by whoever could read it before; nothing of it is left among what goes on."""
    before = {who.name: told(stage, who, ended) for who in (clerk, market, supervisor)}
    stage.move_to(2026, 3, 31)
    assert archives.sweep(stage.database) == 0

    stage.move_to(2026, 4, 3)

    assert archives.sweep(stage.database) == 1
    assert left(stage, ended) == {}
    assert {who.name: told(stage, who, ended) for who in (clerk, market, supervisor)} == before
    assert list(verification.verify(stage.database)) == []
    with pytest.raises(NotFound):
        told(stage, stage.person("officer-fire"), ended)
    assert archives.sweep(stage.database) == 0


def test_sweep__kept_for_longer_than_there_are_years(stage, clerk, market):
    """A case that stays for 2,737 years keeps no other from being put away."""
    files = tiny.folder({"alpha": {}, "beta": {}})
    files["tiny_bpmn"] = files["tiny_bpmn"].replace(b"<bpmn:process ", b'<bpmn:process camunda:historyTimeToLive="999999" ', 1)
    stage.deploy("tiny", **files)
    finish(clerk, market)
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, archive_days="30"))
    finish(clerk, market)

    stage.move_to(2027, 4, 3)

    assert archives.sweep(stage.database) == 1


def test_opened__leaves_nothing_behind_when_refused(stage, ended, monkeypatch):
    """What a case was laid out in takes memory as long as it is there."""
    stage.move_to(2026, 4, 3)
    archives.sweep(stage.database)
    made, left = [], []
    for name, known in (("connect", made), ("close", left)):
        event.listen(archive_documents.IN_MEMORY, name, lambda connection, *_about, known=known: known.append(connection))

    with pytest.raises(NotFound):
        told(stage, stage.person("officer-fire"), ended)

    assert made
    assert made == left


def test_opened__finds_what_was_compiled_for_another_case(stage, ended, monkeypatch):
    stage.move_to(2026, 4, 3)
    archives.sweep(stage.database)
    before = told(stage, stage.person("clerk"), ended)
    monkeypatch.setattr(archive_documents.IN_MEMORY.dialect, "statement_compiler", None)
    monkeypatch.setattr(archive_documents.IN_MEMORY.dialect, "ddl_compiler", None)

    again = told(stage, stage.person("clerk"), ended)

    assert again == before


def test_sweep__told_to_stop(stage, clerk, market, ended):
    finish(clerk, market)
    stage.move_to(2026, 5, 4)
    told_to = iter([False, True])

    assert archives.sweep(stage.database, stopping=lambda: next(told_to)) == 1
    assert archives.sweep(stage.database) == 1


def test_sweep__what_goes_on_stays(stage, clerk, market, ended):
    """The tables are as large as what is open, however much has been done."""
    going_on = clerk.submit("tiny")
    before = left(stage, going_on)
    finish(clerk, market)
    stage.move_to(2026, 5, 4)

    assert archives.sweep(stage.database) == 2

    assert left(stage, going_on) == before
    with stage.reading() as session:
        assert session.scalars(select(Case.id)).all() == [going_on.id]
        assert set(session.scalars(select(Entry.case_id))) == {going_on.id}


def test_sweep__answers_to_commands_go_in_their_own_time(stage, ended):
    """Whoever repeats a command that concerned a case is answered, however soon that was put away."""
    what = {"key": "k", "actor": "clerk", "region": ended.region, "case_id": ended.id}
    answer = IdempotentAnswer(**what, request_hash="", status=200, body="", answered_at=ended.submitted_at)
    with stage.database.transaction() as session:
        session.add_all([answer, Reservation(**what, number=ended.number, taken_at=ended.submitted_at)])
    stage.move_to(2026, 5, 4)

    assert archives.sweep(stage.database) == 1

    assert left(stage, ended) == {"idempotent_answers": 1, "reservations": 1}


def test_put_away__nothing_is_lost_when_it_dies(stage, ended, monkeypatch):
    before = left(stage, ended)
    stage.move_to(2026, 5, 4)

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(archives, "delete", die)
        with pytest.raises(KeyboardInterrupt):
            archives.sweep(stage.database)

    assert left(stage, ended) == before
    with stage.reading() as session:
        assert session.scalars(select(ArchivedCase)).all() == []
    assert archives.sweep(stage.database) == 1
    assert archives.put_away(stage.database, ended.id) is False


@pytest.mark.parametrize(("hindrance", "lines"), [(Busy("x"), []), (Vanished("x"), ["case not archived"])])
def test_put_away__somebody_is_in_the_way(stage, ended, monkeypatch, hindrance, lines):
    """An operator is to hear of what keeps it where it is, not of what is over in a moment."""

    def refuse(*_):
        raise hindrance

    monkeypatch.setattr(archives, "_archived", refuse)
    with capture_logs() as logged:
        assert not archives.put_away(stage.database, ended.id)

    assert [line["event"] for line in logged] == lines
    assert stage.case(ended).ended_at is not None


def test_sweep__somebody_has_it_in_hand(stage, clerk, ended):
    """Who has an instance may want its case next: whoever puts it away waits for nobody, and comes again."""
    stage.move_to(2026, 5, 4)
    if stage.database.bind.dialect.name == "postgresql":
        with stage.database.transaction() as session:
            instances.lock(session, instances.of_case(session, session.get_one(Case, ended.id)).id)

            assert archives.put_away(stage.database, ended.id) is False

    assert archives.sweep(stage.database) == 1


@pytest.mark.parametrize(
    "unfinished",
    [
        lambda case: update(Instance).where(Instance.case_id == case.id).values(status=InstanceStatus.RUNNING),
        lambda case: update(Case).where(Case.id == case.id).values(ended_at=None),
        lambda case: update(Outbox).where(Outbox.case_id == case.id).values(sent_at=None),
    ],
    ids=["runs", "open", "messages that nobody has carried"],
)
def test_sweep__not_what_goes_on(stage, ended, unfinished):
    with stage.database.transaction() as session:
        session.execute(unfinished(ended))
    stage.move_to(2026, 5, 4)

    assert archives.sweep(stage.database) == 0


def test_sweep__not_what_others_refer_to(stage, clerk, market, ended):
    """What was applied for again goes after the case that goes on from it."""
    with stage.database.transaction() as session:
        later = clerk.submit("tiny")
        session.execute(update(Case).where(Case.id == later.id).values(previous_id=ended.id))
    stage.move_to(2026, 5, 4)

    assert archives.sweep(stage.database) == 0


def test_sweep__without_a_time(stage, clerk, market):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}))
    finish(clerk, market)
    stage.move_to(2099, 5, 4)

    assert archives.sweep(stage.database) == 0


def test_get__an_archived_case_can_only_be_read(stage, clerk, ended):
    stage.move_to(2026, 5, 4)
    archives.sweep(stage.database)

    with pytest.raises(InvalidState, match=r"Expected case .* to go on, but it is archived"), clerk.acting(checked=False) as session:
        cases.get(session, ended.number, clerk.actor)
    with stage.reading() as session, pytest.raises(NotFound):
        cases.get(session, ended.number, stage.person("officer-fire").actor)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("found_before", [True, False])
def test_holding__archived_while_it_is_read(stage, clerk, ended, found_before):
    """Whoever reads it is neither shown half of it nor told that it can only be read: he begins anew."""
    stage.move_to(2026, 5, 4)

    def read():
        with stage.reading() as session, archive_search.holding(session, ended.number) as holding:
            row = cases.get(holding, ended.number, clerk.actor) if found_before else None
            assert archives.put_away(stage.database, ended.id)
            row = row or cases.get(holding, ended.number, clerk.actor)
            return dossiers.read(holding, row, clerk.actor).items

    with pytest.raises(Vanished, match="but it has just been archived"):
        read()

    assert told(stage, clerk, ended)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_live_items__archived_while_cases_are_listed(stage, clerk, ended):
    stage.move_to(2026, 5, 4)
    with stage.reading() as session:
        listed = worklists.find_cases(session, clerk.actor, worklists.CaseFilter(), after=None, limit=10)
        assert archives.put_away(stage.database, ended.id)

        with pytest.raises(Vanished, match="one of them has just been archived"):
            worklists.live_items(session, listed)


def test_search__by_applicant_and_by_whom(stage, clerk, market, supervisor, ended):
    stage.move_to(2026, 5, 4)
    archives.sweep(stage.database)

    def found(who, **wanted):
        wanted = {"matter": None, "hall": None, "applicant_number": None, "after": None, "limit": 10} | wanted
        with stage.reading() as session:
            return [row.brief["number"] for row in archive_search.search(session, who.actor, **wanted)]

    assert found(supervisor) == found(clerk, applicant_number=ended.applicant_number) == found(market, matter="tiny") == [ended.number]
    assert found(clerk, hall="changsha") == [ended.number]
    assert found(stage.person("officer-fire")) == found(clerk, applicant_number="1") == found(clerk, after=ended.id) == []
    assert found(clerk, hall="yuelu") == []


def test_verify__a_damaged_document(stage, ended):
    stage.move_to(2026, 5, 4)
    archives.sweep(stage.database)
    with stage.database.transaction() as session:
        session.execute(update(ArchivedCase).values(content=b"damaged"))

    [fault] = verification.verify(stage.database)

    assert (fault.kind, fault.about) == (FaultKind.ARCHIVE, f"archived case {ended.number}")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ({"content": b"x", "sha256": hashlib.sha256(b"x").hexdigest()}, "Expected to read it, but ZstdError"),
        ({"brief": text("'{'")}, "Expected to read it, but JSONDecodeError"),
        ({"applicant_number": "1"}, "Expected its applicant_number to be 91430100MA4L000000, as in its document, but it is 1"),
        ({"files": {"0" * 64: 1}}, "Expected its row to name 0 files, as its document does, but it names 1, or others"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_verify__a_damaged_row_of_the_archive(stage, clerk, market, ended, damage, message):
    """Nobody would find the case, or its files; the others are looked at all the same."""
    other = finish(clerk, market)
    stage.move_to(2026, 5, 4)
    archives.sweep(stage.database)
    with stage.database.transaction() as session:
        session.execute(update(ArchivedCase.__table__).where(ArchivedCase.id == ended.id).values(**damage))
        session.execute(update(ArchivedCase.__table__).where(ArchivedCase.id == other.id).values(content=b"damaged"))

    first, second = verification.verify(stage.database)

    assert (first.kind, second.about) == (FaultKind.ARCHIVE, f"archived case {other.number}")
    assert first.message.startswith(message)


# Adopted out of the archive ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def put_away(stage, clerk, market):
    """An item that was handled alone, with a plan, and archived; gives it."""
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}}, materials=[PLAN | {"used_by": "*"}]))

    def put_away(outcome="granted"):
        alone = clerk.submit("alpha", materials=["plan"])
        clerk.complete(alone, "一窗受理", outcome="accept")
        item = stage.item(alone, "alpha")
        if outcome == "granted":
            market.complete(alone, "alpha审批", outcome="granted", certificate_no="A-7")
        else:
            market.complete(alone, "alpha审批", outcome="denied", reason_code="conditions", reason="不符合条件")
        archive(clerk, alone)
        return item

    return put_away


def archive(clerk, case):
    """Do what is left to do for the window, and put the case away."""
    for name, data in (("统一出件", {"mode": "unified", "delivery": "window"}), ("好差评", {"score": 5})):
        if name in clerk.stage.tasks(case):
            clerk.complete(case, name, **data)
    with clerk.stage.database.transaction() as session:
        session.execute(update(Outbox).where(Outbox.case_id == case.id).values(sent_at=case.submitted_at))
    assert archives.put_away(clerk.stage.database, case.id)


@pytest.mark.parametrize("by", ["number", "certificate"])
def test_adopt__into_a_bundle_that_begins(stage, clerk, market, put_away, by):
    """Its result is had already, what was handed in with it is not asked again, and it stays where it is."""
    item = put_away()
    stage.travel(2026, 9, 1)

    bundle = clerk.submit("tiny", items=["beta"], adopt=[item.number if by == "number" else "A-7"])

    imported = stage.item(bundle, "alpha")
    assert (imported.status, imported.origin, imported.previous_number) == ("imported", "imported", item.number)
    assert imported.result["certificate_no"] == "A-7"
    assert [(material.code, material.case_id) for material in stage.all(Material, bundle)] == [("plan", bundle.id)]
    clerk.complete(bundle, "接续受理", outcome="accept")
    market.complete(bundle, "beta审批", outcome="granted")
    assert list(verification.verify(stage.database)) == []
    archive(clerk, bundle)
    assert (imported.number, "imported", imported.result) in told(stage, clerk, bundle)[1]


def test_adopt__into_a_bundle_that_runs(stage, clerk, market, put_away):
    item = put_away()
    bundle = clerk.take_in("tiny", items=["beta"], materials=["plan"])

    clerk.adopt(bundle, item.number)

    assert stage.statuses(bundle) == {"alpha": "imported", "beta": "in_review"}


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_adopt__out_of_an_archived_bundle(stage, clerk, market, ended):
    """An item of a bundle has a result of its own, which counts for the next one."""
    beta = stage.item(ended, "beta")
    archive(clerk, ended)

    again = clerk.submit("tiny", items=["alpha"], adopt=["beta-1"])

    assert stage.item(again, "beta").previous_number == beta.number


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_adopt__archived_and_taken_already(stage, clerk, put_away):
    item = put_away()
    first, second = (clerk.submit("tiny", items=["beta"], materials=["plan"]) for _ in range(2))
    clerk.adopt(first, item.number)

    with pytest.raises(InvalidState, match=f"but case {first.number} has it"):
        clerk.adopt(second, item.number)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_adopt__archived_without_a_result(stage, clerk, put_away):
    item = put_away("denied")
    bundle = clerk.submit("tiny", items=["beta"], materials=["plan"])

    with pytest.raises(InvalidState, match="to run or to have a result, but it is denied"):
        clerk.adopt(bundle, item.number)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_adopt__archived_and_another_applicants(stage, clerk, put_away):
    item = put_away()
    other = {"kind": "person", "name": "李某", "id_number": "11010519491231002X"}
    bundle = clerk.submit("tiny", items=["beta"], materials=["plan"], applicant=other)

    for number in (item.number, "A-7"):
        with pytest.raises(NotFound):
            clerk.adopt(bundle, number)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_adopt__archived_just_now(stage, clerk, ended):
    """Whoever has found it among what goes on is to look once more."""
    beta = stage.item(ended, "beta")
    with stage.reading() as session:
        found = adoptions.find(session, beta.number, ended.applicant)
        archive(clerk, ended)

        with pytest.raises(Busy, match="it has just been archived"):
            adoptions.hold(session, found)

    with stage.reading() as session:
        assert adoptions.is_archived(session, adoptions.find(session, beta.number, ended.applicant))
