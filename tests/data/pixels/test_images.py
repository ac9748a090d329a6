"""Images and labels in every form people keep them in, and files that only claim to be images."""

from __future__ import annotations

import io
import re
import struct
import tracemalloc
import zlib

import cv2
import numpy as np
import PIL
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageOps

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.formats.messages import IN_COLOUR
from napari_snow_unet.data.masks.messages import JPEG
from napari_snow_unet.data.pixels import messages
from napari_snow_unet.data.pixels.images import read_header, read_image, write_image
from napari_snow_unet.data.pixels.orientation import turned

RGB = np.random.default_rng(0).integers(0, 256, (12, 17, 3), np.uint8)
GREY = RGB[..., 0]
ALPHA = np.dstack([RGB, GREY])


def saved(path, array, mode=None, **how):
    image = Image.fromarray(array)
    (image if mode is None else image.convert(mode)).save(path, **how)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif"])
@pytest.mark.parametrize("array", [RGB, GREY], ids=["rgb", "grey"])
def test_pixels_are_read_as_stored(tmp_path, name, array):
    read = read_image(saved(tmp_path / name, array))
    assert np.array_equal(read.array, array)
    assert read.array.dtype == np.uint8
    assert read.array.flags.writeable
    assert read.path == tmp_path / name
    assert read_header(tmp_path / name).size == (12, 17)


def test_the_content_counts_and_not_the_name(tmp_path):
    path = saved(tmp_path / "a.jpg", RGB, format="PNG")
    assert np.array_equal(read_image(path).array, RGB)


def test_jpeg(tmp_path):
    smooth = np.full((32, 32, 3), (200, 120, 160), np.uint8)
    read = read_image(saved(tmp_path / "a.jpg", smooth, quality=95)).array
    assert np.abs(read.astype(int) - smooth).max() <= 3


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_an_image_is_turned_as_its_file_asks(tmp_path, name, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / name, RGB, exif=exif)
    with Image.open(path) as image:
        shown = np.asarray(ImageOps.exif_transpose(image))
    read, header = read_image(path), read_header(path)
    assert np.array_equal(read.array, shown)
    assert read.array.flags.c_contiguous
    assert header.size == shown.shape[:2]
    assert header.stored_size == RGB.shape[:2]
    assert read.orientation == header.orientation == orientation
    assert bool(read.notes) == (orientation != 1)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_labels_are_turned_as_their_file_asks(tmp_path, name, orientation):
    ids = np.arange(12 * 17, dtype=np.uint16).reshape(12, 17)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / name, ids, exif=exif)
    assert np.array_equal(read_labels(path), turned(ids, orientation))


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_what_pillow_decodes_of_a_tiff_is_turned_once(tmp_path, mode):
    if mode == "YCbCr" and int(PIL.__version__.split(".")[0]) < 13:
        pytest.skip("Pillow before 13 cannot read uncompressed YCbCr")
    path = saved(tmp_path / "a.tif", RGB, mode, tiffinfo={274: 6})
    expected = np.rot90(np.array(Image.fromarray(RGB).convert(mode).convert("RGB")), -1)
    assert np.array_equal(read_image(path).array, expected)
    assert read_header(path).size == (17, 12)


@pytest.mark.parametrize(
    ("mode", "shape", "dtype"),
    [
        ("1", (12, 17), np.uint8),
        ("L", (12, 17), np.uint8),
        ("LA", (12, 17), np.uint8),
        ("P", (12, 17, 3), np.uint8),
        ("RGBA", (12, 17, 4), np.uint8),
    ],
)
def test_png_modes(tmp_path, mode, shape, dtype):
    read = read_image(saved(tmp_path / "a.png", RGB, mode)).array
    assert (read.shape, read.dtype) == (shape, dtype)
    if mode == "1":
        assert set(np.unique(read)) == {0, 255}


