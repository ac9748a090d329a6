"""Pictures as their own viewers show them, whatever file holds them."""

from __future__ import annotations

import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels import messages
from napari_snow_unet.data.pixels.channels import CHANNELS, network_input, to_rgb8
from napari_snow_unet.data.pixels.images import read_header, read_image
from napari_snow_unet.data.pixels.value_range import value_range
from napari_snow_unet.data.slides.slide import open_slide

RNG = np.random.default_rng(5)
RGB = RNG.integers(0, 256, (12, 17, 3), np.uint8)
GREY = RGB[..., 0]
DEEP = RNG.integers(0, 4096, (12, 17, 3), np.uint16)


def written(path, pixels, **how):
    tifffile.imwrite(path, pixels, **how)
    return path


def png_with(path, pixels, *chunks, late=False):
    """Write a PNG with further chunks behind its header, or behind its pixels."""
    data = imagecodecs.png_encode(pixels)
    more = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    at = len(data) - 12 if late else 33
    path.write_bytes(data[:at] + more + data[at:])
    return path


PICTURES = st.sampled_from([(), (2,), (3,), (4,)]).flatmap(
    lambda bands: st.sampled_from([np.uint8, np.uint16]).flatmap(
        lambda dtype: hnp.arrays(dtype, (6, 7, *bands))
    )
)


@settings(max_examples=60, deadline=None)
@given(pixels=PICTURES)
def test_a_png_and_a_tiff_of_one_picture_give_one_answer(tmp_path_factory, pixels):
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "a.png").write_bytes(imagecodecs.png_encode(pixels))
    how = {"photometric": "rgb" if pixels.shape[2:] in ((3,), (4,)) else "minisblack"}
    if pixels.shape[2:] == (2,):
        how |= {"planarconfig": "contig", "extrasamples": ["unassalpha"]}
    png, tif = read_image(folder / "a.png"), read_image(written(folder / "a.tif", pixels, **how))
    assert png.array.dtype == tif.array.dtype == pixels.dtype
    assert np.array_equal(png.array, tif.array)
    values = value_range(png.array)
    assert values == value_range(tif.array)
    assert np.array_equal(to_rgb8(png.array, values), to_rgb8(tif.array, values))
    for channel in CHANNELS:
        inputs = [network_input(read.array, channel, values) for read in (png, tif)]
        assert np.array_equal(*inputs)
        assert inputs[0].min() >= 0
        assert inputs[0].max() <= 1


@pytest.mark.parametrize(
    "shape",
    [(12, 17, 1), (1, 12, 17), (12, 1, 17), (1, 12, 17, 1), (1, 1, 12, 17)],
)
@pytest.mark.parametrize("how", [{}, {"metadata": None}])
def test_axes_of_length_1_are_dropped(tmp_path, shape, how):
    path = written(tmp_path / "a.tif", GREY.reshape(shape), photometric="minisblack", **how)
    assert np.array_equal(read_image(path).array, GREY)
    assert np.array_equal(read_labels(path), GREY)
    assert read_header(path).size == GREY.shape


@pytest.mark.parametrize(
    ("shape", "how"),
    [
        ((1, 12, 17, 3), {"photometric": "rgb"}),
        ((12, 17, 3, 1), {"photometric": "minisblack"}),
        ((12, 17, 1, 3), {"photometric": "minisblack"}),
        ((12, 17, 3), {"photometric": "minisblack"}),  # pages of 17 x 3 pixels
        ((1, 12, 17, 3), {"ome": True, "photometric": "rgb", "metadata": {"axes": "ZYXS"}}),
        ((1, 12, 17, 3), {"imagej": True, "photometric": "rgb", "metadata": {"axes": "ZYXS"}}),
    ],
)
def test_colours_keep_their_axis(tmp_path, shape, how):
    path = written(tmp_path / "a.tif", RGB.reshape(shape), **how)
    assert np.array_equal(read_image(path).array, RGB)
    assert read_header(path).size == (12, 17)


def test_stacks_stay_stacks(tmp_path):
    stack = RNG.integers(0, 256, (5, 12, 17), np.uint8)
    for shape in ((5, 12, 17, 1), (5, 1, 12, 17)):
        path = written(tmp_path / "a.tif", stack.reshape(shape), photometric="minisblack")
        assert np.array_equal(read_image(path).array, stack)
        assert np.array_equal(read_labels(path, stack=True), stack)
    channels = written(tmp_path / "b.tif", stack[:4], ome=True, metadata={"axes": "CYX"})
    assert read_image(channels).array.shape == (4, 12, 17)


