"""What comes back out of the archive: a decision is revoked years later, as it would have been while its case was here."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, update

from engine import archive_search, archived_items, archives, items, moments, retrievals, scheduler, verification
from engine.archive_models import ArchivedCase
from engine.case_models import Alert, Case, Item, Notice, Result
from engine.errors import InvalidState, NotFound, NotPermitted, Vanished
from engine.models import Instance, Outbox
from tests import tiny
from tests.engine.test_archives import archive, finish, told

pytestmark = pytest.mark.usefixtures("one_order_of_locks")
WHY = "以欺骗手段取得"


@pytest.fixture
def deployed(stage):
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {"predecessors": "alpha:FS"}}, archive_days="30"))


@pytest.fixture
def ended(stage, clerk, market, deployed):
    """A bundle that was handed out on 2 March, three years ago, and is in the archive."""
    case = finish(clerk, market)
    stage.move_to(2029, 3, 5)
    assert archives.sweep(stage.database) == 1
    return case


def revoke(who, number, **more):
    with who.acting(**more) as session:
        return items.revoke(session, items.get(session, number, who.actor, retrieving=True), reason=WHY, actor=who.actor)


def item_of(stage, case, code):
    """Number of an item, wherever its case is."""
    with stage.reading() as session, archive_search.holding(session, case.number) as holding:
        return holding.scalars(select(Item.number).where(Item.case_id == case.id, Item.code == code)).one()


def in_the_archive(stage):
    with stage.reading() as session:
        return list(session.scalars(select(ArchivedCase.number).order_by(ArchivedCase.number)))


def carry(stage):
    """Whoever carries messages has done so."""
    with stage.database.transaction() as session:
        session.execute(update(Outbox).values(sent_at=moments.now()))


def test_revoke__out_of_the_archive(stage, clerk, market, ended):
    """The result is void, the applicant and the supervisor are told, the journal goes on, and what was there is there."""
    number, before = item_of(stage, ended, "alpha"), told(stage, clerk, ended)

    revoke(market, number)

    item, after = stage.item(ended, "alpha"), told(stage, clerk, ended)
    assert (item.status, item.reason["reason"], item.clock) == ("revoked", WHY, "stopped")
    assert [(result.number, result.voided_at is not None) for result in stage.all(Result, ended)] == [("alpha-1", True), ("beta-1", False)]
    assert after[4][: len(before[4])] == before[4]
    assert [what for _, what, _ in after[4][len(before[4]) :]] == ["case retrieved", "item revoked"]
    assert [notice for notice in after[2] if notice not in before[2]] == [
        (f"{number}-W02", stage.all(Notice, ended, kind="revocation")[0].content)
    ]
    assert {(alert.kind, alert.light) for alert in stage.all(Alert, ended)} == {("revoked", "red"), ("breach", "yellow")}
    assert {message.topic for message in stage.all(Outbox, ended, sent_at=None)} == {"notice", "alert"}
    assert {instance.purge_at for instance in stage.all(Instance, ended)} == {None}
    assert in_the_archive(stage) == []
    assert list(verification.verify(stage.database)) == []


def test_revoke__and_into_the_archive_again(stage, clerk, market, ended):
    """When the applicant's notice is sent; then it is read as it was, and what is found of it says what has become of it."""
    revoke(market, item_of(stage, ended, "alpha"))
    scheduler.drain(stage.database)
    assert archives.sweep(stage.database) == 0
    shown = told(stage, clerk, ended)

    carry(stage)

    assert list(verification.verify(stage.database)) == []  # it has rested for a moment only, though its time was over long ago
    assert archives.sweep(stage.database) == 1
    assert told(stage, clerk, ended) == shown
    assert list(verification.verify(stage.database)) == []
    with stage.reading() as session:
        [row] = session.scalars(select(ArchivedCase))
        assert (row.brief["items"], row.brief["outcome"]) == ({"alpha": "revoked", "beta": "issued"}, "partial")
    with pytest.raises(InvalidState, match=r"but item .* is revoked"):
        revoke(market, item_of(stage, ended, "alpha"))
    assert in_the_archive(stage) == [ended.number]


@pytest.mark.parametrize(("who", "refusal"), [("clerk", NotPermitted), ("supervisor", NotPermitted), ("officer-fire", NotFound)])
def test_revoke__by_whom_it_is_not(stage, ended, who, refusal):
    """It stays in the archive."""
    with pytest.raises(refusal):
        revoke(stage.person(who), item_of(stage, ended, "alpha"), checked=False)

    assert in_the_archive(stage) == [ended.number]
    with stage.reading() as session:
        assert session.scalars(select(Case.id)).all() == []