def test_transparency_is_kept(tmp_path):
    assert np.array_equal(read_image(saved(tmp_path / "a.png", ALPHA)).array, ALPHA)
    grey = saved(tmp_path / "b.png", ALPHA, "LA")
    assert read_image(grey).array.shape == (12, 17, 4)
    assert np.array_equal(read_image(grey).array[..., 3], GREY)


def test_16_bits(tmp_path):
    deep = GREY.astype(np.uint16) * 257
    assert np.array_equal(read_image(saved(tmp_path / "a.png", deep)).array, deep)
    tifffile.imwrite(tmp_path / "a.tif", deep)
    assert np.array_equal(read_image(tmp_path / "a.tif").array, deep)


def test_cmyk_jpeg_becomes_rgb(tmp_path):
    path = saved(tmp_path / "a.jpg", RGB, "CMYK")
    assert read_image(path).array.shape == RGB.shape


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate", "packbits", "jpeg"])
def test_tiff_compressions(tmp_path, compression):
    read = read_image(saved(tmp_path / "a.tif", RGB, compression=compression)).array
    assert read.shape == RGB.shape
    if compression != "jpeg":
        assert np.array_equal(read, RGB)


@pytest.mark.parametrize("mode", ["1", "P", "CMYK"])
def test_tiff_modes(tmp_path, mode):
    read = read_image(saved(tmp_path / "a.tif", RGB, mode)).array
    assert read.dtype == np.uint8
    assert read.shape == ((12, 17) if mode == "1" else (12, 17, 3))
    expected = np.array(Image.fromarray(RGB).convert(mode).convert("L" if mode == "1" else "RGB"))
    assert np.array_equal(read, expected)


@pytest.mark.parametrize(
    ("shape", "how", "expected"),
    [
        ((5, 12, 17), {}, (5, 12, 17)),
        ((5, 12, 17, 3), {"photometric": "rgb"}, (5, 12, 17, 3)),
        ((3, 12, 17), {"photometric": "rgb", "planarconfig": "separate"}, (12, 17, 3)),
        ((3, 12, 17), {"ome": True, "metadata": {"axes": "CYX"}}, (12, 17, 3)),
        ((4, 3, 12, 17), {"ome": True, "metadata": {"axes": "TCYX"}}, (4, 12, 17, 3)),
        ((4, 3, 12, 17), {"imagej": True, "metadata": {"axes": "ZCYX"}}, (4, 12, 17, 3)),
        ((1, 1, 12, 17), {"ome": True, "metadata": {"axes": "TCYX"}}, (12, 17)),
        ((64, 64, 3), {"photometric": "rgb", "tile": (16, 16), "bigtiff": True}, (64, 64, 3)),
    ],
)
def test_tiff_axes(tmp_path, shape, how, expected):
    stored = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", stored, **how)
    read = read_image(tmp_path / "a.tif").array
    assert read.shape == expected
    assert sorted(read.ravel().tolist()) == sorted(stored.ravel().tolist())
    if expected == (12, 17, 3):
        assert np.array_equal(read, np.moveaxis(stored, 0, -1))


@pytest.mark.parametrize(
    ("shape", "axes"), [((2, 3, 4, 12, 17), "TZCYX"), ((5, 2, 12, 17), "TZYX")]
)
def test_more_axes_than_an_image_can_have_are_refused(tmp_path, shape, axes):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros(shape, "u1"), ome=True, metadata={"axes": axes})
    with pytest.raises(InputError, match=r"a\.tif: .*axes \w+YX"):
        read_image(tmp_path / "a.tif")


