from dataclasses import replace

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pixels.channels import CHANNELS, network_input
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.unet.runs.dataset import open_training_set
from napari_snow_unet.unet.runs.tiles import TrainingTile
from napari_snow_unet.unet.training.tile_reader import IGNORED, TileReader


def tile_of(folder, number=0, region=None):
    name = f"d{number}"
    image, mask = folder / "images" / f"{name}.png", folder / "masks" / f"{name}.png"
    return TrainingTile(name, image, mask, region, 48, 48)


@pytest.mark.parametrize("channel", CHANNELS)
def test_the_pixels_are_those_the_network_will_be_given_later(discs, channel):
    tile = tile_of(discs)
    arrays = TileReader(channel).read(tile)
    expected = network_input(read_image(tile.image).array, channel)
    assert np.abs(arrays.pixels / 255 - expected).max() <= 0.5 / 255 + 1e-6
    if channel != "hematoxylin" and channel != "grey":
        assert np.array_equal(arrays.pixels.astype(np.float32) / np.float32(255), expected)


def test_every_label_is_nucleus_and_what_nobody_annotated_is_marked(discs, tmp_path):
    region = np.zeros((48, 48), np.int32)
    region[:, :20] = 255
    path = write_labels(tmp_path / "r.png", region)
    whole, part = (TileReader("red").read(tile_of(discs, region=r)).truth for r in (None, path))
    assert set(np.unique(whole)) == {0, 1}
    assert (part[:, 20:] == IGNORED).all()
    assert np.array_equal(part[:, :20], whole[:, :20])


def test_twelve_and_sixteen_bits_are_brought_to_eight(tmp_path):
    import tifffile

    ramp = np.linspace(0, 65535, 16 * 16).reshape(16, 16).astype(np.uint16)
    (tmp_path / "images").mkdir()
    tifffile.imwrite(tmp_path / "images" / "t.tif", ramp)
    write_labels(tmp_path / "m.png", np.ones((16, 16), np.int32))
    tile = TrainingTile("t", tmp_path / "images" / "t.tif", tmp_path / "m.png", None, 16, 16)
    pixels = TileReader("red").read(tile).pixels[..., 0]
    assert np.array_equal(pixels, np.rint(ramp / 65535 * 255).astype(np.uint8))


def test_no_more_is_kept_than_the_bound(discs):
    one = 48 * 48 * 2
    reader = TileReader("red", cache_bytes=2 * one + one // 2)
    first = [reader.read(tile_of(discs, number)) for number in range(5)]
    again = [reader.read(tile_of(discs, number)) for number in range(5)]
    kept = [a is b for a, b in zip(first, again, strict=True)]
    assert kept == [True, True, False, False, False]
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.pixels, b.pixels)


def test_colours_are_kept_where_they_are_to_be_varied(discs):
    tile = tile_of(discs)
    pixels = TileReader("red", in_colour=True).read(tile).pixels
    assert np.array_equal(pixels, read_image(tile.image).array)


def test_a_mask_of_another_size_is_refused_by_name(discs, tmp_path):
    path = write_labels(tmp_path / "small.png", np.zeros((40, 48), np.int32))
    tile = TrainingTile("d0", discs / "images" / "d0.png", path, None, 48, 48)
    with pytest.raises(InputError, match=r"small\.png.*40 x 48.*48 x 48"):
        TileReader("red").read(tile)
    region = replace(tile, mask=discs / "masks" / "d0.png", region=path)
    with pytest.raises(InputError, match=r"small\.png.*40 x 48.*48 x 48"):
        TileReader("red").read(region)


def test_an_image_without_colours_serves_every_channel(tmp_path, discs):
    grey = read_image(discs / "images" / "d0.png").array[..., 0]
    write_image(tmp_path / "images" / "d0.png", grey)
    write_image(tmp_path / "images" / "d1.png", grey)
    for number in range(2):
        write_labels(tmp_path / "masks" / f"d{number}.png", np.ones((48, 48), np.int32))
    tile = open_training_set(tmp_path).train[0]
    for channel, planes in (("red", 1), ("rgb", 3)):
        pixels = TileReader(channel).read(tile).pixels
        assert pixels.shape == (48, 48, planes)
        assert (pixels == grey[..., None]).all()
