"""Folders become deployments."""

import pytest

from engine import folders
from engine.errors import InvalidInput


def write(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_read__folder_of_matters(tmp_path):
    write(tmp_path, "birth/birth.bpmn", "birth/items.dmn", "birth/scenarios/one.yaml", "items/fire/fire.bpmn", "items/food/food.bpmn")
    write(tmp_path, "calendars/2026.json", "items/.camunda/element-templates/item.json")

    read = folders.read([tmp_path])

    assert [folder.name for folder in read] == ["fire", "food", "birth"]
    assert read[2].resources == {"birth.bpmn": b"birth/birth.bpmn", "items.dmn": b"birth/items.dmn"}


def test_read__single_files(tmp_path):
    write(tmp_path, "birth/birth.bpmn", "birth/intake.form", "birth/other.bpmn")

    (read,) = folders.read([tmp_path / "birth" / "birth.bpmn", tmp_path / "birth" / "intake.form"])

    assert (read.name, sorted(read.resources)) == ("birth", ["birth.bpmn", "intake.form"])


def test_read__same_folder_twice(tmp_path):
    write(tmp_path, "birth/birth.bpmn")

    assert len(folders.read([tmp_path, tmp_path / "birth", tmp_path / "birth" / "birth.bpmn"])) == 1


@pytest.mark.parametrize("name", ["nowhere", "empty", "notes.txt"])
def test_read__nothing_to_deploy(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("notes")

    with pytest.raises(InvalidInput, match=f"Expected .+{name}.*, but there"):
        folders.read([tmp_path / name])


def test_read__what_is_called_comes_first(tmp_path):
    """Wherever the items of a matter lie, they are deployed before it; folders that call one another come all the same."""
    for name, process, called in [
        ("gas", "matter", "permit"),
        ("gas-items", "permit", "check"),
        ("z", "check", "matter"),
        ("a", "alone", "none"),
    ]:
        (tmp_path / name).mkdir()
        drawn = f'<bpmn:process isExecutable="true" id="{process}" name="p"><bpmn:callActivity id="c" calledElement="{called}" />'
        (tmp_path / name / "p.bpmn").write_text(drawn)

    read = folders.read([tmp_path / "gas", tmp_path])

    assert [folder.name for folder in read] == ["a", "z", "gas-items", "gas"]