def test_revoke__a_damaged_document(stage, market, ended):
    number = item_of(stage, ended, "alpha")
    with stage.database.transaction() as session:
        session.execute(update(ArchivedCase).values(sha256="0" * 64))

    with pytest.raises(InvalidState, match="to be what was archived, but its hash differs"):
        revoke(market, number, checked=False)

    assert in_the_archive(stage) == [ended.number]


@pytest.mark.parametrize("again", [False, True], ids=["here", "archived again"])
def test_adopt__what_was_revoked_out_of_the_archive(stage, clerk, market, ended, again):
    """Neither by its number nor by that of its certificate, whether its case is here or in the archive again."""
    number = item_of(stage, ended, "alpha")
    revoke(market, number)
    scheduler.drain(stage.database)
    if again:
        carry(stage)
        archives.sweep(stage.database)
    bundle = clerk.submit("tiny", items=["beta"])

    with pytest.raises(InvalidState, match="to run or to have a result, but it is revoked"):
        clerk.adopt(bundle, number, checked=False)
    with pytest.raises((InvalidState, NotFound)):
        clerk.adopt(bundle, "alpha-1", checked=False)


def test_revoke__what_an_archived_bundle_has_imported(stage, clerk, market, ended):
    """It comes back, too: what was built there on the result is to be looked at, and nobody has it from there."""
    number = item_of(stage, ended, "alpha")
    bundle = clerk.submit("tiny", items=["beta"], adopt=[number])
    clerk.complete(bundle, "接续受理", outcome="accept")
    market.complete(bundle, "beta审批", outcome="granted")
    imported = stage.item(bundle, "alpha")
    archive(clerk, bundle)

    revoke(market, number)

    assert stage.statuses(bundle) == {"alpha": "revoked", "beta": "issued"}
    assert {alert.light for alert in stage.all(Alert, bundle, kind="breach")} == {"red", "yellow"}
    assert [entry.what for entry in stage.journal(bundle)][-2:] == ["case retrieved", "imported result lost"]
    assert list(verification.verify(stage.database)) == []
    with pytest.raises(InvalidState, match="but it is revoked"):
        clerk.adopt(clerk.submit("tiny", items=["beta"]), imported.number, checked=False)


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_revoke__two_at_the_same_time(stage, market, ended):
    """One comes after the other, which finds the case here."""
    number, together = item_of(stage, ended, "alpha"), Barrier(2)

    def attempt():
        together.wait()
        try:
            revoke(market, number, checked=False)
        except Vanished:  # the request is repeated
            return attempt_again()
        except InvalidState as refused:
            return str(refused)
        return "done"

    def attempt_again():
        with pytest.raises(InvalidState) as refused:
            revoke(market, number, checked=False)
        return str(refused.value)

    with ThreadPoolExecutor() as pool:
        answers = sorted(future.result() for future in [pool.submit(attempt) for _ in range(2)])

    assert answers[1] == "done"
    assert answers[0].endswith(f"item {number} is revoked")
    assert [entry.what for entry in stage.journal(ended)].count("item revoked") == 1


@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_hold__comes_back_while_it_is_adopted(stage, market, ended):
    """Whoever wants to adopt out of the archive begins anew, and finds it here."""
    with stage.reading() as session:
        found = archived_items.find(session, item_of(stage, ended, "alpha"), ended.applicant)
        with stage.database.transaction() as other:
            assert retrievals.retrieve(other, ended.number, actor=market.actor)

    for what in (archived_items.hold, archived_items.materials):
        with stage.reading() as session, pytest.raises(Vanished, match="it has just come back out of it"):
            what(session, found)


def test_get__an_adopted_item_by_its_old_number(stage, clerk, market, deployed):
    """Both cases are archived, of which one has given it its number, and the other has it."""
    alone = clerk.submit("alpha")
    clerk.complete(alone, "一窗受理", outcome="accept")
    number = stage.item(alone, "alpha").number
    bundle = clerk.take_in("tiny", items=["beta"])
    clerk.adopt(bundle, number)
    for code in ("alpha", "beta"):
        market.complete(bundle, f"{code}审批", outcome="granted")
    archive(clerk, bundle)

    for _ in range(2):  # the one case is still here, and then it is not
        with stage.reading() as session, archive_search.holding_item(session, number) as holding:
            assert items.get(holding, number, market.actor).status == "issued"
        with stage.reading() as session, pytest.raises(InvalidState, match=f"Expected case {bundle.number} to go on, but it is archived"):
            items.get(session, number, market.actor)
        with stage.reading() as session, archive_search.holding_item(session, f"{number}9") as holding, pytest.raises(NotFound):
            items.get(holding, f"{number}9", market.actor)
        carry(stage)
        archives.put_away(stage.database, alone.id)
    assert in_the_archive(stage) == [alone.number, bundle.number]

    revoke(market, number)

    assert stage.statuses(bundle) == {"alpha": "revoked", "beta": "issued"}
    assert in_the_archive(stage) == [alone.number]
