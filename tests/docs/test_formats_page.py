"""What docs/formats.md says of formats and columns."""

from __future__ import annotations

import pytest

from napari_snow_unet.data.formats.measurements import measure_nuclei
from napari_snow_unet.data.formats.registry import FORMATS
from napari_snow_unet.data.synthetic import generate_tile


@pytest.fixture
def page(repository):
    return (repository / "docs" / "formats.md").read_text(encoding="utf-8")


def test_the_page_names_every_format_and_column(page):
    tile = generate_tile(1, size=128)
    table = measure_nuclei(tile.labels, tile.image, tile.labels.astype("uint8"), (1.0, 1.0))
    for word in (*(f".{name}" for name in FORMATS), *table):
        assert f"`{word}`" in page, word
