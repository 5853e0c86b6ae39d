"""The lint finds its way through everything that BPMN has: loops, event subprocesses, transactions, links."""

from __future__ import annotations

from bpmn import lint
from bpmn.lint import shapes
from bpmn.matter import ways
from tests.bpmn.definitions import CANCEL, again, conditional, error, instances, link, message, parameters
from tests.bpmn.diagrams import (
    boundary,
    call,
    catch,
    diagram,
    element,
    end,
    error_boundary,
    event_subprocess,
    external,
    flows,
    receive,
    script,
    start,
    subprocess,
    task,
    throw,
    timer_boundary,
    transaction,
    user,
)
from tests.bpmn.drawings import compiled
from tests.bpmn.linting import linted

TWICE = instances(count="2")
ITEM = {"onething.kind": "item"}


def found(rule: str, *content: str, known: lint.Known = lint.NOTHING_KNOWN, **more) -> list[str]:
    """Elements of which one rule of the lint complains."""
    findings = linted({"p.bpmn": diagram(*content, **more)}, known)
    return [finding.element for finding in findings if finding.rule == rule]


def around(*content: str) -> tuple[str, ...]:
    return (start("s"), *content, end("e"), flows("s -> x -> e"))


def test_ways__through_an_activity_that_runs_several_times():
    inner = subprocess("x", TWICE, start("is"), task("t", TWICE), end("ie"), flows("is -> t -> ie"))

    assert {"is", "t", "ie", "e"} <= ways.reach(compiled(*around(inner)), ["s"])
    assert {"s", "x", "is", "t"} <= ways.leading_to(compiled(*around(inner)), ["e"])


def test_ways__into_and_out_of_event_subprocesses():
    event_process = event_subprocess("es", start("ess", message("a")), task("t"), end("ese"), flows("ess -> t -> ese"))

    inside = subprocess("x", start("is"), event_process, end("ie"), flows("is -> ie"))

    assert {"ess", "t"} <= ways.reach(compiled(*around(inside)), ["s"])
    assert "t" in ways.leading_to(compiled(*around(inside)), ["e"])
    assert {"ess", "t"} <= ways.reach(compiled(*around(task("x")), event_process), ["s"])


def test_ways__through_transactions_and_links():
    booking = transaction("x", start("is"), end("ie", CANCEL), flows("is -> ie"))
    canceled = boundary("b", CANCEL, on="x")
    jump = throw("t", link("l")), catch("c", link("l")), task("undo"), flows("b -> t", "c -> undo -> e")

    definition = compiled(*around(booking), canceled, *jump)

    assert {"is", "ie", "e"} <= ways.reach(definition, ["s"])
    assert "undo" in ways.reach(definition, ["b"])


def test_shapes__deadline_of_a_task_that_is_done_several_times():
    definition = compiled(*around(user("x", TWICE)), timer_boundary("b", on="x", duration="P1D"), flows("b -> e"))

    assert [event.id for event in shapes.deadlines(definition, definition.elements["x"])] == ["b"]


def test_shapes__follow_on_by_an_event_subprocess():
    joining = event_subprocess(
        "es",
        start("ess", message("接续受理"), attrs={"isInterrupting": "false"}),
        user("f", properties={"onething.kind": "follow-on"}),
        end("ese"),
        flows("ess -> f -> ese"),
    )
    first = start("m", message("申请")), user("g", properties={"onething.kind": "follow-on"}), flows("m -> g -> e")

    assert shapes.has_follow_on(compiled(*around(task("x")), *first, joining))
    assert not shapes.has_follow_on(compiled(*around(task("x")), *first, joining.replace('isInterrupting="false"', "")))


def test_lint__deadline_on_an_activity_that_runs_several_times():
    timed = timer_boundary("b", on="x", duration="P1D"), flows("b -> e")

    assert found("wait-without-deadline", *around(receive("x", TWICE, message="m"))) == ["x"]
    assert found("wait-without-deadline", *around(receive("x", TWICE, message="m")), *timed) == []
    assert found("no-time-limit", *around(user("x", TWICE)), properties=ITEM) == ["x"]
    assert found("no-time-limit", *around(user("x", TWICE)), *timed, properties=ITEM) == []


def test_lint__expressions_have_no_time_limit():
    computed = element("serviceTask", "x", attrs={"camunda:expression": "${1}"})
    sent = element("sendTask", "x", attrs={"camunda:type": "external", "camunda:topic": "post"})

    assert found("no-time-limit", *around(computed), properties=ITEM) == []
    assert found("no-time-limit", *around(sent), properties=ITEM) == ["x"]