def test_of_a_pyramid_the_full_resolution_is_read(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as tif:
        tif.write(np.ones((64, 64, 3), "u1"), subifds=1, photometric="rgb")
        tif.write(np.zeros((32, 32, 3), "u1"), subfiletype=1, photometric="rgb")
    assert read_image(tmp_path / "a.tif").array.shape == (64, 64, 3)
    assert read_header(tmp_path / "a.tif").size == (64, 64)


OME_UM = {"axes": "YXS", "PhysicalSizeX": 0.25, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.25}
OME_NM = {"PhysicalSizeX": 250, "PhysicalSizeXUnit": "nm"}
OME_NM |= {"axes": "YXS", "PhysicalSizeY": 250, "PhysicalSizeYUnit": "nm"}
OME_ANGSTROM = {"PhysicalSizeX": 2500, "PhysicalSizeXUnit": "Å", "axes": "YXS"}
OME_ANGSTROM |= {"PhysicalSizeY": 2500, "PhysicalSizeYUnit": "Å"}
CM, INCH = {"resolutionunit": "CENTIMETER"}, {"resolutionunit": "INCH"}


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({"resolution": (40_000, 40_000), **CM}, 0.25),
        ({"resolution": (101_600, 101_600), **INCH}, 0.25),
        ({"resolution": (4, 4), "imagej": True, "metadata": {"unit": "um"}}, 0.25),
        ({"resolution": (4, 4), "imagej": True, "metadata": {"unit": "micron"}}, 0.25),
        ({"resolution": (4, 4), "imagej": True, "metadata": {"unit": "micrometre"}}, 0.25),
        ({"resolution": (4000, 4000), "imagej": True, "metadata": {"unit": "mm"}}, 0.25),
        ({"resolution": (101_600, 101_600), "imagej": True, "metadata": {"unit": "inch"}}, 0.25),
        ({"ome": True, "metadata": OME_UM}, 0.25),
        ({"ome": True, "metadata": OME_NM}, 0.25),
        ({"ome": True, "metadata": OME_ANGSTROM}, 0.25),
        ({"description": "Aperio Image|AppMag = 40|MPP = 0.2500", "metadata": None}, 0.25),
        ({}, None),
        ({"resolution": (72, 72), **INCH}, None),
        ({"resolution": (96, 96), **INCH}, None),
        ({"resolution": (300, 300), **INCH}, None),
        ({"resolution": (40_000, 20_000), **CM}, None),
        ({"resolution": (10**9, 10**9), **CM}, None),
        ({"resolution": (4, 4), "resolutionunit": "NONE"}, None),
        ({"resolution": (4, 4), "imagej": True, "metadata": {"unit": "pixel"}}, None),
        ({"ome": True, "metadata": {"axes": "YXS"}}, None),
        ({"ome": True, "metadata": {**OME_UM, "PhysicalSizeX": 0.0}}, None),
    ],
)
def test_pixel_size_of_a_tiff(tmp_path, how, expected):
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", **how)
    for read in (read_image, read_header):
        assert read(tmp_path / "a.tif").pixel_size_um == pytest.approx(expected)


@pytest.mark.parametrize("unit", ['"&#181;m"', '"&#xB5;m"', "'µm'", "'um'"])
def test_pixel_size_of_an_ome_tiff_however_it_is_written(tmp_path, unit):
    path = tmp_path / "a.ome.tif"
    sizes = {"resolution": (40_000, 40_000), **CM}
    tifffile.imwrite(path, RGB, photometric="rgb", ome=True, metadata={"axes": "YXS"}, **sizes)
    assert read_header(path).pixel_size_um == pytest.approx(0.25)  # of the tags
    said = f"PhysicalSizeX='0.5' PhysicalSizeXUnit={unit} PhysicalSizeY=\"0.5\" "
    said += f"PhysicalSizeYUnit={unit}"
    xml = tifffile.tiffcomment(path).replace("<Pixels ", f"<Pixels {said} ")
    tifffile.tiffcomment(path, xml.encode())
    assert read_header(path).pixel_size_um == 0.5