def test_a_row_of_pixels_is_an_image(tmp_path):
    row = np.arange(9, dtype=np.uint8)[None]
    assert read_image(written(tmp_path / "a.tif", row)).array.shape == (1, 9)
    assert read_image(written(tmp_path / "b.tif", row[None])).array.shape == (1, 9)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_white_is_zero(tmp_path, dtype):
    stored = (RGB[..., 0].astype(dtype) * (1 if dtype == np.uint8 else 16)).astype(dtype)
    stored[0, 0] = 255 if dtype == np.uint8 else 4095
    path = written(tmp_path / "a.tif", stored, photometric="miniswhite")
    assert np.array_equal(read_image(path).array, stored.max() - stored)
    assert np.array_equal(read_labels(path), stored)  # numbers are no colours


def test_single_bits(tmp_path):
    bits = RGB[..., 0] > 99
    shown = bits.astype(np.uint8) * 255
    for photometric, image in (("minisblack", shown), ("miniswhite", 255 - shown)):
        path = written(tmp_path / "a.tif", bits, photometric=photometric)
        assert np.array_equal(read_image(path).array, image)
        assert np.array_equal(read_labels(path) > 0, bits)  # what tifffile calls 1, and writes
    path = written(tmp_path / "b.tif", bits, photometric="miniswhite", software="fax")
    assert np.array_equal(read_labels(path) > 0, ~bits)


