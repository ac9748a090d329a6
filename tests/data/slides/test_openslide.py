"""NDPI and MRXS, from files that are written here and that OpenSlide knows as such."""

from __future__ import annotations

import re

import numpy as np
import openslide
import pytest

from mrxs_writer import DATA, INDEX, SIDE, cut, shrunk, write_mrxs
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.slides.any_image import read_any_header
from napari_snow_unet.data.slides.slide import may_be_slide, open_slide
from napari_snow_unet.data.synthetic import generate_tile
from ndpi_writer import MACRO, MAP, NdpiImage, write_ndpi

UM = (0.24, 0.25)  # height and width of a pixel
OVERLAP = 16
LINEN = (250, 240, 230)


@pytest.fixture(scope="module")
def pixels():
    return np.tile(generate_tile(1, size=512).image, (3, 3, 1))[:1152, :1536]


@pytest.fixture
def ndpi(pixels, tmp_path):
    """Two levels, the full one with restart markers, and what is not a level."""
    foreign = np.full((1152, 1536, 3), 90, np.uint8)
    images = [
        NdpiImage(pixels, 40, block=128),
        NdpiImage(foreign, 40, focal_plane=1500, block=128),
        NdpiImage(pixels[::4, ::4], 10),
        NdpiImage(foreign[:104, :304], MACRO),
        NdpiImage(foreign[:56, :104], MAP),
    ]
    return write_ndpi(tmp_path / "a.ndpi", images, UM)


@pytest.fixture
def mrxs(pixels, tmp_path):
    tiles, grid = cut(pixels, OVERLAP)
    return write_mrxs(tmp_path / "a.mrxs", tiles, grid, overlap=OVERLAP, um=UM)


def assert_alike(read, written):
    """Check that pixels are those before JPEG, whose quality is the highest here."""
    read = np.asarray(read)
    assert read.shape == written.shape
    difference = np.abs(read.astype(int) - written)
    assert difference.max() <= 5
    assert difference.mean() < 0.75


def test_an_ndpi_is_its_pixels_at_every_level_with_their_size(ndpi, pixels):
    assert openslide.OpenSlide.detect_format(ndpi) == "hamamatsu"
    assert may_be_slide(ndpi)
    slide = open_slide(ndpi)
    assert slide.spacing_um == pytest.approx(UM)
    assert (slide.rgb, slide.size) == (True, (1152, 1536))
    assert_alike(slide.levels[0].compute(), pixels)
    assert_alike(slide.levels[2].compute(), pixels[::4, ::4])
    corner = slide.levels[0][1020:1150, 1400:1530]  # over the edge of a chunk's last row
    assert_alike(corner.compute(), pixels[1020:1150, 1400:1530])
    header = read_any_header(ndpi)
    assert header.size == (1152, 1536)


