"""Tenants: an installation is one tenant.  A request names it by the division code of its place, or does not name it."""

from __future__ import annotations

from collections.abc import Sequence

from api import parts
from engine.errors import InvalidInput


def require(tenant: str | None) -> None:
    """Raise InvalidInput when another tenant is named than this installation."""
    require_among([tenant or ""])


def require_among(tenants: Sequence[str]) -> None:
    """Raise InvalidInput when tenants are named and this one is not among them; a program that serves several names them all."""
    here, named = parts.settings().region, [tenant for tenant in tenants if tenant]
    if named and here not in named:
        raise InvalidInput(f"Expected no tenant, or {here} (this installation), but it is {', '.join(named)!r:.80}")
