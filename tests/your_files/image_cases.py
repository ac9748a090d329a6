"""Rows of docs/your_files.md about images."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.batch import Outputs, messages_of, segment_files
from napari_snow_unet.data.datasets.check.dataset import check_dataset
from napari_snow_unet.data.datasets.manifest import read_manifest
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.stack import open_tile_stack
from napari_snow_unet.data.datasets.white_value import THE_DATASET
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.data.pixels.messages import (
    CHANNELS_AS_COLOURS,
    NEARLY_BLACK,
    mask_in_doubt,
    mask_turned,
)
from napari_snow_unet.segmentation import classical
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.unet.runs.dataset import open_training_set
from napari_snow_unet.unet.training.tile_reader import TileReader
from your_files import Case

ABOUT = (
    "An image is read as image viewers show it, and converted to 8-bit RGB or to the "
    "network's input range by one function. 8-bit images are never stretched. Assumptions "
    "are reported: by `segment` and the dock with the result, by `prepare` at the end and "
    "in the column `note` of the manifest, by `check` as a note."
)

Pixels = np.ndarray


def tissue(seed: int = 0, shape: tuple[int, int] = (96, 128)) -> tuple[Pixels, Pixels]:
    """Return violet discs on pink ground, lighter to the right, and their labels."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    inside = (y % 32 - 14 - seed) ** 2 + (x % 32 - 15) ** 2 <= 64
    image = np.full((*shape, 3), (205, 160, 190), np.uint8) + (x[..., None] // 4).astype(np.uint8)
    image[inside] = (70, 40, 130)
    numbers = (y // 32) * (shape[1] // 32) + x // 32 + 1
    return image, np.where(inside, numbers, 0).astype(np.int32)


def twelve_bits(rgb: Pixels) -> Pixels:
    """Return 12 bits in 16 that are these 8 bits when they are brought to 8."""
    return np.rint(rgb * (4095 / 255)).astype(np.uint16)


def pairs(
    folder: Path, write: Callable[[Path, Pixels], object], suffix: str, masks: bool = True
) -> dict[str, Pixels]:
    """Write images in some encoding, and their masks; return what they show."""
    shown = {}
    (folder / "images").mkdir(parents=True)
    for seed, name in enumerate("ab"):
        shown[name], labels = tissue(seed)
        write(folder / "images" / f"{name}{suffix}", shown[name])
        if masks:
            write_labels(folder / "masks" / f"{name}.png", labels)
    return shown


def segmented(folder: Path, out: Path) -> tuple[dict[str, Pixels], list[str]]:
    """Segment the images of a folder; return labels by name, and what was said."""
    model, files = classical.model(), sorted((folder / "images").iterdir())
    results = run(segment_files(files, model, Options(), Outputs(out)))
    assert [result.error for result in results] == [""] * len(results)
    found = {result.source.stem: read_labels(result.labels) for result in results if result.labels}
    return found, messages_of(results)


def check_every_door(folder: Path, shown: Mapping[str, Pixels], said: str = "") -> list[str]:
    """Give a dataset to all that read images; return what was said by all of them."""
    prepared = run(prepare([folder], folder.parent / "prepared"))
    tiles = read_manifest(prepared.folder)
    assert [tile.name for tile in tiles] == list(shown)
    for tile in tiles:
        image = read_image(prepared.folder / tile.image).array
        assert np.array_equal(image, shown[tile.name])
    report = run(check_dataset(folder, workers=1))
    assert not report.problems
    stack = open_tile_stack(folder)
    reader = TileReader("rgb", in_colour=True, white=(dataset := open_training_set(folder)).white)
    for tile in (*dataset.train, *dataset.validation):
        assert np.array_equal(reader.read(tile).pixels, shown[tile.name])
        assert np.array_equal(
            stack.images[stack.names.index(tile.name)].compute(), shown[tile.name]
        )
    found, told = segmented(folder, folder.parent / "segmented")
    plain = folder.parent / "plain"
    for name, image in shown.items():
        write_image(plain / "images" / f"{name}.png", image)
    expected, _ = segmented(plain, folder.parent / "expected")
    assert {name: labels.max() for name, labels in found.items()} == dict.fromkeys(shown, 12)
    for name, labels in expected.items():
        assert np.array_equal(found[name], labels)
    notes = [tile.note for tile in tiles]
    for texts in (notes, [*told, *notes], [str(finding) for finding in report.findings]):
        assert said in " ".join(texts)
    return [*told, *prepared.messages, *notes]


def plain(folder: Path) -> None:
    """8-bit RGB in every format that keeps it."""
    for suffix in (".png", ".tif", ".bmp"):
        place = folder / suffix[1:] / "data"
        shown = pairs(place, lambda path, rgb: Image.fromarray(rgb).save(path), suffix)
        assert check_every_door(place, shown)[-2:] == ["", ""]


def clear(folder: Path) -> None:
    """Right half transparent black, as slide readers return what was not scanned."""

    def write(path: Path, rgb: Pixels) -> None:
        rgba = np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])
        rgba[:, 96:] = 0
        Image.fromarray(rgba).save(path)

    shown = pairs(folder / "data", write, ".png")
    found, _ = segmented(folder / "data", folder / "out")
    for name, labels in found.items():
        assert not labels[:, 96:].any()
        assert labels.max() == 9
        shown[name][:, 96:] = 255
    prepared = run(prepare([folder / "data"], folder / "prepared"))
    for tile in prepared.tiles:
        assert np.array_equal(read_image(prepared.folder / tile.image).array, shown[tile.name])
    again, _ = segmented_tiles(prepared.folder, folder / "again")
    assert all(np.array_equal(again[name], found[name]) for name in found)
    reader = TileReader("rgb", in_colour=True)
    for tile in open_training_set(folder / "data").train:
        assert np.array_equal(reader.read(tile).pixels, shown[tile.name])
    stack = open_tile_stack(folder / "data")
    assert np.array_equal(stack.images[0].compute(), shown["a"])


