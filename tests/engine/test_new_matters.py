"""Starters: what `onething new` makes is sound from the first moment."""

import pytest

from engine import checks, folders, new_matters
from engine.errors import InvalidInput, InvalidState
from tests.bpmn import modeler
from tests.bpmn.test_modeler import meaning
from tests.hall import WORKFLOWS


def test_create__lints_clean(tmp_path):
    """Beside the shipped items and the element templates, too."""
    (tmp_path / ".camunda").symlink_to(WORKFLOWS / ".camunda")

    folder = new_matters.create(tmp_path, "open_pharmacy", "开办药店")

    assert list(checks.check(folders.read([folder]))) == []
    located = list(checks.check(folders.read([WORKFLOWS, folder])))
    assert [each for each in located if folder in each.path.parents] == []


def test_create__takes_key_and_name(tmp_path):
    folder = new_matters.create(tmp_path, "open_pharmacy", "开办药店")

    texts = [file.read_text(encoding="utf-8") for file in folder.rglob("*.*")]
    assert folder == tmp_path / "open-pharmacy"
    assert {file.name for file in folder.glob("*.bpmn")} == {f"open-pharmacy{what}.bpmn" for what in ("", "-first", "-second")}
    assert not any(word in text for text in texts for word in (new_matters.KEY, new_matters.NAME))
    assert any('id="open_pharmacy" name="开办药店"' in text for text in texts)


def test_create__camunda_modeler_reads_it(tmp_path):
    folder = new_matters.create(tmp_path, "open_pharmacy", "开办药店")

    diagrams = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.bpmn")}
    for name, saved in modeler.save(diagrams).items():
        assert saved["warnings"] == []
        assert meaning(saved["xml"]) == meaning(diagrams[name])


def test_create__there_already(tmp_path):
    new_matters.create(tmp_path, "open_pharmacy", "开办药店")

    with pytest.raises(InvalidState, match="but it is there already"):
        new_matters.create(tmp_path, "open_pharmacy", "开办药店")


@pytest.mark.parametrize("key", ["", "Open", "1st", "open-pharmacy", "open__pharmacy", "_open", "open_", "../open", "开办药店", "a\n"])
def test_create__bad_key(tmp_path, key):
    with pytest.raises(InvalidInput, match="Expected a key of small letters"):
        new_matters.create(tmp_path, key, "开办药店")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", " ", "<b>", 'a"b', "a&b", "a\\b", "a\nb"])
def test_create__bad_name(tmp_path, name):
    with pytest.raises(InvalidInput, match="Expected a name that people read"):
        new_matters.create(tmp_path, "open_pharmacy", name)

    assert list(tmp_path.iterdir()) == []
