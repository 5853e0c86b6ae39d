"""The compiled form: what is read again is what was compiled, to the last expression; what another compiler wrote is never read."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpmn import compiled, compiler, expressions, forms
from bpmn.definition import Definition
from bpmn.errors import DocumentError, ExpressionError
from bpmn.expressions import expression
from tests.bpmn import everything

CHECKOUT = Path(__file__).parents[2]
DIAGRAMS = sorted(path for folder in ("workflows", "tests") for path in (CHECKOUT / folder).rglob("*.bpmn"))
FORMS = sorted((CHECKOUT / "workflows").rglob("*.form"))


def runnable(content):
    """Give the processes of a diagram as far as it can run at all."""
    found = compiler.examine(content, "a.bpmn")
    return list(found.definitions) or list(found.drawn)


def through(value):
    return compiled.read(compiled.write(value))


@pytest.mark.parametrize("drawing", [everything.EVERYTHING, everything.THE_REST])
def test_read__everything_that_the_compiler_reads(drawing):
    before = runnable(drawing.encode())

    after = through(before)

    assert after == before
    assert all(type(process) is Definition for process in after)
    assert [process.starts() for process in after] == [process.starts() for process in before]


def test_read__every_diagram_there_is():
    assert len(DIAGRAMS) > 200
    for path in DIAGRAMS:
        try:
            before = runnable(path.read_bytes())
        except DocumentError:  # no diagram at all: a test of what is refused
            continue
        assert through(before) == before, path


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_read__forms(path):
    form = forms.parse_form(path.read_bytes(), path.name)

    assert through(form) == form


def test_read__what_looks_like_ours():
    assert through({"": "Element", "of": [1, ("a", None)]}) == {"": "Element", "of": [1, ("a", None)]}


@pytest.mark.parametrize("source", ["text", "${a + 1}", "=a + 1", "= a + 1", "x ${a} y", "a + 1"])
def test_read__an_expression(source):
    """It is parsed when it is first evaluated, once."""
    before = expressions.parse_feel(source) if source == "a + 1" else expressions.parse(source)

    after = through(before)

    assert (after, after.names, after.calls) == (before, before.names, before.calls)
    unparsed = after.run
    assert after.evaluate({"a": 2}) == before.evaluate({"a": 2})
    assert after.run is not unparsed
    assert after.evaluate({"a": 3}) == before.evaluate({"a": 3})


def test_read__an_expression_that_fails():
    before = expressions.parse("${b}")

    with pytest.raises(ExpressionError) as told:
        before.evaluate({})
    with pytest.raises(ExpressionError) as told_again:
        through(before).evaluate({})

    assert str(told_again.value) == str(told.value)


def test_later__says_the_same_of_itself():
    assert expression.later("${f(a)}", "juel", ["a"], ["f"]) == expressions.parse("${f(a)}")


def test_fingerprint__of_the_compiler_and_nothing_else():
    assert compiled.fingerprint() == compiled.fingerprint()
    assert len(compiled.fingerprint()) == 64