def test_lint__names_of_the_new_activities():
    event_process = event_subprocess("es", start("ess", message("a")), end("ese"), flows("ess -> ese"))

    assert set(found("unnamed", *around(script("x", "${1}")), event_process)) >= {"x", "es"}


def test_lint__errors_inside_what_runs_several_times():
    throwing = subprocess("x", TWICE, start("is"), end("ie", error("E1")), flows("is -> ie"))
    caught = error_boundary("b", on="x", error="E1"), error_boundary("c", on="x", error="E2"), flows("b -> e", "c -> e")

    assert found("error-nobody-throws", *around(throwing), *caught) == ["c"]
    assert found("error-nobody-throws", *around(external("x", TWICE, topic="t")), *caught) == []
    assert found("error-nobody-throws", *around(transaction("x", start("is"), end("ie"), flows("is -> ie"))), *caught) == ["b", "c"]


def test_lint__errors_that_start_an_event_subprocess():
    def handling(code, *content):
        return event_subprocess("es", start("ess", error(code)), end("ese", *content), flows("ess -> ese"))

    thrown = subprocess("x", start("is"), end("ie", error("E1")), flows("is -> ie"))

    assert found("error-nobody-throws", *around(thrown), handling("E1")) == []
    assert found("error-nobody-throws", *around(thrown), handling("E2")) == ["ess"]
    assert found("error-nobody-throws", *around(thrown), handling("E2", error("E2"))) == ["ess"]
    assert found("error-nobody-throws", *around(external("x", topic="t")), handling("E2")) == []


def test_lint__errors_nobody_catches():
    """What an event subprocess throws itself leaves the scope around it."""
    thrown = subprocess("x", TWICE, start("is"), end("ie", error("E1")), flows("is -> ie"))
    handler = event_subprocess("es", start("ess", error()), end("ese"), flows("ess -> ese"))
    rethrows = event_subprocess("es", start("ess", error("E1")), end("ese", error("E1")), flows("ess -> ese"))

    assert found("error-nobody-catches", *around(thrown)) == ["ie"]
    assert found("error-nobody-catches", *around(thrown), error_boundary("b", on="x", error="E1"), flows("b -> e")) == []
    assert found("error-nobody-catches", *around(thrown), error_boundary("b", on="x"), flows("b -> e")) == []
    assert found("error-nobody-catches", *around(thrown), error_boundary("b", on="x", error="E2"), flows("b -> e")) == ["ie"]
    assert found("error-nobody-catches", *around(thrown), handler) == []
    assert found("error-nobody-catches", *around(thrown), rethrows) == ["ese"]


def test_lint__errors_nobody_catches_across_calls():
    """Each process that calls it has to; one that nobody calls ends by it."""
    failing = diagram(start("s"), end("e", error("E1")), flows("s -> e"), key="failing")
    catching = (error_boundary("b", on="x", error="E1"), flows("b -> e"))

    def calling(*content, key, of="failing"):
        return diagram(start("s"), call("x", of=of), end("e"), flows("s -> x -> e"), *content, key=key)

    def uncaught(**files):
        given = {f"{name}.bpmn": content for name, content in files.items()}
        return [finding.resource for finding in linted(given) if finding.rule == "error-nobody-catches"]

    catches, passes = calling(*catching, key="catches"), calling(key="passes")
    assert uncaught(failing=failing) == ["failing.bpmn"]
    assert uncaught(failing=failing, catches=catches) == []
    assert uncaught(failing=failing, catches=catches, passes=passes) == ["failing.bpmn"]
    assert uncaught(failing=failing, passes=passes, outer=calling(*catching, key="outer", of="passes")) == []


def test_lint__variables_of_loops_parameters_and_events():
    known = lint.Known(variables=frozenset({"people"}))
    marker = instances(collection="people", elementVariable="person", until="${nrOfCompletedInstances > 1}")
    given = parameters(inputs={"a": "${person}"})
    written = user("x", marker, assignee="${a}", ext=given)
    caught = event_subprocess(
        "es", start("ess", error(errorCodeVariable="code")), script("t", "${code}"), end("ese"), flows("ess -> t -> ese")
    )

    assert found("variable-never-written", *around(written), caught, known=known, properties=ITEM) == []
    for nobody in (
        user("x", again("${b}")),
        user("x", instances(collection="b")),
        user("x", ext=parameters(inputs={"a": "<camunda:list><camunda:value>${b}</camunda:value></camunda:list>"})),
        user("x", attrs={"camunda:jobPriority": "${b}"}),
        script("x", "${b}"),
        catch("x", conditional("${b}")),
    ):
        assert found("variable-never-written", *around(nobody), known=known, properties=ITEM) == ["x"]
