"""`onething simulate`: drawings are tried out on the real engine, in memory."""

import contextlib
import json
import os
import random
import re
import shutil
import subprocess as processes
import sys
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from api.cli import main
from api.simulation import stage, walks
from bpmn.simulation.coverage import Coverage
from engine import settings, starters
from tests.api.cli.conftest import ONETHING
from tests.bpmn import definitions
from tests.bpmn.diagrams import (
    boundary,
    call,
    diagram,
    element,
    end,
    error_boundary,
    exclusive,
    external,
    flows,
    message_boundary,
    message_catch,
    parallel,
    start,
    subprocess,
    task,
    timer,
    timer_boundary,
    timer_catch,
    user,
)
from tests.hall import WORKFLOWS

COVERED = re.compile(r"\((\w+)\): (\d+) % reached")
SETTINGS = {name: None for name in os.environ if name.startswith("ONETHING_")} | {"ONETHING_WORKFLOWS": str(WORKFLOWS)}
#: With the paths that no case can take: who joins a bundle that runs does not begin one, and the other way round.
SHIPPED = {"newborn": 14, "post-check": 0, "single-item": 0, "items": 0}


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """What drawings need around them, without the shipped matters and all items but one, which is quicker."""
    folder = tmp_path_factory.mktemp("bare")
    for name in ("calendars", "single-item"):
        shutil.copytree(WORKFLOWS / name, folder / name)
    (folder / "items").mkdir()
    for name in ("food-permit.bpmn", "decision-inspect.form", "inspection.form", "items.dmn"):
        shutil.copy(WORKFLOWS / "items" / name, folder / "items")
    return folder


@pytest.fixture
def simulate(bare, tmp_path, monkeypatch):
    """Run the command in a folder of one's own; what is not shipped is tried out without the shipped matters."""
    monkeypatch.chdir(tmp_path)

    def simulate(path, *words):
        around = {} if path.is_relative_to(WORKFLOWS) else {"ONETHING_WORKFLOWS": str(bare)}
        return CliRunner(env=SETTINGS | around).invoke(main, ["simulate", str(path), *map(str, words)])

    return simulate


@pytest.fixture
def drawn(tmp_path):
    """Write a diagram with a form for its tasks."""

    def drawn(*content, fields=(), name="p.bpmn", **more):
        (tmp_path / name).write_bytes(diagram(*content, **more))
        (tmp_path / "work.form").write_text(json.dumps({"type": "default", "id": "work", "schemaVersion": 19, "components": fields}))
        return tmp_path / name

    return drawn


def coverage(result):
    """Percentage by process."""
    return {key: int(percent) for key, percent in COVERED.findall(result.output)}


def option(key, *values):
    return {
        "type": "radio",
        "key": key,
        "label": key,
        "values": [{"value": each, "label": each} for each in values],
        "validate": {"required": True},
    }


# What is shipped ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the results of the restaurant are written."""
    return tmp_path_factory.mktemp("restaurant")


@pytest.fixture(scope="module")
def restaurant(folder):
    """The restaurant, walked through once."""
    words = ["--min-coverage", "100", "--min-paths", "100", "--junit", str(folder / "j.xml")]
    return CliRunner(env=SETTINGS).invoke(main, ["simulate", str(WORKFLOWS / "open-restaurant"), *words])


def test_simulate__restaurant_is_reached(restaurant):
    assert restaurant.exit_code == 0, restaurant.output
    assert re.search(r"^\d+ walks of \d+ steps: \d+ of \d+ choices made$", restaurant.output, re.MULTILINE)
    assert "57 of 71 paths taken, 14 impossible" in restaurant.output
    assert "left out" not in restaurant.output


def test_simulate__restaurant_paths_that_no_case_can_take_are_proved(restaurant, folder):
    """Who joins a bundle that runs does not begin one, and the other way round: the drawing lets both come by the same task."""
    asked = "it needs ${joining} false at “并入在办联办？” (joining), but “申请接续” (follow_on_asked) brings joining = True"
    begun = "it needs ${joining} true at “并入在办联办？” (joining), but it begins with joining = False"
    skipped = [
        case.find("skipped").get("message") for case in ET.parse(folder / "j.xml").findall(".//testcase") if len(case.findall("skipped"))
    ]

    assert Counter(untaken(restaurant).values()) == {asked: 12, begun: 2}
    assert Counter(skipped) == {f"impossible: {asked}": 12, f"impossible: {begun}": 2}


def test_simulate__promised_against_used(restaurant):
    figures = dict(re.findall(r"^ (\S+) +(\d+ +\d+) +\d+ *$", restaurant.output, re.MULTILINE))

    assert figures["食品经营许可（新办）"].split() == ["10", "10"]
    promised, used = figures["开办餐饮店"].split()
    assert promised == "4"
    assert int(used) > 10


@pytest.mark.parametrize("folder", SHIPPED)
def test_simulate__everything_that_is_shipped_is_reached(simulate, folder):
    result = simulate(WORKFLOWS / folder, "--min-coverage", 100)

    assert result.exit_code == 0, result.output
    assert set(coverage(result).values()) == {100}
    assert len(coverage(result)) == len(list((WORKFLOWS / folder).glob("*.bpmn")))
    assert len(untaken(result, "impossible")) == len(untaken(result)) == SHIPPED[folder], result.output


