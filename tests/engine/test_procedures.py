from __future__ import annotations

from datetime import date, timedelta

import pytest

from engine import calendars, deadlines, item_clock, lifecycle
from engine.case_models import ClockEntry, Notice
from engine.deadlines import DeadlineFilter
from engine.errors import InvalidInput, InvalidState, NotPermitted
from engine.hindrances import HindranceKind
from tests import clocks, tiny
from tests.bpmn import diagrams as d

HEARING = {"kind": "hearing", "reason": "利害关系人申请听证", "days": 20}


def accepted(stage, clerk, *, extension=5, days="5"):
    items = {"alpha": {"promised": 10, "statutory": 20, "extension": extension}}
    stage.deploy("tiny", **tiny.folder(items, processes={"alpha": tiny.inspected("alpha", days=days, at_most="P14D")}))
    return clerk.take_in("tiny")


def test_begin__pauses_the_clock_and_tells_the_applicant(stage, clerk, market):
    """行政许可法 art. 45: the days are not counted, and the applicant is told in writing how many."""
    case = accepted(stage, clerk)

    market.complete(case, "alpha审批", outcome="inspect")

    [notice] = stage.all(Notice, case, kind="special_procedure")
    assert stage.item(case, "alpha").clock == "paused"
    assert notice.content["estimated_days"] == 5
    assert notice.content["procedure"] == "site_inspection"
    assert stage.notices(case)[-1] == "special_procedure"


@pytest.mark.parametrize(("days", "told"), [("5", date(2026, 3, 9)), ("999999", None)])
def test_begin__deadlines_say_until_when_it_was_told_to_take(stage, clerk, market, days, told):
    """A figure that lies beyond every calendar keeps nobody from the list."""
    case = accepted(stage, clerk, days=days)
    market.complete(case, "alpha审批", outcome="inspect")

    with stage.reading() as session:
        rows = deadlines.open_ones(session, clerk.actor, DeadlineFilter(), after=None, limit=10)

    assert [why.due_on for row in rows for why in row.waits_for if why.kind is HindranceKind.PAUSE] == [told]


@pytest.mark.parametrize(
    ("at_most", "due"),
    [
        ("${workdays(5)}", "2026-03-09"),  # Monday 2 March, and five working days
        ("${calendardays(4)}", "2026-03-06"),
        ("${calendardays(20)}", "2026-03-23"),  # the twentieth is a Sunday
    ],
)
def test_begin__its_own_days_are_counted_while_it_pauses_the_clock(stage, clerk, market, at_most, due):
    """A public notice of five days is over after five days, although the item's clock stands still for it."""
    items = {"alpha": {"promised": 10, "statutory": 20, "extension": 5}}
    stage.deploy("tiny", **tiny.folder(items, processes={"alpha": tiny.inspected("alpha", at_most=at_most)}))
    case = clerk.take_in("tiny")
    market.complete(case, "alpha审批", outcome="inspect")
    assert stage.item(case, "alpha").clock == "paused"
    assert stage.timer(case, "too_long").isoformat() == due

    market.handle("pause", stage.item(case, "alpha"), **HEARING)
    assert stage.timer(case, "too_long").isoformat() == due

    stage.travel(*(date.fromisoformat(due) + timedelta(days=1)).timetuple()[:3])

    assert stage.tasks(case) == ["alpha审批"]
    market.handle("resume", stage.item(case, "alpha"))
    assert stage.item(case, "alpha").clock == "running"


def test_end__moves_the_timer_rows(stage, clerk, market):
    case = accepted(stage, clerk)
    assert stage.timer(case, "late").isoformat() == "2026-03-16"
    stage.travel(2026, 3, 4)
    market.complete(case, "alpha审批", outcome="inspect")

    stage.travel(2026, 3, 6)
    market.complete(case, "现场核查", findings="ok")

    # Wednesday, Thursday and Friday did not count.
    assert stage.item(case, "alpha").clock == "running"
    assert stage.timer(case, "late").isoformat() == "2026-03-19"


