"""`onething simulate`: drawings are tried out on the real engine, in memory."""

import contextlib
import os
import re
import subprocess as processes
import sys
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from api.cli import main
from tests.api.cli.conftest import ONETHING
from tests.api.cli.simulating import SETTINGS, coverage, untaken
from tests.bpmn.diagrams import (
    call,
    end,
    exclusive,
    flows,
    start,
    user,
)
from tests.hall import WORKFLOWS

#: With the paths that no case can take: who joins a bundle that runs does not begin one, and the other way round.
SHIPPED = {"newborn": 14, "post-check": 0, "single-item": 0, "items": 0}


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
    assert "70 of 84 paths taken, 14 impossible" in restaurant.output
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