# Ways through a drawing ---------------------------------------------------------------------------------------------------------------


def test_simulate__every_choice_of_a_form(simulate, drawn):
    file = drawn(
        start("s"),
        user("choose", form="work", groups="window", name="选择"),
        exclusive("kind_known", default="other"),
        end("large"),
        end("medium"),
        end("other"),
        flows(
            "s -> choose -> kind_known",
            "kind_known -> large [${kind == 'large'}]",
            "kind_known -> medium [${kind == 'medium'}]",
            "kind_known -> other",
        ),
        fields=[option("kind", "small", "medium", "large")],
    )

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert coverage(result) == {"p": 100}
    assert "completes 选择 kind=large  → large" in result.output


def test_simulate__what_is_never_reached_is_said(simulate, drawn):
    file = drawn(
        start("s"),
        user("choose", form="work", groups="window"),
        exclusive("kind_known", default="small"),
        user("never", name="永远走不到", form="work"),
        end("small"),
        flows("s -> choose -> kind_known -> small", "kind_known -> never [${kind == 'a' && kind == 'b'}]", "never -> small"),
        fields=[option("kind", "a", "b")],
    )

    result = simulate(file, "--min-coverage", 90)

    assert result.exit_code == 1
    assert "never reached: never 永远走不到" in result.output
    assert "never reached: kind_known-never" in result.output
    assert "never reached: choose" not in result.output
    assert "Expected 90 % of p (p) to be reached, but it is 70 %" in result.output


def test_simulate__what_is_never_reached_is_no_failure_by_itself(simulate, drawn):
    file = drawn(
        start("s"),
        exclusive("choice", default="no"),
        end("yes"),
        end("no"),
        flows("s -> choice -> no", "choice -> yes [${1 == 2}]"),
    )

    assert simulate(file).exit_code == 0


def test_simulate__timers_messages_workers_and_errors(simulate, drawn):
    file = drawn(
        start("s"),
        user("work", form="work", groups="window"),
        timer_boundary("late", on="work", duration="P3D", interrupting=False),
        end("reminded"),
        message_boundary("gone", on="work", message="withdrawn by mail"),
        end("given_up"),
        external("ask", topic="register"),
        error_boundary("unknown", on="ask", error="not-known"),
        end("not_known"),
        message_catch("paid", message="payment"),
        end("e"),
        flows("s -> work -> ask -> paid -> e", "late -> reminded", "gone -> given_up", "unknown -> not_known"),
    )

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert coverage(result) == {"p": 100}, result.output
    assert "03-05 09:00                   time passes: late  → late → reminded" in result.output


def test_simulate__several_at_once_event_subprocess_condition_and_compensation(simulate, drawn):
    file = drawn(
        start("s"),
        user("each", definitions.instances(collection="people", elementVariable="person"), groups="window"),
        element("intermediateCatchEvent", "rich", definitions.conditional("${money > 5}")),
        element("eventBasedGateway", "first"),
        timer_catch("late", duration="P2D"),
        message_catch("asked", message="ask"),
        user("pay", groups="window"),
        boundary("unpay", definitions.compensate(), on="pay"),
        user("undo", groups="window", attrs={"isForCompensation": "true"}),
        definitions.association("unpay", "undo"),
        element("endEvent", "undone", definitions.compensate()),
        element(
            "subProcess", "beside", start("told", message="tell"), end("heard"), flows("told -> heard"), attrs={"triggeredByEvent": "true"}
        ),
        flows("s -> each -> rich -> first -> late -> pay", "first -> asked -> pay", "pay -> undone"),
    )

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert coverage(result) == {"p": 100}, result.output


@pytest.mark.parametrize(
    ("beginning", "words"),
    [
        (element("startEvent", "s", definitions.signal("flood")), "begins: p  → s → wait"),
        (start("s", message="asked"), "walk 1: asked; everything on the day it is due"),
        (element("startEvent", "s", timer(cycle="R2/P1D")), "03-03 09:00  admin            begins: p  → s → wait"),
    ],
    ids=["signal", "message", "timer"],
)
def test_simulate__begins_by_an_event(simulate, drawn, beginning, words):
    waiting = element("intermediateCatchEvent", "wait", definitions.signal("over"))
    file = drawn(beginning, waiting, task("later", attrs={"camunda:asyncBefore": "true"}), end("e"), flows("s -> wait -> later -> e"))

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert coverage(result) == {"p": 100}, result.output
    assert words in result.output
    assert "the signal over is thrown  → later → e" in result.output


def test_simulate__variables_that_no_form_fills(simulate, drawn):
    file = drawn(
        start("s"),
        exclusive("how_much", default="free"),
        end("dear"),
        end("free"),
        flows("s -> how_much -> free", "how_much -> dear [${amount >= 1000}]"),
    )

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert coverage(result) == {"p": 100}
    assert "begins: p amount = 1000" in result.output


def test_simulate__group_that_the_installation_does_not_know(simulate, drawn):
    file = drawn(start("s"), user("book", name="记账", form="work", groups="accounting"), end("e"), flows("s -> book -> e"))

    result = simulate(file)

    assert result.exit_code == 0, result.output
    assert "accounting       completes 记账" in result.output


