"""Routes: how Flask knows them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from werkzeug.routing import Rule


class Route(Rule):
    """A route that learns how to put its address together when somebody asks for that: hardly any is ever asked.

    Werkzeug compiles it for each route, which takes nearly all the time that an application takes to be made.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = cache(partial(super()._compile_builder, append_unknown))

        def build(route: Rule, **values: Any) -> tuple[str, str]:
            return compiled()(route, **values)

        return build
