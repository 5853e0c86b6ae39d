"""Tenants: an installation is one, named by the division code of its place, or not at all."""

from __future__ import annotations

from api import parts
from engine.errors import InvalidInput


def require(tenant: str | None) -> None:
    """Refuse another tenant."""
    here = parts.settings().region
    if tenant and tenant != here:
        raise InvalidInput(f"Expected no tenant, or {here} (this installation), but it is {tenant!r:.80}")