def test_simulate__loop_without_end_ends(simulate, drawn):
    file = drawn(start("s"), user("again", form="work", groups="window"), exclusive("more", default="again"), end("never"),
                 flows("s -> again -> more -> again", "more -> never [${1 == 2}]"))  # fmt: skip

    result = simulate(file)

    assert result.exit_code == 0
    assert coverage(result)["p"] < 100


# Every path ---------------------------------------------------------------------------------------------------------------------------


def chain(*names, after="s"):
    """Tasks that follow one another, each asking something that the drawing then tells apart by gateways of its own."""
    elements, arrows = [], []
    for name in names:
        elements += [
            user(name, form="work", groups="window"),
            exclusive(f"{name}_known", default=f"{name}_on"),
            task(f"{name}_yes"),
            task(f"{name}_on"),
        ]
        arrows += [
            f"{after} -> {name} -> {name}_known -> {name}_on",
            f"{name}_known -> {name}_yes [${{answer == 'yes'}}]",
            f"{name}_yes -> {name}_on",
        ]
        after = f"{name}_on"
    return elements, arrows, after


def taken(result):
    """How many paths were taken, and how many there are."""
    found = re.search(r"^  (\d+) of (\d+) (paths|pairs of choices) taken", result.output, re.MULTILINE)
    return int(found[1]), int(found[2])


def untaken(result, kind="impossible|impossible with the sample data|open|not taken"):
    """Paths that were not taken (or of which that is known), with the reason."""
    return dict(re.findall(rf"^  (?:{kind}): (.*?) \((.*)\)$", result.output, re.MULTILINE))


def traces(file):
    """What was done in each walk, by a CI's results."""
    told = [case.find("system-out").text.splitlines() for case in ET.parse(file).findall(".//testcase")]
    return [[line.split(" → ")[0][17:] for line in lines] for lines in told]


def test_simulate__every_way_of_one_token(simulate, drawn, tmp_path):
    elements, arrows, last = chain("a", "b", "c")
    file = drawn(start("s"), *elements, end("e"), flows(*arrows, f"{last} -> e"), fields=[option("answer", "yes", "no")])

    result = simulate(file, "--junit", tmp_path / "j.xml")

    assert coverage(result) == {"p": 100}
    assert taken(result) == (8, 8)
    answers = {tuple(line.split("=")[1] for line in lines if "answer" in line) for lines in traces(tmp_path / "j.xml")}
    assert len({each for each in answers if len(each) == 3}) == 8


def test_simulate__what_only_one_way_leads_to(simulate, drawn):
    asked = [user(name, form=name, groups="window") for name in "abc"]
    file = drawn(start("s"), *asked, exclusive("rare", default="e"), end("found"), end("e"),
                 flows("s -> a -> b -> c -> rare -> e", "rare -> found [${a == 'no' && b == 'yes' && c == 'no'}]"))  # fmt: skip
    for name in "abc":
        form = {"type": "default", "id": name, "schemaVersion": 19, "components": [option(name, "yes", "no")]}
        (file.parent / f"{name}.form").write_text(json.dumps(form))

    assert coverage(simulate(file)) == {"p": 100}


def test_simulate__loop_never_and_once(simulate, drawn, tmp_path):
    file = drawn(start("s"), user("ask", form="work", groups="window"), exclusive("more", default="e"), end("e"),
                 flows("s -> ask -> more -> e", "more -> ask [${answer == 'more'}]"), fields=[option("answer", "more", "enough")])  # fmt: skip

    result = simulate(file, "--junit", tmp_path / "j.xml")

    rounds = {sum("answer=more" in line for line in lines) for lines in traces(tmp_path / "j.xml")}
    assert min(rounds) == 0 < max(rounds)
    assert taken(result) == (2, 2)
    assert "only with a loop on the way" not in result.output


def test_simulate__every_way_of_each_of_several_tokens_not_every_order(simulate, drawn):
    branches = [chain(*(f"{letter}{place}" for place in range(3)), after="both") for letter in "xyz"]
    ends = [end(f"e{place}") for place in range(3)]
    arrows = [flow for _, arrows, _ in branches for flow in arrows] + [f"{last} -> e{place}" for place, (_, _, last) in enumerate(branches)]
    drawn_elements = [element for elements, _, _ in branches for element in elements]
    file = drawn(start("s"), parallel("both"), *drawn_elements, *ends, flows("s -> both", *arrows), fields=[option("answer", "yes", "no")])

    result = simulate(file)

    assert coverage(result) == {"p": 100}
    assert taken(result) == (24, 24)
    assert int(re.search(r"(\d+) walks of", result.output)[1]) < 60


