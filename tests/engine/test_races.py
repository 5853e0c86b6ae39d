"""Two commands at the same moment, interleaved on purpose: neither is lost, and none waits for another that waits for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, update

from engine import (
    archives,
    bundles,
    cases,
    comments,
    correlation,
    deeds,
    deployments,
    duties,
    external_tasks,
    incidents,
    instances,
    items,
    jobs,
    processes,
    scheduler,
    suspension,
    tasks,
)
from engine.case_models import Case, Commitment, Item
from engine.correlation import Message
from engine.errors import Busy, InvalidInput, InvalidState, NotFound
from engine.models import Entry, ExternalTask, Incident, Instance, Job, Outbox, Task
from engine.schedule_models import StartTimer
from tests import interleaving, invariants, tiny
from tests.bpmn import diagrams as d
from tests.engine.test_commitments import FOUND, committed
from tests.engine.test_commitments import case as case  # noqa: PLC0414 - a fixture
from tests.stage import DESIGNER

pytestmark = pytest.mark.parametrize("store", ["postgresql"], indirect=True)
ALONE = d.diagram(d.start("s"), d.user("work", name="办理"), d.end("e"), d.flows("s -> work -> e"), key="alone")


@pytest.fixture
def bundle(stage, clerk):
    """A bundle with one of its three items, at the window."""
    stage.checking = False
    stage.deploy("tiny", **tiny.folder({"alpha": {}, "beta": {}, "gamma": {}}, archive_days="30"))
    return clerk.submit("tiny", items=["alpha"])


def finished(clerk, market):
    """A bundle with one item, which was handed out."""
    case = clerk.take_in("tiny", items=["beta"])
    market.complete(case, "beta审批", outcome="granted")
    clerk.complete(case, "统一出件", mode="unified", delivery="window")
    clerk.complete(case, "好差评", score=5)
    return case


def holding(case):
    return lambda session: bundles.hold(session, session.get_one(Case, case.id))


def test_hold__what_was_written_meanwhile_is_read_anew(stage, clerk, bundle):
    """Who adopts has read the case before somebody else adds items to it: its checklist knows both."""
    alone = clerk.submit("beta")
    number = stage.item(alone, "beta").number

    with interleaving.waited_for(stage.database, holding(bundle), lambda: clerk.adopt(bundle, number)) as session:
        cases.request_follow_on(session, session.get_one(Case, bundle.id), ["gamma"], actor=clerk.actor)

    assert [item["code"] for item in stage.case(bundle).checklist["items"]] == ["alpha", "gamma", "beta"]


def test_hold__the_bundle_begins_anew_meanwhile(stage, clerk, bundle):
    """All but what was adopted is refused, and the bundle begins anew with that: what was waiting for the old one is done in the new."""
    alone = clerk.submit("beta")
    clerk.complete(alone, "一窗受理", outcome="accept")
    clerk.adopt(bundle, stage.item(alone, "beta").number)
    adopted, task = stage.item(bundle, "beta"), stage.task(bundle, "一窗受理")
    refused = {"outcome": "refuse", "refusal_kind": "not_accepted", "reason": "不属于本机关"}

    def withdraw():
        clerk.handle("withdraw", adopted, reason="不办了")

    with interleaving.waited_for(stage.database, holding(bundle), withdraw) as session:
        tasks.complete(session, task.id, actor=clerk.actor, data=refused)

    with stage.reading() as session:
        [told] = session.scalars(select(Entry).where(Entry.case_id == bundle.id, Entry.what == "item withdrawn"))
    old, new = sorted(stage.all(Instance, bundle, item_id=None), key=lambda row: row.id)
    assert (str(old.status), told.instance_id) == ("completed", new.id)


def test_verify__while_the_bundle_finds_more(stage, fire, case):
    """A tolerance that expires notes what was found on the commitment that the department is about to revoke: one comes first."""
    fire.complete(case, "事后核查", **FOUND)
    revoking = {"outcome": "revoke", "findings": "拒不整改"}

    with interleaving.waited_for(stage.database, holding(case), lambda: fire.complete(case, "限期整改", **revoking)) as session:
        session.execute(update(Commitment).where(Commitment.case_id == case.id).values(findings="容缺材料期满未补"))

    assert [str(each.status) for each in stage.all(Commitment, case)] == ["revoked"]
    assert stage.item(case, "fire_check_commit").status == "revoked"


def test_revoke__while_its_check_is_done(stage, fire, case):
    """Who takes the decision back waits for whoever does the check, and holds nothing that this one wants: each takes the check first."""
    item, check = stage.item(case, "fire_check_commit"), stage.task(case, "事后核查")

    def revoke():
        with stage.database.transaction() as session:
            items.revoke(session, session.get_one(Item, item.id), reason="误点准予", actor=fire.actor)

    def begin(session):
        instances.lock(session, check.instance_id)

    with interleaving.waited_for(stage.database, begin, revoke) as session:
        tasks.complete(session, check.id, actor=fire.actor, data={"outcome": "verified", "findings": "与承诺一致"})

    assert [str(each.status) for each in stage.all(Commitment, case)] == ["verified"]
    assert stage.item(case, "fire_check_commit").status == "revoked"


def test_revoke__while_its_check_begins(stage, clerk, market, monkeypatch):
    """Whoever begins it holds the bundle: who takes the decision back, and has found no check, looks again, and is to begin anew."""
    stage.checking = False
    monkeypatch.setattr("engine.jobs.run_after_commit", lambda *_: None)
    case = committed(stage, clerk, market, items={"beta": {}})
    item, [start] = stage.item(case, "alpha"), [job for job in stage.jobs(case) if job.kind == "start"]

    def revoke():
        with stage.database.transaction() as session:
            items.revoke(session, session.get_one(Item, item.id), reason="误点准予", actor=market.actor)

    def begin(session):
        job = session.get_one(Job, start.id)
        duties.PERFORM["start"](session, job)
        session.delete(job)

    with pytest.raises(Busy, match="try again"), interleaving.waited_for(stage.database, begin, revoke):
        pass
    assert "事后核查" in stage.tasks(case)
    revoke()

    assert [str(each.status) for each in stage.all(Commitment, case)] == ["revoked"]
    assert stage.tasks(case) == ["beta审批"]


def test_message__the_bundle_has_ended_meanwhile(stage, clerk, bundle, monkeypatch):
    """It is for nobody any more, and that is no failure."""
    clerk.complete(bundle, "一窗受理", outcome="accept")
    monkeypatch.setattr("engine.jobs.run_after_commit", lambda *_: None)
    clerk.follow_on(bundle, "gamma")
    clerk.complete(bundle, "接续受理", outcome="accept")
    [job] = [job for job in stage.jobs(bundle) if job.kind == "message"]
    running = select(Instance.id).where(Instance.case_id == bundle.id, Instance.parent_id.is_(None))

    with interleaving.waited_for(stage.database, holding(bundle), lambda: deeds.run(stage.database, job.id)) as session:
        session.execute(update(Instance).where(Instance.id.in_(running)).values(status="completed"))

    assert job.id not in {each.id for each in stage.jobs(bundle)}


def test_withdraw__a_department_decides_meanwhile(stage, clerk, market, bundle):
    """What is decided stays, and the rest is taken back; the applicant is not told to try again."""
    clerk.follow_on(bundle, "beta")
    clerk.complete(bundle, "一窗受理", outcome="accept")
    task = stage.task(bundle, "alpha审批")

    def deciding(session):
        tasks.complete(session, task.id, actor=market.actor, data={"outcome": "granted"})

    with interleaving.waited_for(stage.database, deciding, lambda: clerk.withdraw(bundle)):
        pass

    assert stage.statuses(bundle) == {"alpha": "granted", "beta": "withdrawn"}


def test_attach__two_bundles_want_what_a_third_has_finished(stage, clerk, market, bundle):
    """Of two the second finds it taken (domain rule 15)."""
    third = finished(clerk, market)
    number = stage.item(third, "beta").number
    first, second = bundle, clerk.submit("tiny", items=["alpha"])

    def adopting(session):
        cases.adopt(session, session.get_one(Case, first.id), number, actor=clerk.actor)

    with (
        pytest.raises(InvalidState, match=f"but case {first.number} has it"),
        interleaving.waited_for(stage.database, adopting, lambda: clerk.adopt(second, number)),
    ):
        pass

    with stage.reading() as session:
        assert session.scalar(select(func.count()).where(Item.previous_number == number)) == 1


def test_put_away__something_comes_up_before_it_is_held(stage, clerk, market, bundle, monkeypatch):
    """Whether a case is at rest is looked at once more when nobody else can write to it."""
    ended = finished(clerk, market)
    with stage.database.transaction() as session:  # whoever carries messages has done so
        session.execute(update(Outbox).where(Outbox.case_id == ended.id).values(sent_at=ended.submitted_at))
    stage.move_to(2026, 5, 4)
    held = archives._held

    def meanwhile(session, case):
        with stage.database.transaction() as other:
            other.execute(update(Outbox).where(Outbox.case_id == case.id).values(sent_at=None))
        return held(session, case)

    monkeypatch.setattr(archives, "_held", meanwhile)

    assert archives.put_away(stage.database, ended.id) is False
    assert stage.case(ended).number == ended.number


def test_put_away__somebody_remarks_something_meanwhile(stage, clerk, market, bundle, monkeypatch):
    """Its document is made, and its rows are not deleted yet: what is acknowledged in between would be in neither."""
    ended, supervisor = finished(clerk, market), stage.person("supervisor")
    with stage.database.transaction() as session:  # whoever carries messages has done so
        session.execute(update(Outbox).where(Outbox.case_id == ended.id).values(sent_at=ended.submitted_at))
        task = session.scalars(select(Task.id).where(Task.case_id == ended.id).limit(1)).one()
    stage.move_to(2026, 5, 4)
    archived = archives._archived

    def remark():
        with supervisor.acting() as session:
            return comments.add(session, task, "此件已电话回访", actor=supervisor.actor).message

    with ThreadPoolExecutor(1) as thread:
        remarks = []

        def meanwhile(session, case):
            document = archived(session, case)
            remarks.append(interleaving.begun(stage.database, thread, remark))
            return document

        monkeypatch.setattr(archives, "_archived", meanwhile)
        assert archives.put_away(stage.database, ended.id) is True

    with pytest.raises(NotFound):
        remarks[0].result()


@pytest.fixture
def tried_out(stage, designer):
    """A process that was only tried out, and its deployment."""
    stage.checking = False
    with stage.database.transaction() as session:
        deployment = deployments.deploy(session, "alone", {"alone.bpmn": ALONE}, actor=DESIGNER)
    return designer.start("alone"), deployment


def test_erase__what_it_is_owed_is_just_being_done(stage, tried_out):
    """Whoever does it has the job, and waits for the instance: the deployment cannot be deleted in this moment."""
    instance, deployment = tried_out
    with stage.database.transaction() as session:
        session.add(Job(**instance.key, instance_id=instance.id, kind="refresh", payload={}, due_at=instance.started_at))
    designer = stage.person("designer")

    def delete():
        with designer.acting() as session:
            deployments.delete(session, deployment.id, actor=designer.actor, cascade=True)

    with stage.database.transaction() as doing:
        doing.scalars(select(Job.id).where(Job.instance_id == instance.id).with_for_update(key_share=True)).all()
        with pytest.raises(Busy, match="but some of it is just being done; try again"):
            delete()

    assert scheduler.drain(stage.database) == 1


def test_hold__its_task_is_deleted_meanwhile(stage, tried_out):
    """Who claims it finds that it is not there, as a moment later."""
    instance, deployment = tried_out
    admin = stage.person("admin")
    task = stage.task(stage.of(instance), "办理")

    def deleting(session):
        deployments.delete(session, deployment.id, actor=admin.actor, cascade=True)

    def claim():
        with admin.acting() as session:
            tasks.claim(session, task.id, actor=admin.actor)

    with pytest.raises(NotFound, match="does not exist"), interleaving.waited_for(stage.database, deleting, claim):
        pass


def test_withdraw__while_a_bundle_adopts_it(stage, clerk, bundle):
    """Whoever takes an item back that goes to a bundle in that moment is to ask that one: else its call would wait for ever."""
    alone = clerk.submit("beta")
    clerk.complete(alone, "一窗受理", outcome="accept")
    clerk.complete(bundle, "一窗受理", outcome="accept")
    item = stage.item(alone, "beta")

    def withdraw():
        with pytest.raises(Busy, match="another one has just adopted it"):
            clerk.handle("withdraw", item, reason="不办了")

    with interleaving.waited_for(stage.database, holding(alone), withdraw) as session:
        cases.adopt(session, session.get_one(Case, bundle.id), item.number, actor=clerk.actor)

    scheduler.drain(stage.database)
    clerk.handle("withdraw", stage.item(bundle, "beta"), reason="不办了")
    scheduler.drain(stage.database)
    assert stage.jobs(bundle) == stage.jobs(alone) == []
    stage.checking = True
    invariants.check(stage.database)


def reporting(market, item, event, *, number=None):
    """What a department's system says of an item, as it holds on to it in the midst of its transaction."""

    def report(session):
        items.report(session, session.get_one(Item, item.id), event_id=event, state="in_review", external_number=number, actor=market.actor)
        session.flush()

    return report