def segmented_tiles(folder: Path, out: Path) -> tuple[dict[str, Pixels], list[str]]:
    """Segment a prepared dataset; return labels by the names of its tiles."""
    found, told = segmented(folder, out)
    names = {Path(tile.image).stem: tile.name for tile in read_manifest(folder)}
    return {names[stem]: labels for stem, labels in found.items()}, told


def ones(folder: Path) -> None:
    """Axes of length 1, of images and masks."""
    for number, shape in enumerate([(96, 128, 1), (1, 96, 128), (96, 1, 128)]):
        data = folder / str(number) / "data"

        def write(path: Path, rgb: Pixels, shape: tuple[int, ...] = shape) -> None:
            tifffile.imwrite(path, rgb[..., 0].reshape(shape), photometric="minisblack")

        shown = pairs(data, write, ".tif", masks=False)
        (data / "masks").mkdir()
        for seed, name in enumerate(shown):
            mask = tissue(seed)[1].astype(np.uint8).reshape(shape)
            tifffile.imwrite(data / "masks" / f"{name}.tif", mask, photometric="minisblack")
            assert np.array_equal(read_labels(data / "masks" / f"{name}.tif"), tissue(seed)[1])
        grey = {name: np.repeat(rgb[..., :1], 3, axis=2) for name, rgb in shown.items()}
        dataset = open_training_set(data)
        reader = TileReader("red")
        for tile in (*dataset.train, *dataset.validation):
            assert np.array_equal(reader.read(tile).pixels[..., 0], grey[tile.name][..., 0])
        check_every_door_of_grey(data, grey)


def check_every_door_of_grey(folder: Path, shown: Mapping[str, Pixels], said: str = "") -> None:
    """As `check_every_door`, for images of one channel."""
    prepared = run(prepare([folder], folder.parent / "prepared"))
    for tile in prepared.tiles:
        assert np.array_equal(read_image(prepared.folder / tile.image).array, shown[tile.name])
        assert tile.nuclei == 12
        assert said in tile.note
    assert not run(check_dataset(folder, workers=1)).problems
    stack = open_tile_stack(folder)
    for number, name in enumerate(stack.names):
        assert np.array_equal(stack.images[number].compute(), shown[name])
    found, _ = segmented(folder, folder.parent / "segmented")
    assert {name: labels.max() for name, labels in found.items()} == dict.fromkeys(shown, 12)
    assert {labels.shape for labels in found.values()} == {(96, 128)}


