"""An instance runs what is drawn, and every command comes to rest."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime

import pytest
from SpiffWorkflow.task import Task
from SpiffWorkflow.workflow import Workflow

from bpmn.errors import InstanceError
from bpmn.instance import Instance
from bpmn.waits import Activity, Context, WaitKind
from tests.bpmn import instances
from tests.bpmn.diagrams import end, exclusive, external, flows, message_catch, milestone, start, tag, task, timer_boundary, user
from tests.bpmn.instances import HOUR, NOW, begin, complete, standing, wait

TWO_TASKS = (start("s"), user("accept"), user("issue"), end("e"), flows("s -> accept -> issue -> e"))


def test_start__at_rest_before_a_person():
    instance = begin(*TWO_TASKS)

    assert standing(instance) == ["accept"]
    assert not instance.ended
    assert instance.end is None


def test_start__a_token_has_all_that_a_task_of_the_library_has():
    """It is made without the library's own constructor, which looks the scope up and asks the clock of the host."""
    instance = begin(*TWO_TASKS)
    process = instance._process
    [token] = [token for token in process.tasks.awake.values() if token is not process.root]

    task = Task(Workflow(process.spec, deserializing=True), process.spec.start, id=1)

    assert vars(task).keys() <= vars(token).keys()
    assert (token.parent, process.root.parent, process.root.children) == (process.root, None, [token])


def test_complete__runs_to_the_next_person():
    instance = begin(*TWO_TASKS)

    complete(instance, "accept", granted=True)

    assert standing(instance) == ["issue"]
    assert instance.variables == {"granted": True}


def test_complete__the_last_task():
    instance = begin(*TWO_TASKS)

    complete(instance, "accept", "issue")

    assert instance.ended
    assert instance.end == "e"
    assert instance.error is None
    assert instance.waits() == ()


def test_start__elements_that_ask_nobody():
    instance = begin(start("s"), task("t"), milestone("m"), end("e"), flows("s -> t -> m -> e"))

    assert instance.ended
    assert instance.end == "e"


def test_start__at_a_message_start():
    content = (start("s"), start("m", message="joined"), user("a"), user("b"), end("e"), flows("s -> a -> e", "m -> b -> e"))

    assert standing(begin(*content)) == ["a"]
    assert standing(begin(*content, at="m")) == ["b"]


@pytest.mark.parametrize("at", ["a", "nowhere", ""])
def test_start__at_what_is_no_start(at):
    with pytest.raises(InstanceError, match="Expected to start p at"):
        begin(start("s"), user("a"), end("e"), flows("s -> a -> e"), at=at)


def test_start__no_none_start_event():
    with pytest.raises(InstanceError, match="none start event, but it has none"):
        begin(start("m", message="joined"), user("a"), end("e"), flows("m -> a -> e"))


def test_start__a_naive_time():
    with pytest.raises(InstanceError, match="Expected the time to have an offset"):
        begin(*TWO_TASKS, now=datetime(2026, 11, 25))  # noqa: DTZ001 - it must be refused


def test_start__its_variables_are_its_own():
    given = {"n": 1}

    instance = begin(*TWO_TASKS, variables=given)
    complete(instance, "accept", n=2)

    assert given == {"n": 1}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            lambda i, n: i.complete(n + 1),
            "Expected to complete user task or external task or call or escalation or error 3, but nothing waits under this number",
        ),
        (lambda i, n: i.deliver(n), "Expected to deliver message or signal 2, but it is user task accept"),
        (lambda i, n: i.execute(n), "Expected to execute job 2, but it is user task accept"),
        (lambda i, n: i.fire(n), "Expected to fire timer 2, but it is user task accept"),
        (lambda i, n: i.retry(n), "Expected to retry incident 2, but it is user task accept"),
        (lambda i, n: i.raise_error(n + 1, "E"), "Expected to raise an error at user task or external task or call 3, but nothing waits"),
        (lambda i, n: i.raise_escalation(n + 1, "E"), "Expected to escalate at user task or external task or call 3, but nothing waits"),
        (lambda i, _: i.complete(0), "nothing waits"),
        (lambda i, _: i.complete(-1), "nothing waits"),
        (lambda i, _: i.complete(1), "nothing waits"),
        (lambda i, _: i.complete("2"), "nothing waits"),
    ],
)
def test_refuse__a_command_that_does_not_fit(command, message):
    instance = begin(*TWO_TASKS, variables={"n": 1})
    before = instance.snapshot(), instance.waits(), instance.history(), dict(instance.variables)

    with pytest.raises(InstanceError, match=message):
        command(instance, wait(instance, "accept").id)

    assert (instance.snapshot(), instance.waits(), instance.history(), instance.variables) == before


def test_refuse__commands_after_the_end():
    instance = begin(start("s"), end("e"), flows("s -> e"))

    with pytest.raises(InstanceError, match=r"Expected to complete .* 1, but the instance has ended"):
        instance.complete(1)
    assert instance.throw("anything") == 0


def test_complete__twice():
    instance = begin(*TWO_TASKS)
    first = wait(instance, "accept").id
    instance.complete(first)

    with pytest.raises(InstanceError, match="nothing waits"):
        instance.complete(first)

    assert standing(instance) == ["issue"]