@pytest.mark.parametrize("bits", [2, 4])
def test_few_bits_are_spread_over_eight(tmp_path, bits):
    values = (GREY % 2**bits).astype(np.uint8)
    path = tmp_path / "a.tif"
    path.write_bytes(tiff_of_few_bits(values, bits))
    assert np.array_equal(read_image(path).array, values * (255 // (2**bits - 1)))
    assert np.array_equal(read_labels(path), values)


def tiff_of_few_bits(values, bits):
    """Return an uncompressed grey TIFF, which tifffile cannot write, built by hand."""
    height, width = values.shape
    rows = ["".join(f"{value:0{bits}b}" for value in row) for row in values]
    strip = b"".join(
        int(row.ljust(-(-len(row) // 8) * 8, "0"), 2).to_bytes(-(-len(row) // 8)) for row in rows
    )
    tags = [
        *((256, width), (257, height), (258, bits), (259, 1), (262, 1)),
        *((273, 8 + 2 + 9 * 12 + 4), (277, 1), (278, height), (279, len(strip))),
    ]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4) + strip


@pytest.mark.parametrize("indices", [np.uint8, np.uint16])
@pytest.mark.parametrize("scale", [257, 256, 1])
def test_colour_maps_of_both_depths(tmp_path, indices, scale):
    colours = RNG.integers(1, 256, (3, 2 ** (8 * indices().itemsize)), np.uint8)
    how = {"photometric": "palette", "colormap": colours.astype(np.uint16) * scale}
    stored = RNG.integers(0, colours.shape[1], (12, 17)).astype(indices)
    path = written(tmp_path / "a.tif", stored, **how)
    assert np.array_equal(read_image(path).array, np.moveaxis(colours[:, stored], 0, -1))
    assert read_header(path).dtype == "uint8"


def test_lookup_tables_of_imagej(tmp_path):
    falling = np.tile(np.arange(255, -1, -1, dtype=np.uint8), (3, 1))
    green = np.zeros((3, 256), np.uint8)
    green[1] = np.arange(256)
    how = {"imagej": True}
    path = written(tmp_path / "a.tif", GREY, metadata={"LUTs": [falling]}, **how)
    assert np.array_equal(read_image(path).array, 255 - GREY)
    assert np.array_equal(read_labels(path), GREY)
    path = written(tmp_path / "b.tif", GREY, metadata={"LUTs": [green]}, **how)
    assert np.array_equal(read_image(path).array[..., 1], GREY)
    assert not read_image(path).array[..., ::2].any()
    path = written(tmp_path / "c.tif", DEEP[..., 0], metadata={"LUTs": [falling]}, **how)
    assert np.array_equal(read_image(path).array, 4095 - DEEP[..., 0])


def ramp(*colour):
    """Return a lookup table of ImageJ from black to a colour."""
    return np.stack([np.linspace(0, value, 256) for value in colour]).astype(np.uint8)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_coloured_lookup_tables_hold_for_the_range_that_is_shown(tmp_path, dtype):
    values = np.array([[0, 1000, 1500, 1999, 2000, 4000]]).repeat(2, 0).astype(dtype)
    metadata = {"LUTs": [ramp(0, 255, 255)], "min": 1000.0, "max": 2000.0}
    path = written(tmp_path / "a.tif", values, imagej=True, metadata=metadata)
    image = read_image(path)
    assert not image.array[..., 0].any()
    assert np.allclose(image.array[0, :, 1], [0, 0, 128, 255, 255, 255], atol=1)
    assert np.array_equal(image.array[..., 1], image.array[..., 2])
    assert (image.white, read_header(path).dtype) == (None, "uint8")
    assert np.array_equal(read_labels(path), values)


def test_three_channels_of_imagej_in_other_colours_than_red_green_and_blue(tmp_path):
    red, green, blue = ramp(255, 0, 0), ramp(0, 255, 0), ramp(0, 0, 255)
    channels = np.moveaxis(DEEP, -1, 0)

    def image(order, tables, mode="composite"):
        facts = {"axes": "CYX", "mode": mode, "LUTs": tables, "Ranges": (0.0, 4095.0) * 3}
        path = written(tmp_path / "a.tif", channels[order], imagej=True, metadata=facts)
        assert read_header(path).dtype == str(read_image(path).array.dtype)
        return read_image(path)

    as_it_is = image([0, 1, 2], [red, green, blue])
    assert np.array_equal(as_it_is.array, DEEP)
    turned_round = image([2, 1, 0], [blue, green, red])
    assert np.array_equal(turned_round.array, DEEP >> 4)
    assert as_it_is.notes == turned_round.notes == ()
    cyan = image([0, 1, 2], [red, ramp(0, 255, 255), blue]).array
    assert np.allclose(cyan[..., 2], np.minimum((DEEP[..., 1] >> 4) + (DEEP[..., 2] >> 4), 255))
    assert image([0, 1, 2], [red] * 3, "color").notes == (messages.CHANNELS_AS_COLOURS,)


def test_what_large_images_do_not_get_is_refused_there(tmp_path):
    falling = np.tile(np.arange(255, -1, -1, dtype=np.uint8), (3, 1))
    for table in (falling, ramp(0, 255, 255)):
        path = written(tmp_path / "a.tif", GREY, imagej=True, metadata={"LUTs": [table]})
        with pytest.raises(InputError, match=messages.LOOKUP_TABLE.problem):
            open_slide(path)
    Image.fromarray(RGB).convert("YCbCr").save(tmp_path / "b.tif")
    with pytest.raises(InputError, match="YCbCr"):
        open_slide(tmp_path / "b.tif")


def test_three_planes_are_said_to_be_taken_for_colours_unless_the_file_says_so(tmp_path):
    planes = np.moveaxis(RGB, -1, 0)
    for colours, notes in (
        ((-16776961, 16711935, 65535), ()),
        ((65535, 16711935, -16776961), ("The three channels",)),
        ((), ("The three channels",)),
    ):
        metadata = {"axes": "CYX"} | ({"Channel": {"Color": list(colours)}} if colours else {})
        path = written(tmp_path / "a.ome.tif", planes, photometric="minisblack", metadata=metadata)
        image = read_image(path)
        assert np.array_equal(image.array, RGB)
        assert tuple(note[:18] for note in image.notes) == notes


def test_white_is_zero_of_grey_and_not_of_alpha(tmp_path):
    alpha = np.where(GREY > 99, 255, 0).astype(np.uint8)
    how = {"photometric": "miniswhite", "planarconfig": "contig", "extrasamples": ["unassalpha"]}
    path = written(tmp_path / "a.tif", np.dstack([255 - GREY, alpha]), **how)
    assert np.array_equal(to_rgb8(read_image(path).array)[..., 0], np.where(alpha, GREY, 255))


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"RIFF\x24\0\0\0WEBPVP8 ", "WebP"),
        (b"GIF89a", "GIF"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"%PDF-1.4", "PDF"),
    ],
)
def test_files_of_other_formats_are_refused_by_name(tmp_path, start, name):
    path = tmp_path / "a.png"
    path.write_bytes(start.ljust(60, b"\0"))
    for read in (read_image, read_header, read_labels):
        with pytest.raises(InputError, match=f"{name}.*PNG or TIFF"):
            read(path)


@pytest.mark.parametrize(
    ("pixels", "how"),
    [
        (DEEP.astype(">u2"), {"byteorder": ">", "photometric": "rgb"}),
        (DEEP, {"photometric": "rgb", "compression": "zlib", "predictor": True}),
        (np.moveaxis(DEEP, -1, 0), {"photometric": "rgb", "planarconfig": "separate"}),
        (DEEP, {"photometric": "rgb", "bigtiff": True, "tile": (16, 16)}),
        ((DEEP / 4095).astype(np.float16), {"photometric": "rgb"}),
        ((DEEP / 4095).astype(np.float32), {"photometric": "rgb", "predictor": 3}),
    ],
    ids=["big endian", "predictor", "planar", "BigTIFF", "float16", "float predictor"],
)
def test_layouts_of_a_tiff(tmp_path, pixels, how):
    if how.get("predictor") == 3:
        how = {**how, "compression": "zlib"}
    path = written(tmp_path / "a.tif", pixels, **how)
    read = read_image(path).array
    expected = np.moveaxis(pixels, 0, -1) if pixels.shape[0] == 3 else pixels
    assert np.array_equal(read, expected)
    assert read.dtype.isnative
    assert read_header(path).dtype == read.dtype.name


def test_adobe_writes_cmyk_inverted_and_it_is_shown_right(tmp_path):
    smooth = np.full((32, 32, 3), (200, 120, 160), np.uint8)
    Image.fromarray(smooth).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "a.jpg").array.astype(int) - smooth).max() <= 8


