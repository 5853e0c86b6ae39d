"""Effort is that of what is run, and nobody else's."""

from __future__ import annotations

import gc

from tests import effort


class Circle:
    """What knows itself stays until Python looks for such circles, and then says that it goes."""

    def __init__(self):
        self.itself = self

    def __del__(self):
        self.itself = None


def make_many():
    """Make so much that Python would look for circles."""
    return [[] for _ in range(10 * gc.get_threshold()[0])]


def test_calls__not_those_of_what_others_have_left():
    alone = effort.calls(make_many)
    gc.disable()
    for _ in range(10):
        Circle()
    gc.enable()

    assert effort.calls(make_many) == alone
    assert gc.isenabled()
