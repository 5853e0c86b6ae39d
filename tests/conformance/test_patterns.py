"""The page about workflow patterns says what the cases show."""

from __future__ import annotations

import pytest

from bpmn import compiler
from bpmn.errors import DocumentError
from tests.bpmn.diagrams import diagram, element, end, flows, start, user
from tests.conformance import patterns

PAGE = patterns.HERE.parents[1] / "docs/reference/patterns.md"


def test_page__is_current():
    assert PAGE.read_text(encoding="utf-8") == patterns.write(), "run `python -m tests.conformance.patterns > docs/reference/patterns.md`"


def test_page__has_all_43_patterns():
    assert [pattern.number for pattern in patterns.read()] == list(range(1, 44))


def test_page__what_runs_is_drawn_and_the_rest_is_not():
    found = patterns.read()

    assert {pattern.verdict for pattern in found} == set(patterns.VERDICTS)
    assert [pattern.name for pattern in found if pattern.drawn != pattern.verdict.startswith("Runs")] == []


@pytest.mark.parametrize("kind", ["complexGateway", "adHocSubProcess"])
def test_page__what_is_refused_would_need_an_element_that_is(kind):
    inside = [start("i"), user("t"), end("o"), flows("i -> t -> o")] if kind == "adHocSubProcess" else []

    with pytest.raises(DocumentError, match="not supported"):
        compiler.compile(diagram(start("s"), element(kind, "x", *inside), end("e"), flows("s -> x -> e")), "case.bpmn")
