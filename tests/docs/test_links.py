"""Links between the pages lead to a page, and to a heading of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


def anchors_of(text):
    """Return the anchors of a page, as GitHub makes them of headings, and explicit ones."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.strip().lower()) for heading in headings)
    return {line.replace(" ", "-") for line in plain} | set(re.findall(r'<a id="([^"]+)"', text))


def lost_links(page):
    lost = []
    for name, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        target = page.parent / name if name else page
        if not target.exists():
            lost.append(name)
        elif anchor and anchor not in anchors_of(target.read_text(encoding="utf-8")):
            lost.append(f"{name}#{anchor}")
    return lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page):
    assert lost_links(page) == []


def test_a_lost_page_and_a_lost_heading_are_noticed(tmp_path):
    (tmp_path / "a.md").write_text('# Here & there\n\n<a id="old-name"></a>\n')
    page = tmp_path / "b.md"
    page.write_text("[1](a.md#here--there) [2](a.md#old-name) [3](a.md#new) [4](c.md) [5](#x)")
    assert lost_links(page) == ["a.md#new", "c.md", "#x"]


def test_pages_for_maintainers_are_linked_from_a_page():
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    for page in (ROOT / "docs" / "maintainers").glob("*.md"):
        assert any(f"maintainers/{page.name})" in text for text in texts), page.name