def test_a_stack_with_a_colour_table_has_its_colours(tmp_path):
    colours = np.zeros((3, 256), np.uint16)
    colours[0] = np.arange(256) * 257
    planes = np.arange(60, dtype=np.uint8).reshape(5, 3, 4)
    how = {"photometric": "palette", "colormap": colours}
    tifffile.imwrite(tmp_path / "a.tif", planes, **how)
    found = read_image(tmp_path / "a.tif").array
    assert found.shape == (5, 3, 4, 3)
    assert np.array_equal(found[..., 0], planes)
    assert not found[..., 1:].any()


@pytest.mark.parametrize("bands", [3, 4])
def test_labels_of_16_bits_in_colours_are_refused_not_cut(tmp_path, bands):
    ids = np.full((4, 4, bands), 300, np.uint16)
    assert cv2.imwrite(str(tmp_path / "a.png"), ids)
    with pytest.raises(InputError, match=messages.DEEP_COLOUR.problem):
        read_labels(tmp_path / "a.png")


@pytest.mark.parametrize(("dpi", "expected"), [(101_600, 0.25), (72, None), (96, None), (0, None)])
@pytest.mark.parametrize("name", ["a.png", "a.bmp"])
def test_pixel_size_of_other_images(tmp_path, name, dpi, expected):
    path = saved(tmp_path / name, RGB, dpi=(dpi, dpi))
    wanted = None if expected is None else pytest.approx(expected, rel=1e-3)
    assert read_image(path).pixel_size_um == wanted


IDS = np.array([[0, 1, 7], [300, 65_535, 7]], np.int32)


def test_labels_are_read_as_they_are(tmp_path):
    for name in ("a.png", "a.tif"):
        path = saved(tmp_path / name, IDS.astype(np.uint16))
        assert np.array_equal(read_labels(path), IDS)
        assert read_labels(path).dtype == np.int32
    mask = (IDS > 5).astype(np.uint8) * 255
    assert np.array_equal(read_labels(saved(tmp_path / "mask.png", mask)), mask)
    assert np.array_equal(read_labels(write_hovernet_mat(tmp_path / "a.mat", IDS)), IDS)


@pytest.mark.parametrize("dtype", ["i4", "u4", "i8", "f4", "f8"])
def test_labels_in_wide_tiffs(tmp_path, dtype):
    wide = np.array([[0, 70_000, 2**24]])
    tifffile.imwrite(tmp_path / "a.tif", wide.astype(dtype))
    assert np.array_equal(read_labels(tmp_path / "a.tif"), wide)


def palette_png(path, values, colours):
    image = Image.new("P", (3, 2))
    image.putdata(values.ravel().tolist())
    image.putpalette(colours)
    image.save(path)
    return path


def test_a_palette_of_colours_is_paint_over_the_ids(tmp_path):
    values = np.array([[0, 1, 2], [2, 1, 0]])
    path = palette_png(tmp_path / "a.png", values, [0, 0, 0, 255, 0, 0, 0, 0, 255])
    assert np.array_equal(read_labels(path), values)


