"""What is installed is what was declared: pinned, hashed, and from wherever the machine usually takes its packages."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parent.parent
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = PROJECT["project"]["dependencies"]
DEV = RUNTIME + PROJECT["project"]["optional-dependencies"]["dev"]
BUILD = PROJECT["build-system"]["requires"]


def pinned(name):
    """Versions by name."""
    text = (CHECKOUT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return {canonicalize_name(found[1]): found[2] for found in re.finditer(r"^([\w.-]+)(?:\[\w+\])?==([^\s;]+)", text, re.MULTILINE)}


@pytest.mark.parametrize(("name", "declared"), [("runtime", RUNTIME), ("dev", DEV), ("build", BUILD)])
def test_requirements__pin_what_is_declared(name, declared):
    versions = pinned(name)

    for requirement in map(Requirement, declared):
        version = versions.get(canonicalize_name(requirement.name))
        assert version in requirement.specifier, f"Expected {requirement}, but {name}.txt has {version}: make requirements"


def test_requirements__of_development_are_those_of_the_runtime_and_more():
    assert pinned("runtime").items() <= pinned("dev").items()


@pytest.mark.parametrize("requirement", [*DEV, *BUILD])
def test_dependencies__have_both_bounds(requirement):
    operators = {specifier.operator for specifier in Requirement(requirement).specifier}

    assert operators in ({"=="}, {">=", "<"})


@pytest.mark.parametrize("name", ["runtime", "dev", "build"])
def test_requirements__have_hashes_and_no_address(name):
    text = (CHECKOUT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")

    blocks = re.split(r"^(?=[\w.-]+(?:\[\w+\])?==)", text, flags=re.MULTILINE)[1:]

    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text


def test_files__name_no_index():
    ours = [path for pattern in ("*", "requirements/*", ".ci/*", "tests/moddle/*") for path in CHECKOUT.glob(pattern) if path.is_file()]

    found = [path.name for path in ours if re.search(rb"pypi\.org|pythonhosted|npmjs|\"resolved\"|--index-url", path.read_bytes())]

    assert "Makefile" in {path.name for path in ours}
    assert found == []