def test_levels_of_an_ndpi_are_halves_without_macro_map_and_other_focal_planes(ndpi, pixels):
    with openslide.OpenSlide(ndpi) as opened:
        assert list(opened.associated_images) == ["macro"]
    slide = open_slide(ndpi)  # OpenSlide halves what a JPEG has, down to an eighth
    halves = [(1152 // 2**number, 1536 // 2**number, 3) for number in range(6)]
    assert [level.shape for level in slide.levels] == halves
    difference = np.abs(slide.levels[1].compute().astype(int) - shrunk(pixels, 2))
    assert difference.mean() < 2
    for level in slide.levels:  # what is no level is of one grey
        assert level.compute().std() > 10


def test_an_ndpi_wider_than_a_jpeg_can_be_is_read_far_from_its_origin(tmp_path):
    column, row = np.arange(71_680), np.arange(64)[:, None]
    wide = np.empty((64, 71_680, 3), np.uint8)
    wide[..., 0], wide[..., 1], wide[..., 2] = column // 512, column % 512 // 4, row * 3
    path = write_ndpi(tmp_path / "wide.ndpi", [NdpiImage(wide, 20, block=512)])
    slide = open_slide(path)
    widths = [level.shape[1] for level in slide.levels]
    assert widths == [71_680, 35_840, 17_920, 8_960, 4_480, 2_240]  # by OpenSlide down to 8,960
    region = np.s_[40:60, 70_000:70_100]
    assert_alike(slide.levels[0][region].compute(), wide[region])


def test_damage_in_an_ndpi_is_told_where_it_is_looked_at_and_the_rest_is_read(ndpi, pixels):
    content = ndpi.read_bytes()
    start = content.index(b"\xff\xd0")  # of the full resolution, whose blocks are 8 pixels high
    assert start < 20_000
    ndpi.write_bytes(content[:start] + bytes(20_000) + content[start + 20_000 :])
    slide = open_slide(ndpi)
    assert_alike(slide.levels[0][1030:1100, 1030:1100].compute(), pixels[1030:1100, 1030:1100])
    with pytest.raises(InputError, match=r"a\.ndpi.*damaged"):
        slide.levels[0][:10, :300].compute()
    assert_alike(slide.levels[0][1030:1100, 1030:1100].compute(), pixels[1030:1100, 1030:1100])


def test_an_mrxs_is_its_pixels_at_every_level_with_their_size(mrxs, pixels):
    assert openslide.OpenSlide.detect_format(mrxs) == "mirax"
    assert may_be_slide(mrxs)
    slide = open_slide(mrxs)
    assert slide.spacing_um == UM
    size = (SIDE + 3 * (SIDE - OVERLAP), SIDE + 5 * (SIDE - OVERLAP))  # 4 x 6 pictures
    assert (slide.rgb, slide.size, len(slide.levels)) == (True, size, 3)
    whole = pixels[: size[0], : size[1]]
    for number, level in enumerate(slide.levels):
        assert_alike(level.compute(), shrunk(whole, 2**number))
    assert_alike(slide.levels[0][950:970, 1400:1450].compute(), pixels[950:970, 1400:1450])
    assert read_any_header(mrxs).size == size


@pytest.mark.parametrize(("fill", "colour"), [("FFFFFF", (255, 255, 255)), ("FAF0E6", LINEN)])
def test_tiles_that_an_mrxs_lacks_have_its_background_at_every_level(
    fill, colour, pixels, tmp_path
):
    tiles, grid = cut(pixels)
    left_out = [(0, 0), (2, 3), (3, 5)]
    for place in left_out:
        del tiles[place]
    slide = open_slide(write_mrxs(tmp_path / "a.mrxs", tiles, grid, fill=fill))
    expected = pixels[: SIDE * grid[0], : SIDE * grid[1]].copy()
    for row, column in left_out:
        expected[row * SIDE :, column * SIDE :][:SIDE, :SIDE] = colour
    for number, level in enumerate(slide.levels):
        assert_alike(level.compute(), shrunk(expected, 2**number))


def test_a_large_mrxs_with_one_tile_is_read_far_from_its_origin(pixels, tmp_path):
    tile = pixels[:SIDE, :SIDE]
    path = write_mrxs(tmp_path / "large.mrxs", {(190, 180): tile}, (200, 200))
    slide = open_slide(path)
    sides = [level.shape[:2] for level in slide.levels]
    assert sides[:3] == [(51_200, 51_200), (25_600, 25_600), (12_800, 12_800)]
    assert sides[-1] == (3_200, 3_200)  # halved here until a screen holds it
    top, left = 190 * SIDE, 180 * SIDE
    assert_alike(slide.levels[0][top:, left:][:SIDE, :SIDE].compute(), tile)
    assert (slide.levels[0][top - 9 : top, left : left + 9].compute() == 255).all()
    assert_alike(slide.levels[2][top // 4 :, left // 4 :][:64, :64].compute(), shrunk(tile, 4))


def refused(path):
    """Return why a slide is not opened."""
    with pytest.raises(InputError) as caught:
        open_slide(path)
    assert caught.value.path == path
    return caught.value


def test_an_mrxs_without_its_folder_is_refused_in_one_sentence(mrxs):
    (mrxs.parent / "a" / "Slidedat.ini").unlink()
    error = refused(mrxs)
    assert re.search("folder a .*Slidedat.ini", error.message.problem)
    (mrxs.parent / "a").rename(mrxs.parent / "b")
    error = refused(mrxs)
    assert re.search("folder a .*missing", error.message.problem)
    assert str(error).startswith(str(mrxs))


def test_an_mrxs_in_capitals_is_to_be_renamed(mrxs):
    error = refused(mrxs.rename(mrxs.with_suffix(".MRXS")))
    assert ".MRXS" in error.message.problem
    assert "small letters" in error.message.remedy


@pytest.mark.parametrize("name", [DATA, INDEX])
def test_an_mrxs_whose_folder_lacks_a_file_names_it(name, mrxs):
    (mrxs.parent / "a" / name).unlink()
    assert name in refused(mrxs).message.problem