def test_pause__no_overdue_while_it_lasts(stage, clerk, market):
    case = accepted(stage, clerk)
    market.handle("pause", stage.item(case, "alpha"), **HEARING)
    assert stage.timer(case, "late") is None

    stage.travel(2026, 4, 30)
    assert ("red", "overdue") not in stage.alerts(case)
    market.handle("resume", stage.item(case, "alpha"))

    assert stage.item(case, "alpha").clock == "running"
    # Ten working days after 30 April: the labour holiday lies between, and Saturday the 9th of May is one of them.
    assert stage.timer(case, "late").isoformat() == "2026-05-18"


def test_end__interrupted_by_the_diagram(stage, clerk, market):
    """The inspection takes too long and the token goes on without it: the clock runs again."""
    case = accepted(stage, clerk)
    market.complete(case, "alpha审批", outcome="inspect")

    stage.travel(2026, 3, 17)

    assert stage.tasks(case) == ["alpha审批"]
    assert stage.item(case, "alpha").clock == "running"


def test_end__interrupted_in_the_moment_in_which_it_began(stage, clerk):
    """A step beside it leads to an error, in the same transaction: nobody would ever complete it."""
    properties = {"onething.kind": "special-procedure", "onething.procedure": "site_inspection", "onething.days": "5"}
    inspect = d.user("inspect", name="现场核查", groups="department-market", properties=properties)
    stage.deploy("tiny", **tiny.folder({"alpha": {}}, processes={"alpha": tiny.broken_off("inspect", inspect)}))

    case = clerk.take_in("tiny")

    assert stage.tasks(case) == ["alpha审批"]
    assert stage.item(case, "alpha").clock == "running"


def pauses(stage, case):
    return {entry.procedure: entry.id for entry in stage.all(ClockEntry, case, kind="paused")}


def test_end__paused_by_hand_meanwhile(stage, clerk, market):
    case = accepted(stage, clerk)
    market.complete(case, "alpha审批", outcome="inspect")
    market.handle("pause", stage.item(case, "alpha"), **HEARING)

    market.complete(case, "现场核查", findings="ok")

    assert stage.item(case, "alpha").clock == "paused"
    market.handle("resume", stage.item(case, "alpha"))
    assert stage.item(case, "alpha").clock == "running"


def test_end__resumed_by_hand_before(stage, clerk, market):
    case = accepted(stage, clerk)
    market.complete(case, "alpha审批", outcome="inspect")
    market.handle("resume", stage.item(case, "alpha"))

    market.complete(case, "现场核查", findings="ok")

    assert stage.tasks(case) == ["alpha审批"]


def test_pause__overlapping_counts_once(stage, clerk, market):
    """Two pauses that overlap stop the same days once."""
    case = accepted(stage, clerk)
    item = stage.item(case, "alpha")
    stage.travel(2026, 3, 4)
    market.handle("pause", item, **HEARING)
    stage.travel(2026, 3, 5)
    market.handle("pause", item, kind="testing", reason="检测", days=3)
    found = pauses(stage, case)

    stage.travel(2026, 3, 6)
    market.handle("resume", item, pause_id=found["hearing"])
    assert stage.item(case, "alpha").clock == "paused"
    stage.travel(2026, 3, 9)
    market.handle("resume", item, pause_id=found["testing"])

    # Wednesday to Monday: four working days.
    assert stage.timer(case, "late").isoformat() == "2026-03-20"


@pytest.mark.parametrize("days", [HEARING["days"], 5])
def test_pause__for_what_it_is_paused_for_already(stage, clerk, market, days):
    """Somebody clicks twice: the second pause would have to be resumed by itself, and nobody would know of it."""
    case = accepted(stage, clerk)
    market.handle("pause", stage.item(case, "alpha"), **HEARING)

    with pytest.raises(InvalidState, match="for something else") as refusal:
        market.handle("pause", stage.item(case, "alpha"), **HEARING | {"reason": f" {HEARING['reason']} ", "days": days})

    [entry] = stage.all(ClockEntry, case, kind="paused")
    assert refusal.value.details["pause_id"] == str(entry.id)
    assert len(stage.all(Notice, case, kind="special_procedure")) == 1
    market.handle("resume", stage.item(case, "alpha"))
    assert stage.item(case, "alpha").clock == "running"


