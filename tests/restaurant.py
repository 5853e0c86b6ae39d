"""What somebody who opens a restaurant answers and hands in."""

from __future__ import annotations

ANSWERS = {
    "q_scale": "餐饮服务经营者",
    "q_area": 120,
    "q_fire_mode": "告知承诺",
    "q_signboard": "否",
    "q_tobacco": "否",
    "q_fumes": "否",
    "q_gas": "电",
    "q_drain": "否",
    "q_music": ["无"],
    "q_raw": ["无"],
}
#: Everything that these answers ask for.
MATERIALS = ("m_layout_food", "m_food_rules", "m_evac", "m_plan", "m_fireplan", "m_fire_rules", "m_premises")
ITEMS = ("business_licence_check", "food_permit", "fire_check_commit")


def without(*codes: str) -> list[str]:
    """All materials but these."""
    return [code for code in MATERIALS if code not in codes]