def test_a_palette_of_greys_is_the_mask_it_shows(tmp_path):
    """Programs that make PNGs smaller turn 0/255 into a palette, in any order."""
    values = np.array([[0, 1, 1], [1, 1, 0]])
    path = palette_png(tmp_path / "a.png", values, [255, 255, 255, 0, 0, 0])
    assert np.array_equal(read_labels(path), (1 - values) * 255)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_ids_in_few_bits_are_not_stretched(tmp_path, bits):
    """Pillow writes no grey PNG of 2 or 4 bits, but others do; built by hand."""
    values = np.arange(8).reshape(2, 4) % 2**bits
    rows = b""
    for row in values:
        packed = "".join(f"{value:0{bits}b}" for value in row).ljust(16, "0")
        rows += b"\0" + int(packed, 2).to_bytes(2, "big")[: (4 * bits + 7) // 8]
    (tmp_path / "a.png").write_bytes(png(4, 2, bits, rows))
    assert np.array_equal(read_labels(tmp_path / "a.png"), values)


def png(width, height, bits, rows):
    def chunk(name, data):
        crc = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def test_grey_saved_as_colour_is_still_grey(tmp_path):
    mask = (GREY > 99).astype(np.uint8) * 255
    assert np.array_equal(read_labels(saved(tmp_path / "a.png", mask, "RGB")), mask)
    assert np.array_equal(read_labels(saved(tmp_path / "b.png", mask, "RGBA")), mask)


@pytest.mark.parametrize(
    ("name", "pixels", "told"),
    [(f"a.{kind}", RGB, IN_COLOUR.text()) for kind in ("png", "bmp", "tif")]
    + [("a.jpg", GREY, JPEG.problem)],
)
def test_labels_in_colour_or_as_jpeg_are_refused(tmp_path, name, pixels, told):
    with pytest.raises(InputError, match=re.escape(told)):
        read_labels(saved(tmp_path / name, pixels))


def test_labels_behind_transparency_are_refused(tmp_path):
    hidden = np.dstack([np.zeros_like(RGB), GREY])
    with pytest.raises(InputError, match="black and transparent"):
        read_labels(saved(tmp_path / "a.png", hidden))
    with pytest.raises(InputError, match="in colour"):
        read_labels(saved(tmp_path / "b.png", ALPHA))


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (np.array([[-1, 0]], np.int32), "from -1"),
        (np.array([[2**31]], np.uint32), "to 2147483648"),
        (np.array([[0.5, 1]], np.float32), "fractions"),
        (np.array([[np.nan, 1]], np.float32), "nan"),
        (np.zeros((3, 5, 5), np.uint8), "3 x 5 x 5"),
    ],
)
def test_values_that_are_no_ids_are_refused(tmp_path, values, problem):
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack")
    with pytest.raises(InputError, match=rf"a\.tif: .*{problem}"):
        read_labels(tmp_path / "a.tif")


@settings(max_examples=25, deadline=None)
@given(labels=hnp.arrays(np.int32, (4, 5), elements=st.integers(0, 2**31 - 1)))
def test_written_labels_are_read_back(tmp_path_factory, labels):
    asked = tmp_path_factory.mktemp("labels") / "a.png"
    path = write_labels(asked, labels)
    assert path.suffix == (".tif" if labels.max() > 65_535 else ".png")
    assert path.is_file()
    assert np.array_equal(read_labels(path), labels)


def test_how_labels_are_written(tmp_path):
    with Image.open(write_labels(tmp_path / "a.png", IDS)) as stored:
        assert stored.mode == "I;16"
    kept = write_labels(tmp_path / "b.tif", IDS)
    assert kept.name == "b.tif"
    assert tifffile.imread(kept).dtype == np.uint16
    assert tifffile.imread(write_labels(tmp_path / "c.png", IDS * 2)).dtype == np.uint32
    with pytest.raises(InputError, match="already exists"):
        write_labels(tmp_path / "a.png", IDS)
    with pytest.raises(InputError, match=r"'\.jpg'.* \.png"):
        write_labels(tmp_path / "a.jpg", IDS)
    with pytest.raises(InputError, match="values from -65535"):
        write_labels(tmp_path / "d.png", -IDS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.tif", "c.tif"]


@pytest.mark.parametrize("array", [RGB, GREY, ALPHA], ids=["rgb", "grey", "rgba"])
@pytest.mark.parametrize("name", ["new/a.png", "new/a.tif"])
def test_written_images_are_read_back(tmp_path, name, array):
    path = write_image(tmp_path / name, array)
    assert np.array_equal(read_image(path).array, array)
    with pytest.raises(InputError, match="already exists"):
        write_image(path, array)
    assert write_image(path, array, overwrite=True) == path


def test_images_of_other_types_are_not_written(tmp_path):
    with pytest.raises(InputError, match="float64"):
        write_image(tmp_path / "a.png", RGB / 255)
    assert not list(tmp_path.iterdir())


def encoded(array, kind, **how):
    stream = io.BytesIO()
    if kind == "TIFF":
        tifffile.imwrite(stream, array, **how)
    else:
        Image.fromarray(array).save(stream, kind, **how)
    return stream.getvalue()


WHOLE = {
    "png": encoded(RGB, "PNG"),
    "jpg": encoded(RGB, "JPEG"),
    "bmp": encoded(RGB, "BMP"),
    "tif": encoded(RGB, "TIFF", photometric="rgb"),
    "zip.tif": encoded(RGB, "TIFF", photometric="rgb", compression="zlib"),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.9])