def test_pause__again_for_the_same_or_at_once_for_something_else(stage, clerk, market):
    """A second hearing of somebody else is another pause; so is the same once the first is over, also on the very day."""
    case = accepted(stage, clerk)
    stage.travel(2026, 3, 4)
    market.handle("pause", stage.item(case, "alpha"), **HEARING)
    market.handle("pause", stage.item(case, "alpha"), **HEARING | {"reason": "申请人申请听证"})
    for entry in stage.all(ClockEntry, case, kind="paused"):
        market.handle("resume", stage.item(case, "alpha"), pause_id=entry.id)

    market.handle("pause", stage.item(case, "alpha"), **HEARING)
    market.handle("resume", stage.item(case, "alpha"))

    # Three pauses, and one working day.
    assert len(stage.all(ClockEntry, case, kind="paused")) == 3
    assert stage.timer(case, "late").isoformat() == "2026-03-17"


def test_begin__drawn_twice_for_one_reason(stage, clerk, market):
    """What is drawn is no slip: each special procedure of a diagram pauses, and ends, by itself; the days count once."""
    properties = {"onething.kind": "special-procedure", "onething.procedure": "site_inspection", "onething.days": "5"}
    shops = [d.user(shop, name="现场核查", groups="department-market", properties=properties) for shop in ("north", "south")]
    flows = d.flows("s -> fork -> north -> join -> decide -> e", "fork -> south -> join")
    alpha = tiny.item("alpha", d.start("s"), d.parallel("fork"), *shops, d.parallel("join"), tiny.decision("alpha"), d.end("e"), flows)
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 10}}, processes={"alpha": alpha}))
    case = clerk.take_in("tiny")

    market.complete(case, "现场核查", findings="ok")
    assert stage.item(case, "alpha").clock == "paused"
    stage.travel(2026, 3, 4)
    market.complete(case, "现场核查", findings="ok")

    assert stage.item(case, "alpha").clock == "running"
    assert stage.item(case, "alpha").promised_on.isoformat() == "2026-03-18"


def test_resume__which_of_two(stage, clerk, market):
    case = accepted(stage, clerk)
    item = stage.item(case, "alpha")
    market.handle("pause", item, **HEARING)
    market.handle("pause", item, kind="testing", reason="检测", days=3)

    with pytest.raises(InvalidInput, match="which pause"):
        market.handle("resume", item)

    assert stage.item(case, "alpha").clock == "paused"


@pytest.mark.parametrize("wrong", [{"reason": " "}, {"days": 0}, {"days": -1}])
def test_pause__without_particulars(stage, clerk, market, wrong):
    case = accepted(stage, clerk)

    with pytest.raises(InvalidInput):
        market.handle("pause", stage.item(case, "alpha"), **(HEARING | wrong))

    assert stage.item(case, "alpha").clock == "running"
    assert stage.all(Notice, case, kind="special_procedure") == []


def test_pause__by_whom_it_does_not_concern(stage, clerk, fire, supervisor):
    case = accepted(stage, clerk)

    for who in (clerk, fire, supervisor):
        with pytest.raises(NotPermitted):
            who.handle("pause", stage.item(case, "alpha"), **HEARING)

    assert stage.item(case, "alpha").clock == "running"


def test_pause__not_in_review(stage, clerk, market):
    case = accepted(stage, clerk)
    market.complete(case, "alpha审批", outcome="granted")

    with pytest.raises(InvalidState, match="to be in review"):
        market.handle("pause", stage.item(case, "alpha"), **HEARING)


def test_resume__not_paused(stage, clerk, market):
    case = accepted(stage, clerk)

    with pytest.raises(InvalidState):
        market.handle("resume", stage.item(case, "alpha"))


SURVEY = (
    d.user("measure", name="测绘", groups="department-market", due="${deadline('promised')}"),
    d.timer_boundary("slow", on="measure", date="${deadline('promised')}", interrupting=False),
    d.end("noted"),
    d.end("measured"),
)