def test_report__two_items_under_one_number(stage, clerk, market, bundle):
    """Departments work beside each other and hold nothing in common: the second finds the event known, as a moment later."""
    clerk.follow_on(bundle, "beta")
    clerk.complete(bundle, "一窗受理", outcome="accept")
    alpha, beta = stage.item(bundle, "alpha"), stage.item(bundle, "beta")

    def second():
        market.handle("report", beta, event_id="1", state="in_review", external_number=None)

    with interleaving.waited_for(stage.database, reporting(market, alpha, "1"), second):
        pass

    assert [(event.event_id, event.item_id) for event in stage.all_events(bundle)] == [("1", alpha.id)]
    assert (stage.item(bundle, "alpha").sync, stage.item(bundle, "beta").sync) == ("acked", "local")


@pytest.mark.parametrize("together", [True, False])
def test_report__two_items_take_one_number_of_their_department(stage, clerk, market, bundle, together):
    """The second finds that an item has it, as a moment later, whether in the same case or in another; nothing of its report is kept."""
    clerk.follow_on(bundle, "beta")
    clerk.complete(bundle, "一窗受理", outcome="accept")
    other = bundle if together else clerk.take_in("tiny", items=["beta"])
    alpha, beta = stage.item(bundle, "alpha"), stage.item(other, "beta")

    def second():
        market.handle("report", beta, event_id="2", state="in_review", external_number="SP-1")

    with (
        pytest.raises(InvalidInput, match=f"but item {alpha.number} has it"),
        interleaving.waited_for(stage.database, reporting(market, alpha, "1", number="SP-1"), second),
    ):
        pass

    assert (stage.item(bundle, "alpha").external_number, stage.item(other, "beta").external_number) == ("SP-1", None)
    assert stage.item(other, "beta").sync == "local"