def test_an_image_cut_short_is_one_clear_error(tmp_path, kind, part):
    path = tmp_path / f"cut.{kind}"
    path.write_bytes(WHOLE[kind][: int(len(WHOLE[kind]) * part)])
    with pytest.raises(InputError, match=r"cut\..* damaged \("):
        read_image(path)


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.filterwarnings("ignore")  # libraries warn of some of the damage
def test_damage_is_an_input_error_or_nothing(tmp_path, kind):
    random = np.random.default_rng(2)
    path = tmp_path / f"damaged.{kind}"
    for _ in range(150):
        data = bytearray(WHOLE[kind])
        for place in random.integers(0, len(data), random.integers(1, 4)):
            data[place] = random.integers(256)
        path.write_bytes(data)
        for read in (read_image, read_labels, read_header):
            try:
                read(path)
            except InputError as error:
                if str(path) not in str(error):
                    raise


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.png", b""),
        ("text.png", b"no image at all"),
        ("page.tif", b"<!doctype html><html>not found</html>"),
        ("a.gif", encoded(GREY, "GIF")),
        ("a.pdf", b"%PDF-1.7"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    for read in (read_image, read_header, read_labels):
        with pytest.raises(InputError, match=name):
            read(tmp_path / name)


def test_what_cannot_be_opened_is_refused_by_name(tmp_path):
    for path in (tmp_path / "missing.png", tmp_path):
        with pytest.raises(InputError, match="cannot be read") as refusal:
            read_image(path)
        assert str(path) in str(refusal.value)


def test_claims_beyond_the_file_are_refused_before_memory_is_taken(tmp_path):
    million = 10**6
    bmp = bytearray(encoded(GREY, "BMP"))
    bmp[18:26] = struct.pack("<ii", million, million)
    jpeg = bytearray(WHOLE["jpg"])
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65_500, 65_500)
    tif = bytearray(encoded(np.zeros((3, 5), "u1"), "TIFF"))
    for tag, size in ((256, 5), (257, 3)):
        for order in (
            struct.pack("<HHII", tag, 4, 1, size),
            struct.pack("<HHIHH", tag, 3, 1, size, 0),
        ):
            if (at := tif.find(order)) >= 0:
                tif[at : at + 12] = struct.pack("<HHII", tag, 4, 1, million)
    for name, content in {
        "a.png": png(million, million, 8, bytes(1000)),
        "a.bmp": bmp,
        "a.jpg": jpeg,
        "a.tif": tif,
    }.items():
        (tmp_path / name).write_bytes(content)
        tracemalloc.start()
        with pytest.raises(InputError, match=rf"{name}: .*claims [\d,]+ bytes"):
            read_image(tmp_path / name)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4_000_000


def test_large_honest_images_are_read_without_a_warning(tmp_path):
    """Pillow by itself warns of a bomb from 89 million pixels on."""
    Image.new("1", (9600, 9600)).save(tmp_path / "a.png")
    assert read_labels(tmp_path / "a.png").shape == (9600, 9600)


def test_odd_paths(tmp_path):
    folder = tmp_path / "Ünï cödé [1] (x) {y} #%20"
    path = write_image(folder / f"{'long' * 50}.png", RGB)
    assert np.array_equal(read_image(path).array, RGB)
    assert np.array_equal(read_image(str(path)).array, RGB)
