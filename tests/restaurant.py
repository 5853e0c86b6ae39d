"""What somebody who opens a restaurant answers and hands in."""

from __future__ import annotations

from tests.acceptance import applicants

ANSWERS = applicants.ANSWERS | {"q_raw": ["无"]}
#: Everything that these answers ask for.
MATERIALS = applicants.MATERIALS
ITEMS = ("business_licence_check", "food_permit", "fire_check_commit")


def without(*codes: str) -> list[str]:
    """All materials but these."""
    return [code for code in MATERIALS if code not in codes]
