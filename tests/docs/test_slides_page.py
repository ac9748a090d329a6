"""What docs/look_at_slides.md says of formats."""

from __future__ import annotations

import pytest

from napari_snow_unet.data.slides.slide import LARGEST_WHOLE, SCANNER_SUFFIXES, TIFF_SUFFIXES


@pytest.fixture
def page(repository):
    return (repository / "docs" / "look_at_slides.md").read_text(encoding="utf-8")


def test_the_page_names_every_ending_and_the_limit(page):
    for suffix in (*SCANNER_SUFFIXES, *TIFF_SUFFIXES):
        assert f"`{suffix}`" in page, suffix
    assert f"{LARGEST_WHOLE // 1_000_000} million" in page
