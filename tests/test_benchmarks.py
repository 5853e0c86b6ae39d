"""What a benchmark says it measures is what it does."""

from __future__ import annotations

import pytest

from tests.benchmarks import lists


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_lists__each_page_is_asked_for_itself(database, monkeypatch):
    asked = []
    monkeypatch.setattr(lists, "_furnish", lambda _db: lambda who, path: asked.append((who, path)))
    works = lists.lists(database, size=lists.EACH)
    for name in lists.PAGES:
        assert [work() for work in works[name]] == [None] * lists.EACH
    assert asked == [page for page in lists.PAGES.values() for _ in range(lists.EACH)]
