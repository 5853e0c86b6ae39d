"""Routes: the rule by which Flask knows an address."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from werkzeug.routing import Rule


class Route(Rule):
    """A route that compiles how its address is put together (`url_for`) only when somebody asks for it, which is rare.

    Werkzeug compiles that for every route at once, which takes nearly all the time that it takes to make an application.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = cache(partial(super()._compile_builder, append_unknown))

        def build(route: Rule, **values: Any) -> tuple[str, str]:
            return compiled()(route, **values)

        return build