def test_simulate__path_that_nothing_leads_along(simulate, drawn, tmp_path):
    file = drawn(start("s"), user("ask", form="work", groups="window"), exclusive("one", default="n"), task("y"), task("n"), exclusive("two", default="no"),
                 end("yes"), end("no"), flows("s -> ask -> one -> n -> two -> no", "one -> y [${answer == 'yes'}]", "y -> two", "two -> yes [${answer == 'yes'}]"),
                 fields=[option("answer", "yes", "no")])  # fmt: skip

    result = simulate(file, "--min-coverage", 100, "--min-paths", 100, "--junit", tmp_path / "j.xml", "--coverage", "html")

    assert result.exit_code == 0, result.output
    assert coverage(result) == {"p": 100}
    assert taken(result) == (2, 4)
    assert "2 of 4 paths taken, 2 impossible" in result.output
    both = "it needs ${{answer == 'yes'}} {} at one and ${{answer == 'yes'}} {} at two, which contradict each other"
    whys = {"s → ask → one → y → two → no": both.format("true", "false"), "s → ask → one → n → two → yes": both.format("false", "true")}
    assert untaken(result, "impossible") == whys
    suite = ET.parse(tmp_path / "j.xml").find("testsuite")
    skipped = {case.get("name"): case.find("skipped").get("message") for case in suite.findall("testcase") if len(case.findall("skipped"))}
    assert skipped == {f"path: {path}": f"impossible: {why}" for path, why in whys.items()}
    assert suite.get("skipped") == "2"
    assert suite.find("properties/property[@name='paths']").get("value") == "100"
    page = (tmp_path / "p.coverage.html").read_text()
    assert "不可能走的路径（条件互相矛盾） · Paths: impossible" in page
    assert "s → ask → one → y → two → no" in page


@pytest.mark.parametrize(
    ("words", "kind", "why"),
    [
        ((), "impossible with the sample data", "each of the 2 situations that there are was gone on from in every way"),
        (("--walks", 1), "open", "1 branches were left out, since enough walks were made"),
    ],
    ids=["tried", "open"],
)
def test_simulate__path_of_which_nothing_is_proved(simulate, drawn, tmp_path, words, kind, why):
    """A text could begin so; that it does not, whatever is answered in the form, is told by trying."""
    file = drawn(start("s"), user("ask", form="work", groups="window"), exclusive("same", default="no"), end("yes"), end("no"),
                 flows("s -> ask -> same -> no", "same -> yes [${answer.startsWith('maybe')}]"), fields=[option("answer", "yes", "no")])  # fmt: skip

    result = simulate(file, "--min-paths", 100, "--junit", tmp_path / "j.xml", "--coverage", "html", *words)

    assert result.exit_code == 1
    assert "Expected 100 % of the paths of p (p) to be taken, but it is 50 %" in result.output
    assert untaken(result, kind).keys() == untaken(result).keys() == {"s → ask → same → yes"}
    assert untaken(result)["s → ask → same → yes"] == f"${{answer.startsWith('maybe')}} was never true; {why}"
    assert f'message="{kind}: ' in (tmp_path / "j.xml").read_text()
    assert f"Paths: {kind}" in (tmp_path / "p.coverage.html").read_text()


def test_simulate__what_several_forms_must_say_early(simulate, drawn):
    """Of some thousand ways to fill in three forms, few lead along the path, and the first is chosen long before it matters."""
    names = {form: [f"{form}{place}" for place in range(4)] for form in "abc"}
    wanted = " && ".join(f"{name} == '{'xyz'[(place + ord(form)) % 3]}'" for form, some in names.items() for place, name in enumerate(some))
    asked = [user(form, form=form, groups="window") for form in names]
    file = drawn(start("s"), *asked, exclusive("early", default="b"), exclusive("rare", default="e"), end("over"), end("found"), end("e"),
                 flows("s -> a -> early -> b -> c -> rare -> e", f"rare -> found [${{{wanted}}}]", "early -> over [${a0 == 'z'}]"))  # fmt: skip
    for form, some in names.items():
        schema = {"type": "default", "id": form, "schemaVersion": 19, "components": [option(name, "x", "y", "z") for name in some]}
        (file.parent / f"{form}.form").write_text(json.dumps(schema))

    result = simulate(file)

    assert taken(result) == (3, 3), result.output


def test_simulate__events_beside_and_within_are_paths(simulate, drawn):
    file = drawn(
        start("s"),
        subprocess("sub", start("t"), user("work", groups="window"), timer_boundary("soon", on="work", duration="P1D", interrupting=False), end("told"),
                   end("done"), element("subProcess", "beside", start("asked", message="ask"), end("heard"), flows("asked -> heard"),
                                        attrs={"triggeredByEvent": "true"}), flows("t -> work -> done", "soon -> told")),
        timer_boundary("late", on="sub", duration="P9D"), end("given_up"), end("e"),
        flows("s -> sub -> e", "late -> given_up"),
    )  # fmt: skip

    result = simulate(file)

    assert taken(result) == (5, 5), result.output


def test_simulate__answers_for_the_conditions_of_a_path(simulate, drawn):
    """Of 64 ways to fill the form in, one leads along the path."""
    names = [f"box{place}" for place in range(6)]
    boxes = [{"type": "checkbox", "key": name, "label": name} for name in names]
    wanted = " && ".join(f"{'!' if place % 2 else ''}{name}" for place, name in enumerate(names))
    file = drawn(start("s"), user("ask", form="work", groups="window"), exclusive("rare", default="e"), end("found"), end("e"),
                 flows("s -> ask -> rare -> e", f"rare -> found [${{{wanted}}}]"), fields=boxes)  # fmt: skip

    assert taken(simulate(file)) == (2, 2)