FIRST = (d.flows("accepted -> ask -> decide -> decided"),)
BESIDE = (d.parallel("both"), d.end("surveyed"), d.flows("accepted -> both -> decide -> decided", "both -> ask -> surveyed"))


def surveyed(stage, clerk, *survey, order=FIRST):
    """An item whose department lets a process of its own survey the place."""
    drawn = d.diagram(d.start("begun"), *survey, *SURVEY, d.flows("slow -> noted", "measure -> measured"), key="survey")
    stage.deploy("survey", survey_bpmn=drawn)
    alpha = tiny.item(
        "alpha",
        d.start("accepted"),
        d.call("ask", of="survey"),
        d.timer_boundary("late", on="ask", date="${deadline('promised')}", interrupting=False),
        d.external("overdue", topic="onething.overdue"),
        d.end("reported"),
        tiny.decision("alpha"),
        d.end("decided"),
        d.flows("late -> overdue -> reported"),
        *order,
    )
    stage.deploy("tiny", **tiny.folder({"alpha": {"promised": 10, "extension": 5}}, processes={"alpha": alpha}))
    return clerk.take_in("tiny")


def bound(stage, case):
    """Last days of what waits by the clock: of the item's own process, of what that has called, and of the task there."""
    due_at = stage.task(case, "测绘").due_at
    return [day and str(day) for day in (stage.timer(case, "late"), stage.timer(case, "slow"), due_at and calendars.local_date(due_at))]


def test_pause__what_its_process_has_called_follows(stage, clerk, market):
    """It would go by the dates of before, or, once it has slept, never be told of those that come."""
    case = surveyed(stage, clerk, d.flows("begun -> measure"))
    assert bound(stage, case) == ["2026-03-16", "2026-03-16", "2026-03-17"]

    market.handle("pause", stage.item(case, "alpha"), **HEARING)
    assert bound(stage, case) == [None] * 3
    stage.travel(2026, 3, 4)
    market.handle("resume", stage.item(case, "alpha"))
    assert bound(stage, case) == ["2026-03-18", "2026-03-18", "2026-03-19"]
    market.handle("extend", stage.item(case, "alpha"), days=5, approver="organ_head", reason="案情复杂")

    assert bound(stage, case) == ["2026-03-25", "2026-03-25", "2026-03-26"]
    stage.travel(2026, 3, 26)
    assert ("red", "overdue") in stage.alerts(case)


def test_end__in_what_its_process_has_called(stage, clerk, market):
    """The special procedure is drawn there; the item's own process waits by the same clock."""
    properties = {"onething.kind": "special-procedure", "onething.procedure": "site_inspection", "onething.days": "3"}
    inspect = d.user("inspect", name="现场核查", groups="department-market", properties=properties)
    case = surveyed(stage, clerk, inspect, d.flows("begun -> inspect -> measure"))
    assert (stage.item(case, "alpha").clock, stage.timer(case, "late")) == ("paused", None)

    stage.travel(2026, 3, 4)
    market.complete(case, "现场核查")

    assert bound(stage, case) == ["2026-03-18", "2026-03-18", "2026-03-19"]


def test_end__what_its_process_has_called_is_broken_off(stage, clerk):
    """The department gives up its inspection, which is drawn there: the clock of the item stood still for ever."""
    properties = {"onething.kind": "special-procedure", "onething.procedure": "site_inspection", "onething.days": "3"}
    inspect = d.user("inspect", name="现场核查", groups="department-market", properties=properties)
    too_long = d.timer_boundary("too_long", on="ask", duration="P6D"), d.flows("too_long -> decide")
    case = surveyed(stage, clerk, inspect, d.flows("begun -> inspect -> measure"), order=(*FIRST, *too_long))
    assert stage.item(case, "alpha").clock == "paused"

    stage.travel(2026, 3, 9)

    assert (stage.tasks(case), stage.item(case, "alpha").clock) == (["alpha审批"], "running")
    assert str(calendars.local_date(stage.task(case, "alpha审批").due_at)) == "2026-03-24"