def test_attach__what_its_department_reports_of_another_item_just_now(stage, clerk, market, bundle):
    """Whether the bundle knows it is seen when it is brought along."""
    alone = clerk.submit("beta")
    clerk.complete(alone, "一窗受理", outcome="accept")
    clerk.complete(bundle, "一窗受理", outcome="accept")
    alpha, beta = stage.item(bundle, "alpha"), stage.item(alone, "beta")
    for event in ("1", "2"):
        market.handle("report", beta, event_id=event, state="in_review", external_number=None)

    with interleaving.waited_for(stage.database, reporting(market, alpha, "1"), lambda: clerk.adopt(bundle, beta.number)):
        pass

    assert sorted((event.event_id, event.item_id == alpha.id) for event in stage.all_events(bundle)) == [("1", True), ("2", False)]


RECEIVING = d.diagram(d.start("s"), d.receive("paid", message="paid"), d.user("ship"), d.flows("s -> paid -> ship"), key="receiving")


def correlating(designer, **more):
    """A message, as whoever sends it stands in the midst of his transaction."""
    find = partial(correlation.correlate, message=Message(name="paid"), actor=designer.actor, **more)
    return lambda session: [piece(session) for piece in find(session)]


def test_correlate__another_message_comes_first(stage, designer):
    """The second is not lost in silence: whoever looks anew finds that nobody waits for it any more."""
    stage.deploy("receiving", receiving_bpmn=RECEIVING)
    instance = designer.start("receiving")

    def second():
        with pytest.raises(Busy, match="but it has just gone on"), stage.database.transaction() as session:
            correlating(designer)(session)

    with interleaving.waited_for(stage.database, correlating(designer), second):
        pass

    assert [entry.what for entry in stage.journal(stage.of(instance))].count("message received") == 1