def test_simulate__too_many_paths(simulate, drawn):
    elements, arrows, last = chain(*"abcdfghij")
    file = drawn(start("s"), *elements, end("e"), flows(*arrows, f"{last} -> e"), fields=[option("answer", "yes", "no")])

    result = simulate(file)

    assert taken(result) == (34, 34), result.output
    assert "34 of 34 pairs of choices taken (more than 500 paths: they are not gone one by one)" in result.output


def shuffled(file, seed):
    """The same drawing with other ids, in another order."""
    chance = random.Random(seed)
    tree = ET.parse(file)
    process = tree.getroot().find("{*}process")
    ids = [each.get("id") for each in process.iter() if each.get("id") and each is not process]
    names = {key: f"x{number}" for key, number in zip(ids, chance.sample(range(1000), len(ids)), strict=True)}
    for each in process.iter():
        for name in ("id", "sourceRef", "targetRef", "attachedToRef", "default"):
            if each.get(name) in names:
                each.set(name, names[each.get(name)])
        if each.tag.endswith(("incoming", "outgoing")):
            each.text = names[each.text]
    children = list(process)
    chance.shuffle(children)
    process[:] = children
    tree.write(file)
    return file


def test_simulate__whatever_things_are_called_and_in_whatever_order(simulate, drawn):
    elements, arrows, last = chain("a")
    content = (
        start("s"), *elements, parallel("both"), user("work", groups="window"), timer_boundary("late", on="work", duration="P3D"), end("over"),
        external("register", topic="t"), error_boundary("no", on="register", error="NO"), end("done"), end("e"),
        flows(*arrows, f"{last} -> both -> work -> e", "both -> register -> done", "late -> over", "no -> a"),
    )  # fmt: skip
    file = drawn(*content, fields=[option("answer", "yes", "no")])

    results = [simulate(file), *(simulate(shuffled(file, seed)) for seed in range(2))]

    assert {taken(result) for result in results} == {(8, 8)}
    assert {coverage(result)["p"] for result in results} == {100}


def test_simulate__whatever_the_seed(bare, drawn, monkeypatch):
    """Loops, branches, events beside and within, a path that cannot be: the same is taken, and the same is not."""
    elements, arrows, last = chain("a")
    file = drawn(
        start("s"), *elements, exclusive("h", default="sub"), end("never"), subprocess("sub", start("t"), user("work", groups="window"),
        timer_boundary("soon", on="work", duration="P1D", interrupting=False), end("told"), end("done"), flows("t -> work -> done", "soon -> told")),
        timer_boundary("late", on="sub", duration="P9D"), exclusive("more", default="e"), end("e"), end("over"),
        flows(*arrows, f"{last} -> h -> sub -> more -> e", "h -> never [${answer == 'yes' && answer == 'no'}]", "more -> a [${again}]", "late -> over"),
        fields=[option("answer", "yes", "no")],
    )  # fmt: skip
    monkeypatch.setenv("ONETHING_WORKFLOWS", str(bare))

    with stage.opened(settings.load(), file, 1) as opened:
        found = [walked(opened, seed) for seed in range(10)]

    assert found[1:] == found[:-1]
    assert (len(found[0][0]), len(found[0][1])) == (8, 2)


def walked(opened, seed):
    """Walk through what is tried out on a stage that others have walked on: the paths that were taken, and those that were not."""
    [tried] = opened.tried
    covered = opened.witness.coverage[tried.key] = Coverage(process=tried.coverage.process, stories=tried.coverage.stories)
    walks.through(opened, tried.key, seed=seed)
    return {covered.spoken(path) for path in covered.trails.taken}, {covered.spoken(path) for path in covered.untaken}


def test_simulate__enough_walks_and_what_they_leave_out(simulate, drawn):
    elements, arrows, last = chain("a", "b", "c")
    file = drawn(start("s"), *elements, end("e"), flows(*arrows, f"{last} -> e"), fields=[option("answer", "yes", "no")])

    result = simulate(file, "--walks", 2)

    assert "2 walks of" in result.output
    assert re.search(r"left out: \d+ branches, since enough walks were made; --walks allows more", result.output)
    assert "were left out, since enough walks were made)" in result.output
    assert "left out" not in simulate(file).output


def test_simulate__timer_before_or_after_the_task_is_done(simulate, drawn, tmp_path):
    file = drawn(start("s"), user("work", form="work", groups="window"), timer_boundary("late", on="work", duration="P3D", interrupting=False),
                 end("reminded"), end("e"), flows("s -> work -> e", "late -> reminded"))  # fmt: skip

    simulate(file, "--junit", tmp_path / "j.xml")

    assert sorted(tuple(lines[1:]) for lines in traces(tmp_path / "j.xml")) == [
        (" time passes: late", "clerk completes work"),
        ("clerk completes work",),
    ]


def test_simulate__errors_and_escalations_out_of_tasks(simulate, drawn):
    file = drawn(
        start("s"),
        user("work", form="work", groups="window"),
        error_boundary("broken", on="work", error="BROKEN"),
        boundary("asked", definitions.escalation("ASK"), on="work", interrupting=False),
        end("given_up"),
        end("asked_for"),
        end("e"),
        flows("s -> work -> e", "broken -> given_up", "asked -> asked_for"),
    )

    result = simulate(file)

    assert coverage(result) == {"p": 100}, result.output
    assert "raises the error BROKEN at work  → broken → given_up" in result.output
    assert "raises the escalation ASK at work  → asked → asked_for" in result.output