def test_decide__what_its_process_has_called_is_told(stage, clerk, market):
    """The survey goes on, but nothing is due any more by a promise that was kept."""
    case = surveyed(stage, clerk, d.flows("begun -> measure"), order=BESIDE)

    market.complete(case, "alpha审批", outcome="granted")

    assert bound(stage, case) == [None] * 3
    stage.travel(2026, 3, 30)
    assert ("red", "overdue") not in stage.alerts(case)


def past_midnight(stage, monkeypatch, module, name):
    """Let a day end when something has begun, and before it does this."""
    do = getattr(module, name)

    def later(*what, **more):
        stage.traveller.shift(timedelta(minutes=2))
        return do(*what, **more)

    monkeypatch.setattr(module, name, later)


def test_accept__a_day_ends_meanwhile(stage, clerk, monkeypatch):
    stage.move_to(2026, 3, 2, hour=23, minute=59)
    past_midnight(stage, monkeypatch, item_clock, "start")

    case = accepted(stage, clerk)

    days = {calendars.local_date(item.accepted_at) for item in stage.items(case).values()}
    assert days == {entry.on for entry in stage.all(ClockEntry, case)} == {date(2026, 3, 2)}


def test_decide__a_day_ends_meanwhile(stage, clerk, market, monkeypatch):
    """What was decided in time is in time, however long it takes to write that down."""
    case = accepted(stage, clerk)
    stage.move_to(2026, 3, 16, hour=23, minute=59)
    past_midnight(stage, monkeypatch, lifecycle, "end")

    market.complete(case, "alpha审批", outcome="granted")

    item = stage.item(case, "alpha")
    assert calendars.local_date(item.decided_at) == stage.all(ClockEntry, case, kind="stopped")[0].on == date(2026, 3, 16)
    assert (item.promised_on, item.red_from) == (date(2026, 3, 16), None)


# Extensions -------------------------------------------------------------------------------------------------------------------------------


def test_extend__once(stage, clerk, market):
    case = accepted(stage, clerk)
    item = stage.item(case, "alpha")

    market.handle("extend", item, days=5, approver="organ_head", reason="案情复杂")
    assert stage.timer(case, "late").isoformat() == "2026-03-23"
    with pytest.raises(InvalidState, match="once"):
        market.handle("extend", item, days=1, approver="organ_head", reason="再次延长")

    assert stage.notices(case).count("extension") == 1
    assert stage.timer(case, "late").isoformat() == "2026-03-23"


@pytest.mark.parametrize(
    ("days", "approver", "extension", "error"),
    [
        (11, "organ_head", 10, InvalidInput),
        (6, "organ_head", 5, InvalidInput),
        (0, "organ_head", 5, InvalidInput),
        (1, "organ_head", 0, InvalidState),
        (16, "government_head", 10, InvalidInput),
        (15, "government_head", 10, InvalidInput),  # one department handles alone
    ],
)
def test_extend__beyond_the_approvers_power(stage, clerk, market, days, approver, extension, error):
    case = accepted(stage, clerk, extension=extension)

    with pytest.raises(error):
        market.handle("extend", stage.item(case, "alpha"), days=days, approver=approver, reason="案情复杂")

    assert stage.timer(case, "late").isoformat() == "2026-03-16"
    assert "extension" not in stage.notices(case)


def test_extend__joint_handling_with_the_government(stage, clerk, market):
    stage.deploy("tiny", **tiny.folder({"alpha": {"statutory": 45}, "beta": {}}, processes={"beta": tiny.item("beta", department="fire")}))
    case = clerk.take_in("tiny")

    market.handle("extend", stage.item(case, "alpha"), days=15, approver="government_head", reason="联合办理")

    with stage.reading() as session:
        assert clocks.due_of(session, stage.item(case, "alpha")).date.isoformat() == "2026-04-07"


def test_extend__too_late(stage, clerk, market):
    case = accepted(stage, clerk)
    stage.travel(2026, 3, 31)

    with pytest.raises(InvalidState, match="before its limit has run out"):
        market.handle("extend", stage.item(case, "alpha"), days=5, approver="organ_head", reason="案情复杂")