PIXELS = np.full((8, 8, 4), (200, 100, 50, 128), np.uint8)


def test_premultiplied_alpha(tmp_path):
    multiplied = PIXELS.copy()
    multiplied[..., :3] = np.rint(PIXELS[..., :3] * (128 / 255))
    how = {"photometric": "rgb", "extrasamples": ["assocalpha"]}
    read = read_image(written(tmp_path / "a.tif", multiplied, **how)).array
    assert np.abs(to_rgb8(read).astype(int) - to_rgb8(PIXELS)).max() <= 1


def test_a_fourth_channel_without_a_meaning(tmp_path):
    how = {"photometric": "rgb", "extrasamples": ["unspecified"]}
    constant = PIXELS.copy()
    constant[..., 3] = 0
    read = read_image(written(tmp_path / "a.tif", constant, **how))
    assert np.array_equal(read.array, PIXELS[..., :3])
    assert read.notes == ()
    constant[:4, :, 3] = 255
    read = read_image(written(tmp_path / "b.tif", constant, **how))
    assert np.array_equal(read.array, constant)
    assert "fourth channel" in read.notes[0]


def test_a_colour_that_is_transparent(tmp_path):
    grey = Image.fromarray(GREY)
    grey.save(tmp_path / "a.png", transparency=int(GREY[0, 0]))
    read = read_image(tmp_path / "a.png").array
    assert np.array_equal(read[..., 3] == 0, GREY[0, 0] == GREY)
    Image.fromarray(RGB).save(tmp_path / "b.png", transparency=tuple(map(int, RGB[1, 1])))
    assert (read_image(tmp_path / "b.png").array[1, 1, 3], read[0, 0, 3]) == (0, 0)


def test_a_transparent_grey_of_16_bits(tmp_path):
    grey = RNG.integers(0, 65536, (12, 17), np.uint16)
    path = png_with(tmp_path / "a.png", grey, (b"tRNS", struct.pack(">H", grey[3, 4])))
    image = read_image(path)
    shown = to_rgb8(image.array, value_range(image.array))
    assert (shown[grey == grey[3, 4]] == 255).all()
    assert np.array_equal(image.array[..., 0], grey)