def test_simulate__says_why_something_was_never_reached(simulate, drawn):
    file = drawn(start("s"), user("work", form="work", groups="window"), error_boundary("broken", on="sub", error="X"), exclusive("never", default="e"),
                 element("subProcess", "sub", start("t"), end("u"), flows("t -> u")), end("e"), end("f"), end("g"),
                 flows("s -> work -> sub -> never -> e", "never -> f [${1 == 2}]", "broken -> g"))  # fmt: skip

    output = simulate(file).output

    assert "never reached: never-f (${1 == 2} was never true)" in output
    assert "never reached: f (no flow to it was ever taken)" in output
    assert "never reached: broken (sub was never left in this way)" in output
    assert "never reached: broken-g (broken was never reached)" in output


def test_simulate__starter_is_reached(simulate, tmp_path):
    folder = starters.create(tmp_path, "open_pharmacy", "开办药店")

    result = simulate(folder, "--min-coverage", 100, "--walks", 60)

    assert result.exit_code == 0, result.output


# What goes wrong ----------------------------------------------------------------------------------------------------------------------


def test_simulate__incident_fails_the_walk(simulate, drawn):
    file = drawn(start("s"), user("work", form="work", groups="window"), exclusive("stuck", name="无路可走"), end("e"), end("f"),
                 flows("s -> work -> stuck", "stuck -> e [${1 == 2}]", "stuck -> f [${1 == 3}]"))  # fmt: skip

    result = simulate(file)

    assert result.exit_code == 1
    assert "failed 无路可走 (stuck) failed: Expected a flow out of stuck to be taken" in result.output


def test_simulate__drawing_that_cannot_run(simulate, drawn):
    file = drawn(start("s"), call("ask", of="nowhere_to_be_found", name="去问"), end("e"), flows("s -> ask -> e"))

    result = simulate(file)

    assert result.exit_code == 1
    assert re.search(r"p\.bpmn:\d+: error: Expected .*\(ask 去问\) \[unknown-process\]", result.output)
    assert "Traceback" not in result.output


@pytest.mark.parametrize("content", [b"", b"<", "文件".encode("utf-16"), b"<a/>"])
def test_simulate__no_drawing_at_all(simulate, tmp_path, content):
    (tmp_path / "p.bpmn").write_bytes(content)

    result = simulate(tmp_path / "p.bpmn")

    assert result.exit_code == 1
    assert result.output.startswith(("Error: p.bpmn:", "Error: Expected"))


def test_simulate__folder_without_drawings(simulate, tmp_path):
    (tmp_path / "empty").mkdir()

    result = simulate(tmp_path / "empty")

    assert result.exit_code == 1
    assert "Expected" in result.output


# Scenarios ----------------------------------------------------------------------------------------------------------------------------


def test_simulate__scenario_that_passes(simulate, tmp_path):
    folder = WORKFLOWS / "open-restaurant"

    result = simulate(folder, "--scenario", folder / "scenarios/all-granted.yaml", "--junit", tmp_path / "j.xml")

    assert result.exit_code == 0, result.output
    assert "告知承诺开店，全部准予" in result.output
    assert "03-04 10:00  officer-market   completes 食品经营许可审批 outcome=granted" in result.output
    assert 0 < coverage(result)["open_restaurant"] < 92
    cases = ET.parse(tmp_path / "j.xml").findall(".//testcase")
    assert [(case.get("name"), case.find("failure")) for case in cases] == [("告知承诺开店，全部准予", None)]


def test_simulate__scenario_that_fails(simulate, tmp_path):
    folder = WORKFLOWS / "open-restaurant"
    told = (folder / "scenarios/all-granted.yaml").read_text().replace("due: {food_permit: 2026-03-16", "due: {food_permit: 2026-03-17")
    (tmp_path / "wrong.yaml").write_text(told)

    result = simulate(folder, "--scenario", tmp_path / "wrong.yaml", "--junit", tmp_path / "j.xml")

    assert result.exit_code == 1
    assert "failed Step 2: Expected the promised due date of food_permit to be 2026-03-17, but found 2026-03-16" in result.output
    suite = ET.parse(tmp_path / "j.xml").find("testsuite")
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert suite.find("testcase/failure").get("message").startswith("Step 2: Expected the promised due date")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("", "to be a scenario, but the file:"),
        ("steps: [", "to be a scenario in YAML, but line 1 cannot be read"),
        (
            "{name: n, at: 2026-03-02T09:00:00+08:00, submit: {}, steps: [{dance: yes}], ends: {outcome: open}}",
            "steps.0.dance: Extra inputs",
        ),
        ("{name: n, at: 2026-03-02T09:00:00+08:00, steps: [], ends: {}}", "it begins with `submit`, or with `start`"),
        ("{name: n, at: noon, submit: {}, steps: [], ends: {outcome: open}}", "but at:"),
    ],
)
def test_simulate__scenario_that_is_none(simulate, tmp_path, told, words):
    (tmp_path / "broken.yaml").write_text(told)

    result = simulate(WORKFLOWS / "open-restaurant", "--scenario", tmp_path / "broken.yaml")

    assert result.exit_code == 1
    assert words in result.output


