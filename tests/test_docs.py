"""The documents: what they link to is there."""

import re
from pathlib import Path

CHECKOUT = Path(__file__).parent.parent
PAGES = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md")]


def test_links__lead_somewhere():
    links = [(page, link) for page in PAGES for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))]

    broken = [f"{page.relative_to(CHECKOUT)}: {link}" for page, link in links if "://" not in link and not (page.parent / link).exists()]

    assert len(links) > 5
    assert broken == []
