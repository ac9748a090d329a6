"""Whole slides as lazy pyramids, from files that are written here."""

from __future__ import annotations

import gc
import importlib
import json
import tracemalloc
import zlib

import numpy as np
import pytest
import tifffile
import zarr
from tifffile import TiffWriter

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.slides import openslide
from napari_snow_unet.data.slides import slide as slides_slide
from napari_snow_unet.data.slides.any_image import read_any_header, read_any_image
from napari_snow_unet.data.slides.slide import may_be_slide, open_slide
from napari_snow_unet.data.synthetic import generate_tile

APERIO = "Aperio Image Library v11.2.1 \r\n{1}x{0} [0,0 {1}x{0}] (256x256) JPEG/RGB|MPP = 0.2525"
UM = {"PhysicalSizeXUnit": "µm", "PhysicalSizeYUnit": "µm"}
SCN_IMAGE = """<image name="{name}" uuid="{name}"><device model="d" version="e"/>
<pixels sizeX="{size[1]}" sizeY="{size[0]}">{levels}</pixels>
<view sizeX="{nm[1]}" sizeY="{nm[0]}" offsetX="0" offsetY="0" spacingZ="0"/>
<scanSettings><objectiveSettings><objective>40</objective></objectiveSettings>
<illuminationSettings><numericalAperture>0.75</numericalAperture>
<illuminationSource>brightfield</illuminationSource></illuminationSettings></scanSettings></image>"""
SCN = """<?xml version="1.0"?>
<scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01"><collection name="a" uuid="b"
 sizeX="{nm[1]}" sizeY="{nm[0]}">{images}</collection></scn>"""
UNSCANNED = 100  # rows of the glass below the part that an SCN shows


@pytest.fixture(scope="module")
def pixels():
    return np.tile(generate_tile(1, size=512).image, (3, 3, 1))[:1100, :1300]