def test_simulate__scenario_whose_step_is_refused(simulate, tmp_path):
    folder = WORKFLOWS / "open-restaurant"
    told = (
        (folder / "scenarios/all-granted.yaml")
        .read_text()
        .replace("as: officer-fire, complete: 消防承诺审查", "as: officer-urban, complete: 消防承诺审查")
    )
    (tmp_path / "wrong.yaml").write_text(told)

    result = simulate(folder, "--scenario", tmp_path / "wrong.yaml")

    assert result.exit_code == 1
    assert "failed Step 3: Expected officer-urban to have one task 消防承诺审查, but there are none" in result.output


LOAN = """
name: 借书
at: 2026-03-02T09:00:00+08:00
start: {process: p, variables: {days: 30}}
expect: {open: {readers: [选书]}, variables: {days: 30}}
steps:
  - {as: reader, complete: 选书, data: {title: 诗经}}
  - {as: register, perform: 登记, data: {shelf: A1}}
  - {expect: {open: {}, variables: {title: 诗经, shelf: A1}}}
  - {wait_until: 2026-03-05T10:00:00+08:00}
  - {send: returned, data: {late: false}}
ends: {end: back}
"""


@pytest.fixture
def loan(drawn):
    return drawn(
        start("s"),
        user("choose", name="选书", groups="readers"),
        external("note", name="登记", topic="register"),
        error_boundary("no", on="note", error="NO_CARD"),
        end("refused"),
        message_catch("wait", message="returned"),
        end("back"),
        flows("s -> choose -> note -> wait -> back", "no -> refused"),
    )


def test_simulate__scenario_of_a_process_without_a_matter(simulate, loan, tmp_path):
    (tmp_path / "loan.yaml").write_text(LOAN)

    result = simulate(loan, "--scenario", tmp_path / "loan.yaml")

    assert result.exit_code == 0, result.output
    assert "03-05 10:00                   the message returned comes in late=False  → back" in result.output
    assert "never reached: no" in result.output


def test_simulate__open_tasks_by_group(simulate, loan, tmp_path):
    (tmp_path / "loan.yaml").write_text(LOAN[: LOAN.index("steps:")] + "steps: []\nends: {}\n")

    assert "open  readers: 选书" in simulate(loan, "--scenario", tmp_path / "loan.yaml").output


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("ends: {end: back}", "ends: {end: refused}", "Expected the end that was reached to be refused, but found back"),
        (
            "perform: 登记, data: {shelf: A1}",
            "perform: 登记, error: NO_CARD",
            "Step 3: Expected the variable shelf to be A1, but found None",
        ),
        ("complete: 选书", "complete: 还书", "Step 1: Expected 还书 to be open once, but there are ['选书']"),
        ("send: returned", "send: lost", "Step 5: "),
    ],
)
def test_simulate__scenario_of_a_process_that_goes_another_way(simulate, loan, tmp_path, before, after, words):
    (tmp_path / "loan.yaml").write_text(LOAN.replace(before, after))

    result = simulate(loan, "--scenario", tmp_path / "loan.yaml")

    assert result.exit_code == 1
    assert words in result.output


TOUR = """
name: 参观
at: 2026-03-02T09:00:00+08:00
start: {process: p, variables: {group: 7}}
steps:
  - {as: guide, raise_at: 带路, escalation: LATE}
  - {as: guide, raise_at: 带路, error: LOST}
  - {send: found, keys: {group: 7}, data: {place: 东门}}
  - {signal: closing, data: {hour: 17}}
  - {expect: {variables: {place: 东门}}}
ends: {end: home}
"""


@pytest.fixture
def tour(drawn):
    return drawn(
        start("s"),
        user("lead", name="带路", groups="guides"),
        boundary("late", definitions.escalation("LATE"), on="lead", interrupting=False),
        error_boundary("lost", on="lead", error="LOST"),
        message_catch("wait", message="found"),
        element("intermediateCatchEvent", "close", definitions.signal("closing")),
        end("told"),
        end("done"),
        end("home"),
        flows("s -> lead -> done", "late -> told", "lost -> wait -> close -> home"),
    )


