"""Tenants: an installation is one, named by the division code of its place, or not at all."""

from __future__ import annotations

from collections.abc import Sequence

from api import parts
from engine.errors import InvalidInput


def require(tenant: str | None) -> None:
    """Refuse another tenant."""
    require_among([tenant or ""])


def require_among(tenants: Sequence[str]) -> None:
    """Refuse tenants none of which is this one: a program that serves several says so of each."""
    here, named = parts.settings().region, [tenant for tenant in tenants if tenant]
    if named and here not in named:
        raise InvalidInput(f"Expected no tenant, or {here} (this installation), but it is {', '.join(named)!r:.80}")
