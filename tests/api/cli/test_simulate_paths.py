"""`onething simulate`: every way of one token is taken, or it is said why not."""

import json
import random
import re
from xml.etree import ElementTree as ET

import pytest

from api.simulation import stage, walks
from bpmn.simulation.coverage import Coverage
from engine import new_matters, settings
from tests.api.cli.simulating import chain, coverage, option, taken, untaken
from tests.bpmn import definitions
from tests.bpmn.diagrams import (
    boundary,
    element,
    end,
    error_boundary,
    exclusive,
    external,
    flows,
    parallel,
    start,
    subprocess,
    task,
    timer_boundary,
    user,
)


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
    folder = new_matters.create(tmp_path, "open_pharmacy", "开办药店")

    result = simulate(folder, "--min-coverage", 100, "--walks", 60)

    assert result.exit_code == 0, result.output