def deep(folder: Path) -> None:
    """12 bits in 16, with a hot pixel, a scale bar, and alpha of 16 bits."""
    said = "For uint16 images, 4,095 is taken as white"

    def hot(path: Path, rgb: Pixels) -> None:
        stored = twelve_bits(rgb)
        stored[3, 3] = 4100
        tifffile.imwrite(path, stored, photometric="rgb")

    shown = pairs(folder / "hot" / "data", hot, ".tif")
    for rgb in shown.values():
        rgb[3, 3] = 255
    check_every_door(folder / "hot" / "data", shown, said)

    def opaque(path: Path, rgb: Pixels) -> None:
        alpha = np.full(rgb.shape[:2], 65535, np.uint16)
        tifffile.imwrite(path, np.dstack([twelve_bits(rgb), alpha]), photometric="rgb")

    check_every_door(
        folder / "alpha" / "data", pairs(folder / "alpha" / "data", opaque, ".tif"), said
    )

    def barred(path: Path, rgb: Pixels) -> None:
        stored = twelve_bits(rgb)
        stored[88:92, 70:120] = 65535
        tifffile.imwrite(path, stored, photometric="rgb")

    shown = pairs(folder / "bar" / "data", barred, ".tif")
    for rgb in shown.values():
        rgb[88:92, 70:120] = 255
    assert said in check_images(folder / "bar" / "data", shown)


def check_images(folder: Path, shown: Mapping[str, Pixels]) -> str:
    """Prepare images and compare what they show; return what was said."""
    prepared = run(prepare([folder], folder.parent / "prepared"))
    for tile in prepared.tiles:
        assert np.array_equal(read_image(prepared.folder / tile.image).array, shown[tile.name])
    return " ".join(prepared.messages)


def floats(folder: Path) -> None:
    """Floats of three ranges, and one pixel of 2."""

    def unit(path: Path, rgb: Pixels) -> None:
        stored = (rgb / 255).astype(np.float32)
        stored[3, 3] = 2
        tifffile.imwrite(path, stored, photometric="rgb")

    shown = pairs(folder / "unit" / "data", unit, ".tif")
    for rgb in shown.values():
        rgb[3, 3] = 255
    check_every_door(folder / "unit" / "data", shown)
    for top in (255, 65535):

        def large(path: Path, rgb: Pixels, top: int = top) -> None:
            tifffile.imwrite(path, (rgb * (top / 255)).astype(np.float32), photometric="rgb")

        data = folder / str(top) / "data"
        check_every_door(data, pairs(data, large, ".tif"))