def write_ome(path, pixels, compression="zlib"):
    sizes = {"axes": "YXS", "PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
    how = {"tile": (256, 256), "photometric": "rgb", "compression": compression}
    with TiffWriter(path, ome=True) as tif:
        tif.write(pixels, subifds=1, metadata=sizes | UM, **how)
        tif.write(pixels[::4, ::4], subfiletype=1, metadata=None, **how)
    return path


def write_svs(path, pixels):
    text = APERIO.format(*pixels.shape)
    how = {"tile": (256, 256), "photometric": "rgb", "metadata": None, "description": text}
    with TiffWriter(path) as tif:
        tif.write(pixels, **how)
        tif.write(pixels[::8, ::8], photometric="rgb", metadata=None, rowsperstrip=16)  # thumbnail
        tif.write(pixels[::4, ::4], **how)
    return path


def scn_image(name, view, *levels):
    """Describe an image of an SCN; its view is in pixels of 500 nm."""
    said = [
        f'<dimension sizeX="{width}" sizeY="{height}" r="{number}" ifd="{page}"/>'
        for number, (page, (height, width)) in enumerate(levels)
    ]
    nm = [length * 500 for length in view]
    return SCN_IMAGE.format(name=name, nm=nm, size=levels[0][1], levels="".join(said))


def write_scn(path, pixels):
    """Write the part that was scanned, and an overview of the whole glass."""
    small = pixels[::4, ::4]
    size, glass = pixels.shape[:2], (pixels.shape[0] + UNSCANNED, pixels.shape[1])
    overview = np.full((glass[0] // 10, glass[1] // 10, 3), 200, np.uint8)
    main = scn_image("main", size, (0, size), (1, small.shape[:2]))
    images = scn_image("macro", glass, (2, overview.shape[:2])) + main
    text = SCN.format(images=images, nm=[length * 500 for length in glass])
    how = {"tile": (256, 256), "photometric": "rgb", "metadata": None}
    with TiffWriter(path, bigtiff=True) as tif:
        per_cm = {"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}  # 0.5 um
        tif.write(pixels, description=text, **per_cm, **how)
        tif.write(small, **how)
        tif.write(overview, **how)
    return path


def write_pages(path, pixels):
    """Write what vips and ImageMagick do: each level a page, the small ones marked as reduced."""
    how = {"tile": (256, 256), "photometric": "rgb", "metadata": None}
    with TiffWriter(path) as tif:
        tif.write(pixels, **how)
        tif.write(pixels[::4, ::4], subfiletype=1, **how)
    return path


def write_zarr(path, pixels, version="0.4", axes="tczyx", unit="micrometer"):
    group = zarr.open_group(path, mode="w", zarr_format=2 if version == "0.4" else 3)
    datasets = []
    for number, level in enumerate((pixels, pixels[::4, ::4])):
        planes = np.moveaxis(level, -1, 0)[None, :, None] if axes == "tczyx" else level
        chunks = tuple(min(256, length) for length in planes.shape)
        array = group.create_array(
            str(number), shape=planes.shape, chunks=chunks, dtype=planes.dtype
        )
        array[...] = planes
        scale = [1.0 if axis not in "yx" else 0.25 * 4**number for axis in axes]
        transforms = [{"type": "scale", "scale": scale}]
        datasets.append({"path": str(number), "coordinateTransformations": transforms})
    named = [{"name": axis, "unit": unit} for axis in axes]
    facts = {"multiscales": [{"version": version, "axes": named, "datasets": datasets}]}
    group.attrs.update(facts if version == "0.4" else {"ome": facts})
    return path


WRITERS = {
    "a.ome.tif": (write_ome, 0.25),
    "a.tif": (write_pages, None),
    "a.svs": (write_svs, 0.2525),
    "a.zarr": (write_zarr, 0.25),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_slide_is_its_pixels_at_every_level_with_their_size(name, pixels, tmp_path):
    write, side = WRITERS[name]
    write(tmp_path / name, pixels)
    assert may_be_slide(tmp_path / name)
    slide = open_slide(tmp_path / name)
    assert slide.spacing_um == (None if side is None else (side, side))
    assert (slide.rgb, slide.size, len(slide.levels)) == (True, (1100, 1300), 2)
    assert np.array_equal(slide.levels[0].compute(), pixels)
    assert np.array_equal(slide.levels[1].compute(), pixels[::4, ::4])
    corner = slide.levels[0][700:703, 1250:1300]  # over the edge of a chunk's last column
    assert np.array_equal(corner.compute(), pixels[700:703, 1250:1300])


def test_glass_that_was_not_scanned_is_white(pixels, tmp_path):
    slide = open_slide(write_scn(tmp_path / "a.scn", pixels))
    assert slide.spacing_um == (0.5, 0.5)
    assert slide.size == (1100 + UNSCANNED, 1300)
    whole = slide.levels[0].compute()
    assert np.array_equal(whole[:1100], pixels)
    assert (whole[1100:] == 255).all()


def test_jpeg_of_a_slide_gives_colours_as_they_were(pixels, tmp_path):
    slide = open_slide(write_ome(tmp_path / "a.ome.tif", pixels, compression="jpeg"))
    difference = np.abs(slide.levels[0].compute().astype(int) - pixels)
    assert difference.mean() < 4


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_opens_by_its_metadata_and_from_a_bioformats_folder(version, pixels, tmp_path):
    write_zarr(tmp_path / "a.zarr" / "0", pixels, version)
    layout = json.dumps({"bioformats2raw.layout": 3})
    (tmp_path / "a.zarr" / ".zattrs").write_text(layout, encoding="utf-8")
    inner = tmp_path / "a.zarr" / "0" / (".zattrs" if version == "0.4" else "zarr.json")
    for path in (tmp_path / "a.zarr", inner):
        slide = open_slide(path)
        assert slide.spacing_um == (0.25, 0.25)
        assert np.array_equal(slide.levels[0][:300, :300].compute(), pixels[:300, :300])


def test_ome_zarr_in_grey_without_a_unit(pixels, tmp_path):
    write_zarr(tmp_path / "a.zarr", pixels[..., 0], axes="yx", unit="")
    slide = open_slide(tmp_path / "a.zarr")
    assert (slide.rgb, slide.spacing_um) == (False, None)
    assert np.array_equal(slide.levels[0].compute(), pixels[..., 0])


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """20,000 pixels a side in tiles of 512, each packed once and written 1,600 times."""
    path = tmp_path_factory.mktemp("large") / "large.ome.tif"
    tile = generate_tile(2, size=512).image // 32 * 32
    packed = zlib.compress(tile.tobytes(), 1)
    how = {"tile": (512, 512), "photometric": "rgb", "compression": "zlib", "dtype": np.uint8}
    with TiffWriter(path, ome=True, bigtiff=True) as tif:
        for side, facts in ((20_000, {"subifds": 2}), (5_000, {}), (1_250, {})):
            facts = facts if side == 20_000 else {"subfiletype": 1}
            tiles = (packed for _ in range((-(-side // 512)) ** 2))
            tif.write(tiles, shape=(side, side, 3), **how, **facts)
    return path, tile


def test_a_slide_of_20_000_pixels_a_side_is_opened_by_its_header(large):
    path, tile = large
    open_slide(path)  # libraries are loaded
    gc.collect()
    tracemalloc.start()
    try:
        slide = open_slide(path)
        opened = tracemalloc.get_traced_memory()[1]
        region = slide.levels[0][10_240:10_496, 5_120:5_376].compute()
        looked = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert slide.size == (20_000, 20_000)
    assert np.array_equal(region, tile[:256, :256])
    assert opened < 8e6  # the level has 1,200 MB
    assert looked < 40e6


def test_a_large_image_without_levels_gets_coarse_ones(tmp_path):
    grey = np.zeros((5000, 4200), np.uint8)
    grey[2048:2080, 1024:1056] = 200
    tifffile.imwrite(tmp_path / "a.tif", grey, tile=(512, 512), compression="zlib")
    slide = open_slide(tmp_path / "a.tif")
    assert [level.shape for level in slide.levels] == [(5000, 4200), (2500, 2100)]
    assert np.array_equal(slide.levels[1].compute(), grey[::2, ::2])


def test_without_openslide_the_command_that_installs_it_is_told(pixels, tmp_path, monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(f"No module named {name!r}")

    monkeypatch.setattr(openslide, "import_module", missing)
    with pytest.raises(InputError, match=r"pip install \"napari-snow-unet\[slides\]\""):
        open_slide(write_svs(tmp_path / "a.svs", pixels))
    open_slide(write_ome(tmp_path / "a.ome.tif", pixels))  # needs none


def test_the_extra_brings_what_is_imported():
    assert importlib.import_module("openslide").__library_version__ >= "4"


def write_foreign(folder):
    (folder / "text.svs").write_text("no slide", encoding="utf-8")
    (folder / "text.tif").write_text("no slide", encoding="utf-8")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "empty.zarr").mkdir()
    tifffile.imwrite(folder / "stack.tif", np.zeros((5, 64, 64), np.uint8), metadata=None)
    tifffile.imwrite(folder / "channels.ome.tif", np.zeros((5, 64, 64), np.uint8), ome=True)
    return ["text.svs", "text.tif", "photo.jpg", "empty.zarr", "channels.ome.tif", "none.ndpi"]


def test_what_is_no_slide_is_refused_in_one_sentence(tmp_path):
    for name in write_foreign(tmp_path):
        with pytest.raises(InputError, match=name):
            open_slide(tmp_path / name)
        assert may_be_slide(tmp_path / name) is (name == "text.svs")  # told by its name


def test_a_tile_that_is_damaged_names_the_file(pixels, tmp_path):
    path = write_ome(tmp_path / "a.ome.tif", pixels)
    with tifffile.TiffFile(path) as tif:
        offset = tif.pages.first.dataoffsets[0]
    with path.open("r+b") as stream:
        stream.seek(offset)
        stream.write(b"\xff" * 64)
    slide = open_slide(path)
    with pytest.raises(InputError, match=r"a\.ome\.tif"):
        slide.levels[0][:10, :10].compute()


def test_a_claim_that_the_file_cannot_hold_is_refused(tmp_path):
    how = {"tile": (512, 512), "compression": "zlib", "dtype": np.uint8}
    empty = (b"" for _ in range(196 * 196))
    tifffile.imwrite(tmp_path / "a.tif", empty, shape=(100_000, 100_000), bigtiff=True, **how)
    with pytest.raises(InputError, match="claims"):
        open_slide(tmp_path / "a.tif")


def edit(file, **changed):
    facts = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(facts | changed), encoding="utf-8")


@pytest.mark.parametrize("place", [{"compressor": {"id": "pickle"}}, {"filters": [{"id": "x"}]}])
def test_an_ome_zarr_cannot_unpack_programs(place, pixels, tmp_path):
    write_zarr(tmp_path / "a.zarr", pixels)
    edit(tmp_path / "a.zarr" / "0" / ".zarray", **place)
    with pytest.raises(InputError, match=r"compressed with (pickle|x)"):
        open_slide(tmp_path / "a.zarr")


@pytest.mark.parametrize("path", ["../b", "/etc", "..\\b", "C:/b"])
def test_an_ome_zarr_does_not_lead_out_of_its_folder(path, pixels, tmp_path):
    write_zarr(tmp_path / "a.zarr", pixels)
    facts = json.loads((tmp_path / "a.zarr" / ".zattrs").read_text(encoding="utf-8"))
    facts["multiscales"][0]["datasets"][1]["path"] = path
    edit(tmp_path / "a.zarr" / ".zattrs", **facts)
    with pytest.raises(InputError, match="outside its folder"):
        open_slide(tmp_path / "a.zarr")


@pytest.mark.parametrize("name", WRITERS)
def test_an_image_of_any_kind_is_read_as_a_whole(name, pixels, tmp_path):
    write, side = WRITERS[name]
    image = read_any_image(write(tmp_path / name, pixels))
    assert np.array_equal(image.array, pixels)
    assert (image.pixel_size_um, image.path) == (side, tmp_path / name)
    header = read_any_header(tmp_path / name)
    assert (header.size, header.pixel_size_um) == ((1100, 1300), side)


def test_a_slide_too_large_for_the_memory_is_refused_before_it_is_read(
    pixels, tmp_path, monkeypatch
):
    monkeypatch.setattr(slides_slide, "LARGEST_WHOLE", 1000 * 1000)
    path = write_svs(tmp_path / "a.svs", pixels)
    with pytest.raises(InputError, match=r"a\.svs.*1,300 x 1,100.*Export the region"):
        read_any_image(path)
    assert read_any_header(path).size == (1100, 1300)