def test_what_is_called_a_label_or_macro_is_no_picture_however_large(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        for side, said in ((90, "macro"), (40, "A scan"), (60, "Aperio\r\nlabel 60x60")):
            pixels = np.full((side, side, 3), side, np.uint8)
            tif.write(pixels, photometric="rgb", description=said, metadata=None)
    image = read_image(tmp_path / "a.tif")
    assert (image.array.shape, image.notes) == ((40, 40, 3), ())


def test_the_largest_picture_of_a_file_is_read(tmp_path):
    large, small = np.tile(RGB, (4, 4, 1)), RGB
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(small, photometric="rgb", subfiletype=1)
        tif.write(large, photometric="rgb")
        tif.write(small[..., 0])
    assert np.array_equal(read_image(tmp_path / "a.tif").array, large)
    assert read_header(tmp_path / "a.tif").size == large.shape[:2]
    assert np.array_equal(np.asarray(open_slide(tmp_path / "a.tif").levels[0]), large)
    assert read_image(tmp_path / "a.tif").notes == ()


def test_pictures_that_are_not_read_are_said(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(RGB, photometric="rgb")
        tif.write(RGB[..., 0])
    read = read_image(tmp_path / "a.tif")
    assert np.array_equal(read.array, RGB)
    assert read.notes == (messages.other_images(2, "first"),)


def test_files_say_how_many_bits_count(tmp_path):
    dark = DEEP[..., 0] // 16  # values of 8 bits
    ome = {"ome": True, "metadata": {"axes": "YX", "SignificantBits": 12}}
    files = [
        written(tmp_path / "a.tif", dark, extratags=[(281, "H", 1, 4095, True)]),
        written(tmp_path / "b.ome.tif", dark, **ome),
        png_with(tmp_path / "c.png", dark, (b"sBIT", bytes([12]))),
    ]
    for path in files:
        image = read_image(path)
        assert image.white == read_header(path).white == 4095
        assert value_range(image.array, white=image.white) == value_range(
            np.array([[4095]], np.uint16)
        ).__class__(4095.0)
    usual = written(tmp_path / "d.tif", dark, extratags=[(281, "H", 1, 3000, True)])
    assert read_image(usual).white is None  # the largest value there, and no range


def test_a_claim_of_fewer_bits_than_there_are_is_no_claim(tmp_path):
    path = png_with(tmp_path / "a.png", DEEP[..., 0] * 16, (b"sBIT", bytes([12])))
    image = read_image(path)
    assert value_range(image.array, white=image.white).white == 65535


@pytest.mark.parametrize("late", [False, True])
def test_a_png_asks_to_be_turned_in_any_place(tmp_path, late):
    exif = Image.Exif()
    exif[274] = 6
    body = exif.tobytes().removeprefix(b"Exif\0\0")
    path = png_with(tmp_path / "a.png", RGB, (b"eXIf", body), late=late)
    assert np.array_equal(read_image(path).array, np.rot90(RGB, -1))
    assert read_header(path).size == (17, 12)
    deep = png_with(tmp_path / "b.png", DEEP, (b"eXIf", body), late=late)
    assert np.array_equal(read_image(deep).array, np.rot90(DEEP, -1))


def test_notes_of_a_camera_that_are_damaged_turn_nothing(tmp_path):
    path = png_with(tmp_path / "a.png", RGB, (b"eXIf", b"II*\0\xff\xff\xff\xff"))
    assert np.array_equal(read_image(path).array, RGB)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_large_image_is_turned_as_a_small_one(tmp_path, orientation):
    tags = [(274, "H", 1, orientation, True)]
    path = written(tmp_path / "a.tif", RGB, photometric="rgb", tile=(16, 16), extratags=tags)
    slide = open_slide(path)
    assert np.array_equal(np.asarray(slide.levels[0]), read_image(path).array)
    assert slide.orientation == orientation


@pytest.mark.parametrize("value", [0, 1, 9])
def test_a_transparent_pixel_of_a_mask_is_background(tmp_path, value):
    mask = np.full((6, 6, 4), (9, 9, 9, 255), np.uint8)
    mask[:3] = (value, value, value, 0)
    Image.fromarray(mask).save(tmp_path / "a.png")
    expected = np.full((6, 6), 9)
    expected[:3] = 0
    assert np.array_equal(read_labels(tmp_path / "a.png"), expected)
    path = written(tmp_path / "a.tif", mask, photometric="rgb")
    assert np.array_equal(read_labels(path), expected)


@pytest.mark.parametrize("compression", ["group3", "group4", "packbits", "tiff_lzw"])
@pytest.mark.parametrize("white_is_zero", [False, True])
def test_bilevel_files_of_any_packing_are_as_pillow_shows_them(
    tmp_path, compression, white_is_zero
):
    bits = RNG.random((40, 56)) > 0.5
    how = {"tiffinfo": {262: 0}} if white_is_zero else {}
    path = tmp_path / "a.tif"
    Image.fromarray(bits).save(path, compression=compression, **how)
    with Image.open(path) as image:
        shown = np.array(image.convert("L"))
    assert np.array_equal(read_image(path).array, shown)
    assert np.array_equal(read_labels(path) > 0, shown > 0)


def test_a_second_sample_of_a_grey_stack_is_no_axis(tmp_path):
    stack = RNG.integers(0, 256, (5, 12, 17, 2), np.uint8)
    how = {"photometric": "minisblack", "planarconfig": "contig"}
    path = written(tmp_path / "a.tif", stack, **how)
    assert np.array_equal(read_image(path).array, stack[..., 0])
    assert read_header(path).size == (12, 17)