def test_cancel__ends_everything():
    content = (start("s"), user("a"), timer_boundary("late", on="a", duration="P1D"), end("e"), end("l"), flows("s -> a -> e", "late -> l"))
    instance = begin(*content)

    instance.cancel()

    assert instance.ended
    assert instance.end is None
    assert instance.waits() == ()
    assert instances.outcomes(instance) == [("s", "completed"), ("a", "canceled")]


def test_cancel__what_has_ended_stays_as_it_is():
    instance = begin(start("s"), end("e"), flows("s -> e"))

    instance.cancel()

    assert instance.end == "e"


def test_history__activations_in_order():
    instance = begin(*TWO_TASKS)

    instance.context.now = NOW + HOUR
    complete(instance, "accept")

    assert instance.history() == [
        Activity(id=1, element="s", started_at=NOW, ended_at=NOW, outcome="completed"),
        Activity(id=2, element="accept", started_at=NOW, ended_at=NOW + HOUR, outcome="completed", flow="s-accept"),
        Activity(id=3, element="issue", started_at=NOW + HOUR, ended_at=None, outcome=None, flow="accept-issue"),
    ]


def test_history__after_load_only_what_is_new():
    instance = instances.again(begin(*TWO_TASKS))
    assert instance.history() == []

    complete(instance, "accept")

    assert instances.outcomes(instance) == [("accept", "completed"), ("issue", None)]


def test_waits__a_user_task_as_written():
    instance = begin(
        start("s"),
        user("a", groups="clerks, ${hall}", assignee="${who}", due="${until}", priority="${10 * 7}"),
        end("e"),
        flows("s -> a -> e"),
        variables={"hall": "hall-3", "who": "li", "until": "2026-12-01T08:00:00+08:00"},
    )

    task = wait(instance, "a")

    assert task.kind is WaitKind.USER_TASK
    assert task.groups == ("clerks", "hall-3")
    assert (task.assignee, task.priority) == ("li", 70)
    assert task.task_due_at == datetime(2026, 12, 1, 0, tzinfo=UTC)
    assert task.since == NOW


SAID = tag("bpmn:documentation", "第 ${n} 次，${who}")


@pytest.mark.parametrize(
    ("drawn", "title", "description"),
    [
        (user("a", SAID, name="审核 ${n}"), "审核 7", "第 7 次，li"),
        (user("a", SAID, name="${none}"), "a", "第 7 次，li"),
        (user("a", tag("bpmn:documentation", "${none}"), name="审核"), "审核", None),
        (user("a"), "a", None),
    ],
)
def test_waits__a_user_task_has_its_name_and_description(drawn, title, description):
    """They are what they were when the task began, also when the variables have changed."""
    instance = begin(start("s"), drawn, end("e"), flows("s -> a -> e"), variables={"n": 7, "who": "li", "none": None})

    instance.set_variables({"n": 8})

    for each in (instance, instances.again(instance)):
        assert (wait(each, "a").title, wait(each, "a").description) == (title, description)


def test_waits__an_external_task_has_its_topic():
    instance = begin(start("s"), external("x", topic="${kind}-permit"), end("e"), flows("s -> x -> e"), variables={"kind": "food"})

    assert [(w.kind, w.name) for w in instance.waits()] == [(WaitKind.EXTERNAL_TASK, "food-permit")]
    complete(instance, "x", number=7)
    assert instance.ended
    assert instance.variables["number"] == 7


def test_waits__ids_are_never_used_again():
    instance = begin(
        start("s"),
        exclusive("m"),
        user("a"),
        exclusive("x"),
        end("e"),
        flows("s -> m -> a -> x", "x -> m [${again}]", "x -> e [${!again}]"),
    )
    seen = []

    for _ in range(5):
        seen.append(wait(instance, "a").id)
        instance = instances.again(instance)
        complete(instance, "a", again=True)

    assert len(set(seen)) == 5
    assert seen == sorted(seen)


def test_deliver__a_message_catch():
    instance = begin(start("s"), message_catch("c", message="paid"), end("e"), flows("s -> c -> e"))
    assert [(w.kind, w.name) for w in instance.waits()] == [(WaitKind.MESSAGE, "paid")]

    instance.deliver(wait(instance, "c").id, {"amount": 3})

    assert instance.ended
    assert instance.variables == {"amount": 3}


def test_load__broken_snapshots():
    instance = begin(*TWO_TASKS)
    whole = instance.snapshot()

    read = zlib.decompress(whole[1:])
    written = [zlib.compress(text) for text in (read + b"[]", read + b" ", read[:-1], b"", b'"text"', b"7", b"null")]

    for broken in (b"", b"\x00", b"\x03" + whole[1:], whole[:-3], whole[:1] + b"rubbish", *(whole[:1] + text for text in written)):
        with pytest.raises(InstanceError, match="Expected a"):
            Instance.load(instance.definition, broken, {}, Context(now=NOW))


def test_load__a_definition_that_lacks_the_element():
    snapshot = begin(*TWO_TASKS).snapshot()
    other = instances.definition(start("s"), user("b"), end("e"), flows("s -> b -> e"))

    with pytest.raises(InstanceError, match="Expected token 2 at accept in this definition"):
        Instance.load(other, snapshot, {}, Context(now=NOW))
