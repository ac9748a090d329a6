import pytest

import napari_snow_unet as snow
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.synthetic import generate_tile


@pytest.fixture(scope="session")
def tile():
    return generate_tile(3, size=192)


@pytest.fixture
def place(tile, tmp_path, monkeypatch):
    """Work in a folder with a tile, its truth, and eight small pairs of image and mask."""
    monkeypatch.chdir(tmp_path)
    write_image("tile.png", tile.image)
    snow.write_labels("truth.png", tile.labels)
    for number in range(8):
        pair = generate_tile(number + 1, size=96)
        write_image(f"images/{number}.png", pair.image)
        snow.write_labels(f"masks/{number}.png", pair.labels)
    return tmp_path


@pytest.fixture
def result(place):
    return snow.segment("tile.png", "classical", pixel_size_um=0.25)