def test_simulate__scenario_with_error_escalation_signal_and_keys(simulate, tour, tmp_path):
    (tmp_path / "tour.yaml").write_text(TOUR)

    result = simulate(tour, "--scenario", tmp_path / "tour.yaml")

    assert result.exit_code == 0, result.output
    assert "raises the escalation LATE at 带路  → late → told" in result.output
    assert "raises the error LOST at 带路  → lost → wait" in result.output
    assert "the message found comes in for group=7 place=东门  → close" in result.output
    assert "the signal closing is thrown hour=17  → home" in result.output


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("keys: {group: 7}", "keys: {group: 8}", "failed Step 3: 400: "),
        ("escalation: LATE", "escalation: EARLY", "but nothing in its diagram catches escalation 'EARLY'"),
        ("raise_at: 带路, error: LOST", "raise_at: 带路", "steps.1: Value error, `raise_at` wants an `error` or an `escalation`"),
        ("raise_at: 带路, error: LOST", "error: LOST", "steps.1: Value error, an `error` wants `perform`, or `raise_at`"),
        ("raise_at: 带路, escalation: LATE", "escalation: LATE", "steps.0: Value error, an `escalation` wants `raise_at`"),
        ("send: found, keys", "keys", "steps.2: Value error, `keys` want `send`"),
        ("signal: closing, data: {hour: 17}", "withdraw: tobacco", "step 4 says `withdraw`, which does not go with `start`"),
        ("start: {process: p, variables: {group: 7}}", "submit: {}", "step 1 says `raise_at`, which does not go with `submit`"),
    ],
)
def test_simulate__scenario_whose_step_is_wrong(simulate, tour, tmp_path, before, after, words):
    (tmp_path / "tour.yaml").write_text(TOUR.replace(before, after))

    result = simulate(tour, "--scenario", tmp_path / "tour.yaml")

    assert result.exit_code == 1
    assert words in result.output


# What is written ----------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def permit(bare, tmp_path_factory):
    """An item, walked through once: what was said, and the files that were written."""
    folder = tmp_path_factory.mktemp("permit")
    files = [folder / "j.xml", folder / "food-permit.coverage.html"]
    with contextlib.chdir(folder):
        words = [str(bare / "items/food-permit.bpmn"), "--coverage", "html", "--junit", "j.xml", "--seed", "7"]
        result = CliRunner(env=SETTINGS | {"ONETHING_WORKFLOWS": str(bare)}).invoke(main, ["simulate", *words])
    return result.output, files, words


def test_simulate__same_seed_same_bytes(permit, bare, tmp_path):
    output, files, words = permit
    environ = {k: v for k, v in os.environ.items() if not k.startswith("ONETHING_")}

    # Another process orders its sets in another way.
    environ |= {"PYTHONHASHSEED": str(1 + sys.flags.hash_randomization), "ONETHING_WORKFLOWS": str(bare)}
    run = processes.run([ONETHING, "simulate", *words], cwd=tmp_path, env=environ, capture_output=True, check=True)

    assert [run.stdout.decode(), *((tmp_path / file.name).read_bytes() for file in files)] == [
        output,
        *(file.read_bytes() for file in files),
    ]


def test_simulate__another_seed_other_walks(simulate, permit, bare):
    assert simulate(bare / "items/food-permit.bpmn", "--seed", 8).output != permit[0].rsplit("Drawn in", 1)[0]


def test_simulate__results_for_a_ci(permit):
    suite = ET.parse(permit[1][0]).find("testsuite")

    assert (suite.get("name"), suite.get("failures")) == ("food_permit", "0")
    assert len(suite.findall("testcase")) == int(suite.get("tests")) > 1
    assert suite.find("properties/property").attrib == {"name": "coverage", "value": "100"}
    assert "→ accepted" in suite.find("testcase/system-out").text


def test_simulate__page_with_the_drawing(simulate, tmp_path):
    folder = WORKFLOWS / "open-restaurant"

    simulate(folder, "--scenario", folder / "scenarios/all-granted.yaml", "--coverage", "html")

    page = (tmp_path / "open-restaurant.coverage.html").read_text()
    drawing = ET.fromstring(re.search(r"<svg.*?</svg>", page, re.DOTALL)[0])
    classes = {
        each.find("{*}title").text.split("(")[-1].rstrip(")"): each.get("class") for each in drawing.iter("{http://www.w3.org/2000/svg}g")
    }
    assert classes["intake"] == "userTask reached"
    assert classes["call_tobacco"] == "callActivity missed"
    assert classes["intake_outcome_to_accepted"] == "flow reached"
    assert classes["intake_outcome_to_refused"] == "flow missed"
    assert "告知承诺开店，全部准予" in page
    assert "completes 食品经营许可审批 outcome=granted" in page
    assert not re.search(r"(src|href)=(?!.#)|@import|url\((?!#)", page)


def test_simulate__page_with_the_walks(simulate, drawn, tmp_path):
    file = drawn(start("s"), user("work", form="work", groups="window"), exclusive("never", default="e"), end("e"), end("f"),
                 flows("s -> work -> never -> e", "never -> f [${1 == 2}]"))  # fmt: skip

    simulate(file, "--coverage", "html")

    page = (tmp_path / "p.coverage.html").read_text()
    assert "walk 1: from the start" in page
    assert "${1 == 2} was never true" in page
    assert "<td>1 / 1</td>" in page


def test_simulate__names_are_written_as_they_are(simulate, drawn):
    file = drawn(start("s", name="[red]开始[/]"), end("e"), flows("s -> e"), name="p.bpmn")
    file.write_bytes(file.read_bytes().replace(b'id="p"', 'id="p" name="[bold]危[/]"'.encode()))

    result = simulate(file)

    assert "[bold]危[/] (p): 100 % reached" in result.output
    assert "→ [red]开始[/] → e" in result.output


def test_simulate__names_in_the_drawing_are_escaped(simulate, drawn, tmp_path):
    simulate(drawn(start("s", name="<script>alert(1)</script>"), end("e"), flows("s -> e")), "--coverage", "html")

    page = (tmp_path / "p.coverage.html").read_text()
    assert "<script>" not in page