def one_range(folder: Path) -> None:
    """A tile that is dark beside others keeps its darkness; so does a file segmented alone."""
    data = folder / "data"
    shown = pairs(data, lambda path, rgb: tifffile.imwrite(path, twelve_bits(rgb)), ".tif")
    dark = twelve_bits(shown["a"] // 5)
    tifffile.imwrite(data / "images" / "a.tif", dark, photometric="rgb")
    prepared = run(prepare([data], folder / "prepared"))
    (tile,) = [tile for tile in prepared.tiles if tile.name == "a"]
    found = read_image(prepared.folder / tile.image).array
    assert np.array_equal(found, shown["a"] // 5)
    assert re.search(f"4,095 .*{THE_DATASET}", tile.note)
    assert open_training_set(data).white == {"uint16": 4095}
    from napari_snow_unet.data.datasets.dataset_info import read_info

    assert read_info(prepared.folder).white == {"uint16": 4095}


def black(folder: Path) -> None:
    """An image of which nothing can be seen is said to be so."""
    shown = pairs(folder / "data", lambda path, rgb: Image.fromarray(rgb // 16).save(path), ".bmp")
    said = NEARLY_BLACK.removesuffix(".")
    prepared = run(prepare([folder / "data"], folder / "prepared"))
    assert all(said in tile.note for tile in prepared.tiles)
    assert np.array_equal(open_tile_stack(folder / "data").images[0].compute(), shown["a"] // 16)
    _, told = segmented(folder / "data", folder / "out")
    assert said in " ".join(told)
    assert said in " ".join(map(str, run(check_dataset(folder / "data", workers=1)).findings))


def refused_values(folder: Path) -> None:
    """Negative values, values that are no number."""
    for number, value in enumerate((-1.0, np.nan)):
        data = folder / str(number)

        def write(path: Path, rgb: Pixels, value: float = value) -> None:
            stored = (rgb / 255).astype(np.float32)
            stored[0, 0] = value
            tifffile.imwrite(path, stored, photometric="rgb")

        pairs(data, write, ".tif")
        problems = run(prepare([data], folder / f"out{number}")).problems
        assert all("not negative" in each.reason for each in problems)
        assert len(problems) == 2
        (first, *_) = open_training_set(data).train
        with pytest.raises(InputError, match="not negative"):
            TileReader("red").read(first)


def stated(folder: Path) -> None:
    """12 bits that are said to be 12, and are dark."""

    def write(path: Path, rgb: Pixels) -> None:
        tags = [(281, "H", 1, 4095, True)]
        tifffile.imwrite(path, twelve_bits(rgb // 5), photometric="rgb", extratags=tags)

    shown = {name: rgb // 5 for name, rgb in pairs(folder / "data", write, ".tif").items()}
    assert "taken as white" not in check_images(folder / "data", shown)
    assert np.array_equal(open_tile_stack(folder / "data").images[1].compute(), shown["b"])


def exif(folder: Path) -> None:
    """A photograph that is stored lying, and a mask that was drawn on it as it is shown."""

    def write(path: Path, rgb: Pixels) -> None:
        tags = Image.Exif()
        tags[274] = 6
        Image.fromarray(np.ascontiguousarray(np.rot90(rgb))).save(path, exif=tags)

    said = "(orientation 6)"
    for suffix in (".png", ".tif"):
        data = folder / suffix[1:] / "data"
        check_every_door(data, pairs(data, write, suffix), said)
    unturned = folder / "unturned" / "data"
    shown = pairs(unturned, write, ".png", masks=False)
    for seed, name in enumerate(shown):
        write_labels(unturned / "masks" / f"{name}.png", np.rot90(tissue(seed)[1]))
    told = check_every_door(unturned, shown, said)
    assert mask_turned(6).removesuffix(".") in " ".join(told)
    for tile in open_training_set(unturned).train:
        truth = TileReader("red").read(tile).truth
        assert np.array_equal(truth, tissue("ab".index(tile.name))[1] > 0)
    assert np.array_equal(open_tile_stack(unturned).labels[0].compute(), tissue(0)[1])


def square(folder: Path) -> None:
    """A square photograph: nothing tells how its mask was drawn."""
    image, labels = tissue(0, (96, 96))
    tags = Image.Exif()
    tags[274] = 3
    (folder / "data" / "images").mkdir(parents=True)
    stored = np.ascontiguousarray(np.rot90(image, 2))
    Image.fromarray(stored).save(folder / "data" / "images" / "a.png", exif=tags)
    write_labels(folder / "data" / "masks" / "a.png", labels)
    (tile,) = run(prepare([folder / "data"], folder / "prepared")).tiles
    assert np.array_equal(read_image(folder / "prepared" / tile.image).array, image)
    assert mask_in_doubt(3).removesuffix(".") in tile.note


def inverted(folder: Path) -> None:
    """Grey images whose 0 is white, by their tag or by a lookup table of ImageJ."""
    table = np.tile(np.arange(255, -1, -1, dtype=np.uint8), (3, 1))
    for number, how in enumerate(
        ({"photometric": "miniswhite"}, {"imagej": True, "metadata": {"LUTs": [table]}})
    ):
        data = folder / str(number) / "data"

        def write(path: Path, rgb: Pixels, how: dict = how) -> None:
            tifffile.imwrite(path, 255 - rgb[..., 0], **how)

        shown = pairs(data, write, ".tif")
        grey = {name: np.repeat(rgb[..., :1], 3, axis=2) for name, rgb in shown.items()}
        check_every_door_of_grey(data, grey)


def palettes(folder: Path) -> None:
    """Images with a colour table, of 8 and of 16 bits."""
    for bits in (8, 16):
        data = folder / str(bits) / "data"

        def write(path: Path, rgb: Pixels, bits: int = bits) -> None:
            colours, indices = np.unique(rgb.reshape(-1, 3), axis=0, return_inverse=True)
            table = np.zeros((3, 2**bits), np.uint16)
            table[:, : len(colours)] = colours.T.astype(np.uint16) * 257
            stored = indices.reshape(rgb.shape[:2]).astype(f"u{bits // 8}")
            tifffile.imwrite(path, stored, photometric="palette", colormap=table)

        check_every_door(data, pairs(data, write, ".tif"))


def several(folder: Path) -> None:
    """A thumbnail in front, and a label behind the picture."""

    def write(path: Path, rgb: Pixels) -> None:
        with tifffile.TiffWriter(path) as tif:
            tif.write(np.ascontiguousarray(rgb[::4, ::4]), photometric="rgb", subfiletype=1)
            tif.write(rgb, photometric="rgb")
            tif.write(np.zeros((20, 30, 3), np.uint8), photometric="rgb")

    check_every_door(folder / "data", pairs(folder / "data", write, ".tif"))


def deep_png(folder: Path) -> None:
    """PNG with 16 bits in each of three channels."""
    import imagecodecs

    def write(path: Path, rgb: Pixels) -> None:
        path.write_bytes(imagecodecs.png_encode(rgb.astype(np.uint16) * 257))

    check_every_door(folder / "data", pairs(folder / "data", write, ".png"))


def foreign_colours(folder: Path) -> None:
    """A TIFF in CIELAB."""
    pairs(
        folder / "data", lambda path, rgb: tifffile.imwrite(path, rgb, photometric="cielab"), ".tif"
    )
    problems = run(prepare([folder / "data"], folder / "out")).problems
    assert all("CIELAB" in each.reason and "RGB" in each.reason for each in problems)
    with pytest.raises(InputError, match="CIELAB"):
        read_image(folder / "data" / "images" / "a.tif")


def imagej_colours(folder: Path) -> None:
    """Three channels of 16 bits in the order blue, green, red, shown together."""
    ramps = [np.zeros((3, 256), np.uint8) for _ in range(3)]
    for band, ramp in zip((2, 1, 0), ramps, strict=True):
        ramp[band] = np.arange(256)
    facts = {"axes": "CYX", "mode": "composite", "LUTs": ramps, "Ranges": (0.0, 65535.0) * 3}

    def write(path: Path, rgb: Pixels) -> None:
        stored = np.moveaxis(rgb[..., ::-1], -1, 0).astype(np.uint16) * 257
        tifffile.imwrite(path, stored, imagej=True, metadata=facts)

    check_every_door(folder / "data", pairs(folder / "data", write, ".tif"))


def channels(folder: Path) -> None:
    """OME-TIFF with a plane for each of three channels without a colour."""

    def write(path: Path, rgb: Pixels) -> None:
        planes = np.moveaxis(rgb, -1, 0)
        tifffile.imwrite(path, planes, ome=True, metadata={"axes": "CYX"}, photometric="minisblack")

    said = CHANNELS_AS_COLOURS.removesuffix(".")
    check_every_door(folder / "data", pairs(folder / "data", write, ".tif"), said)


def profiles(folder: Path) -> None:
    """PNG with a colour profile and a gamma, which browsers apply."""
    from PIL import ImageCms
    from PIL.PngImagePlugin import PngInfo

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    gamma = PngInfo()
    gamma.add(b"gAMA", (100_000).to_bytes(4, "big"))

    def write(path: Path, rgb: Pixels) -> None:
        Image.fromarray(rgb).save(path, icc_profile=profile, pnginfo=gamma)

    assert check_every_door(folder / "data", pairs(folder / "data", write, ".png"))[-2:] == ["", ""]


def other_formats(folder: Path) -> None:
    """WebP that is called PNG."""

    def write(path: Path, rgb: Pixels) -> None:
        Image.fromarray(rgb).save(path, "WEBP")

    pairs(folder / "data", write, ".png")
    problems = run(prepare([folder / "data"], folder / "out")).problems
    assert len(problems) == 2
    assert all("WebP" in each.reason and "PNG" in each.reason for each in problems)
    with pytest.raises(InputError, match="WebP"):
        read_image(folder / "data" / "images" / "a.png")


CASES: list[Case] = [
    Case(
        "PNG, TIFF or BMP, 8-bit RGB",
        "accepted",
        "as stored, bit for bit, nothing stretched",
        plain,
    ),
    Case(
        "transparent pixels (RGBA, grey with alpha, a transparent colour)",
        "accepted",
        (
            "placed on white, like glass; nothing is segmented in transparent pixels. In a mask "
            "they are background"
        ),
        clear,
    ),
    Case(
        "a TIFF of shape (Y, X, 1), (1, Y, X) or (Y, 1, X), image or mask",
        "accepted",
        (
            "axes of length 1 are dropped; in napari the result has the shape of the layer, and "
            "layers that differ only in such axes can be compared"
        ),
        ones,
    ),
    Case(
        "10, 12, 14 or 16 bits in 16, with hot pixels, a burnt-in scale bar or 16-bit alpha",
        "accepted, with a note",
        (
            "white is the smallest of 255, 1,023, 4,095, 16,383 and 65,535 that holds the values, "
            "without the brightest 0.5 % and a maximum that up to 5 % share; values above are "
            "clipped"
        ),
        deep,
    ),
    Case(
        "floats from 0 to 1, to 255 or to 65,535",
        "accepted",
        "up to 1.25 as they are, above that like integers",
        floats,
    ),
    Case(
        "dark images among others of more than 8 bits",
        "accepted, with a note",
        (
            "one white value for all images of a data type, determined from a sample and stored in "
            "`dataset.json` and in the model that is trained on them, so that `segment` reads a "
            "single dark file in the same way. If the model has none, `segment` decides for each "
            "file and reports it"
        ),
        one_range,
    ),
    Case(
        "an image that is nearly black",
        "accepted, with a note",
        "a note says that hardly any value exceeds an eighth of white",
        black,
    ),
    Case(
        "negative values, or NaN",
        "refused",
        "the message gives the range of values; clip or rescale the image",
        refused_values,
    ),
    Case(
        (
            "a file that states its significant bits (BitsPerSample, OME SignificantBits, "
            "MaxSampleValue, sBIT)"
        ),
        "accepted",
        "white is the stated value, unless values exceed it",
        stated,
    ),
    Case(
        "a photograph with an EXIF or TIFF orientation",
        "accepted, with a note",
        (
            "turned as in image viewers. A mask with the size of the image as stored is turned too."
            " napari itself does not turn images: there the layer's pixels count, and files saved "
            "from it record this"
        ),
        exif,
    ),
    Case(
        "the same, square or upside down, with a mask",
        "accepted, with a note",
        "the mask is taken to match the turned image, with a note",
        square,
    ),
    Case(
        "grey TIFF whose 0 is white, or with an inverting lookup table of ImageJ",
        "accepted",
        "inverted, as viewers show it; label images keep their numbers",
        inverted,
    ),
    Case("a colour table of 8 or 16 bits", "accepted", "its colours", palettes),
    Case(
        "ImageJ's coloured lookup tables: of one channel, or of three that are shown together",
        "accepted",
        "the colours that ImageJ shows, in 8 bits, by the display range of the file",
        imagej_colours,
    ),
    Case(
        "three channels in separate planes that the file does not declare as colours",
        "accepted, with a note",
        "they are read as red, green and blue",
        channels,
    ),
    Case(
        "a colour profile (ICC) or gamma in a file",
        "accepted",
        "ignored, as in ImageJ and napari",
        profiles,
    ),
    Case(
        "WebP, GIF, JPEG 2000, HEIC or PDF named `.png` or `.tif`",
        "refused",
        "the message names the format; save it as PNG or TIFF",
        other_formats,
    ),
    Case(
        "a TIFF with thumbnail, label or macro image",
        "accepted",
        (
            "the first of its largest images that is none of these; a note says if there are "
            "several of similar size"
        ),
        several,
    ),
    Case("PNG with 16 bits in each of several channels", "accepted", "all 16 bits", deep_png),
    Case(
        "TIFF in CIELAB or another colour space that cannot be read",
        "refused",
        "the message names the colour space; save it as RGB. CMYK and YCbCr are read",
        foreign_colours,
    ),
]