@pytest.mark.parametrize("ends", [False, True])
def test_correlate__one_of_everybody_stands_still_meanwhile(stage, designer, ends):
    """The others have the message all the same."""
    stage.deploy("receiving", receiving_bpmn=RECEIVING)
    one, other = (designer.start("receiving") for _ in range(2))
    verb = partial(processes.end, reason="不办了") if ends else suspension.suspend
    reached = []

    def tell():
        with stage.database.transaction() as session:
            reached.extend(each.instance.id for each in correlating(designer, everybody=True)(session) if each)

    with interleaving.waited_for(stage.database, lambda session: verb(session, one.id, actor=designer.actor), tell):
        pass

    assert reached == [other.id]
    assert [stage.tasks(stage.of(each)) for each in (one, other)] == [[], ["ship"]]


FAILING = d.diagram(d.start("s"), d.external("check", topic="register"), d.end("e"), d.flows("s -> check -> e"), key="failing")


def test_retry__two_at_once(stage, designer):
    """The second finds no incident any more: it is told once, and whoever works on it by then keeps it."""
    stage.deploy("failing", failing_bpmn=FAILING)
    instance = designer.start("failing")
    case, failure = stage.of(instance), external_tasks.Failure(message="no answer", details=None, retries=0, after=timedelta(0))
    [task] = stage.all(ExternalTask, case)
    with designer.acting() as session:
        external_tasks.lock(session, task.id, "first", timedelta(minutes=1), actor=designer.actor)
        external_tasks.fail(session, task.id, "first", failure, actor=designer.actor)
    [incident] = stage.incidents(case)

    def retry(session):
        incidents.retry(session, incident.id, actor=designer.actor)

    def second():
        with pytest.raises(NotFound, match="has just been resolved"), stage.database.transaction() as session:
            retry(session)

    with interleaving.waited_for(stage.database, retry, second) as session:
        external_tasks.lock(session, task.id, "second", timedelta(minutes=1), actor=designer.actor)

    assert [entry.what for entry in stage.journal(case)].count("incident retried") == 1
    [held] = stage.all(ExternalTask, case)
    assert (held.worker, held.lock_expires_at is None) == ("second", False)


