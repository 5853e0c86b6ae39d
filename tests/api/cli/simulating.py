"""Tries drawings out with `onething simulate`, for tests."""

import json
import os
import re
import shutil

import pytest
from click.testing import CliRunner

from api.cli import main
from tests.bpmn.diagrams import (
    diagram,
    exclusive,
    task,
    user,
)
from tests.hall import WORKFLOWS

COVERED = re.compile(r"\((\w+)\): (\d+) % reached")


SETTINGS = {name: None for name in os.environ if name.startswith("ONETHING_")} | {"ONETHING_WORKFLOWS": str(WORKFLOWS)}


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