def test_retry__two_at_once_what_is_owed(stage, clerk, bundle, monkeypatch):
    """A job that was given a new life is not given another."""
    monkeypatch.setattr("engine.jobs.run_after_commit", lambda *_: None)
    with stage.database.transaction() as session:
        jobs.owe(session, "unheard-of", session.get_one(Instance, stage.bundle(bundle).id))
    for _ in range(4):
        scheduler.drain(stage.database)
        stage.traveller.shift(timedelta(minutes=20))
    [incident], supervisor = stage.incidents(bundle), stage.person("supervisor")

    def retry(session):
        incidents.retry(session, incident.id, actor=supervisor.actor)

    def second():
        with pytest.raises(InvalidState), stage.database.transaction() as session:
            retry(session)

    with interleaving.waited_for(stage.database, retry, second):
        pass

    [job] = stage.jobs(bundle)
    assert (str(job.status), job.attempts, stage.incidents(bundle)) == ("pending", 0, [])


def test_retry__two_at_once_what_begins_by_itself(stage, designer):
    """The second finds no incident any more: the next occasion has all its attempts."""
    nowhere = d.call("c", of="${'nowhere'}")
    stage.deploy("daily", daily_bpmn=d.diagram(d.start("s", d.timer(cycle="R/P1D")), nowhere, d.flows("s -> c"), key="daily"))
    stage.move_to(2026, 3, 3, hour=12)
    for _ in range(3):
        scheduler.drain(stage.database)
        stage.traveller.shift(timedelta(minutes=2))
    with stage.reading() as session:
        incident = session.scalars(select(Incident).where(Incident.resolved_at.is_(None))).one()

    def retry(session):
        incidents.retry(session, incident.id, actor=designer.actor)

    def second():
        with pytest.raises(NotFound, match="has just been resolved"), stage.database.transaction() as session:
            retry(session)

    with interleaving.waited_for(stage.database, retry, second) as session:
        timer = session.scalars(select(StartTimer)).one()
        assert timer.retries == 1
        timer.retries = 3  # as when it has begun

    with stage.reading() as session:
        assert session.scalars(select(StartTimer.retries)).one() == 3
