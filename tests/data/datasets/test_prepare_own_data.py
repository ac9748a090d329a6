"""One's own images and masks: other formats, QuPath's exports, ids beyond 16 bits."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets import messages as of_datasets
from napari_snow_unet.data.datasets.dataset_info import masks_in
from napari_snow_unet.data.datasets.prepare import messages
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.tile_arrays import sixteen_bit
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.formats.labels_of_outlines import REGION_COUNTS
from napari_snow_unet.data.pairs.folder import find_pairs
from napari_snow_unet.data.pairs.partner import partner_of
from napari_snow_unet.data.pixels.images import read_image, write_image
from napari_snow_unet.data.pixels.png import encode, plain_rgb


def prepared(folder, **options):
    """Prepare a folder and return the only tile, with its image and mask as arrays."""
    out = folder.parent / "out"
    result = run(prepare([folder], out, PrepareOptions(workers=1, **options)))
    assert result.problems == []
    (tile,) = result.tiles
    return tile, read_image(out / tile.image), read_labels(out / tile.mask)


@pytest.fixture
def own(tmp_path):
    """An RGB image and two touching nuclei, and where they go."""
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    labels = np.zeros((20, 30), np.int32)
    labels[2:6, 2:6], labels[2:6, 6:9], labels[10:14, 20:29] = 7, 300, 9
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "data" / "masks").mkdir()
    return tmp_path / "data", image, labels


def rgb_png(image, path):
    Image.fromarray(image).save(path.with_suffix(".png"))
    return image


def palette_png(image, path):
    picture = Image.fromarray(image).quantize(16)
    picture.save(path.with_suffix(".png"))
    return np.array(picture.convert("RGB"))


def opaque_rgba_png(image, path):
    Image.fromarray(np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])).save(
        path.with_suffix(".png")
    )
    return image


def half_clear_rgba_png(image, path):
    alpha = np.zeros(image.shape[:2], np.uint8)
    alpha[:10] = 255
    Image.fromarray(np.dstack([image, alpha])).save(path.with_suffix(".png"))
    return np.where(alpha[..., None] == 255, image, 255)


def grey_png(image, path):
    Image.fromarray(image[..., 0]).save(path.with_suffix(".png"))
    return np.repeat(image[..., :1], 3, axis=2)


def tiff(image, path):
    tifffile.imwrite(path.with_suffix(".tif"), image, photometric="rgb")
    return image


def tiff_16_bit(image, path):
    tifffile.imwrite(path.with_suffix(".tif"), image.astype(np.uint16) * 257, photometric="rgb")
    return image


def bmp(image, path):
    Image.fromarray(image).save(path.with_suffix(".bmp"))
    return image


@pytest.mark.parametrize(
    "write",
    [
        rgb_png,
        palette_png,
        opaque_rgba_png,
        half_clear_rgba_png,
        grey_png,
        tiff,
        tiff_16_bit,
        bmp,
    ],
)
def test_images_of_all_kinds_become_8_bit_rgb(own, write):
    folder, image, labels = own
    expected = write(image, folder / "images" / "a")
    write_labels(folder / "masks" / "a.png", labels)
    tile, found, mask = prepared(folder)
    assert found.array.dtype == np.uint8
    assert np.array_equal(found.array, expected)
    assert np.array_equal(mask, labels)
    assert (tile.nuclei, tile.note) == (3, "")
    assert plain_rgb((folder.parent / "out" / tile.image).read_bytes())


def test_only_a_plain_png_is_copied(own):
    folder, image, labels = own
    path = folder / "images" / "a.png"
    write_labels(folder / "masks" / "a.png", labels)
    Image.fromarray(image).save(path, optimize=True)
    tile, _, _ = prepared(folder)
    assert (folder.parent / "out" / tile.image).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
        lambda data: data.replace(b"IHDR", b"IHDX"),
        lambda data: data[:8] + data[33:],
        lambda data: b"\x89PNG\r\n\x1a\n",
        lambda data: b"",
    ],
)
def test_a_png_that_is_not_whole_is_not_plain(spoil):
    data = encode(np.zeros((4, 5, 3), np.uint8))
    assert plain_rgb(data)
    assert plain_rgb(spoil(data)) is None


@pytest.mark.parametrize(
    "save",
    [
        lambda image, path: Image.fromarray(image).save(path, transparency=(1, 2, 3)),
        lambda image, path: Image.fromarray(image).save(path, icc_profile=b"profile"),
        lambda image, path: Image.fromarray(image[..., 0]).save(path),
        lambda image, path: Image.fromarray(image).save(path.with_suffix(".jpg")),
    ],
)
def test_a_png_with_more_than_pixels_is_not_plain(tmp_path, save):
    save(np.zeros((4, 5, 3), np.uint8), tmp_path / "a.png")
    (path,) = tmp_path.iterdir()
    assert plain_rgb(path.read_bytes()) is None


def test_a_pixel_size_is_taken_from_the_file_and_written_to_it(own):
    folder, image, labels = own
    tifffile.imwrite(
        folder / "images" / "a.tif",
        image,
        photometric="rgb",
        resolution=(1e4 / 0.25, 1e4 / 0.25),
        resolutionunit="CENTIMETER",
    )
    write_labels(folder / "masks" / "a.png", labels)
    tile, found, _ = prepared(folder, um_per_px=9.0)
    assert tile.um_per_px == pytest.approx(0.25)
    assert found.pixel_size_um == pytest.approx(0.25, rel=1e-4)
    assert plain_rgb(encode(image, 0.25)).um_per_px == pytest.approx(0.25)


def test_a_pixel_size_that_was_stated_holds_where_files_say_nothing(own):
    folder, image, labels = own
    write_image(folder / "images" / "a.png", image)
    write_labels(folder / "masks" / "a.png", labels)
    assert prepared(folder, um_per_px=0.5)[0].um_per_px == 0.5


@pytest.mark.parametrize("value", [1, 128, 255])
def test_nuclei_of_a_binary_mask_are_numbered(own, value):
    folder, image, labels = own
    write_image(folder / "images" / "a.png", image)
    write_image(folder / "masks" / "a.png", ((labels > 0) * value).astype(np.uint8))
    tile, _, mask = prepared(folder)
    assert np.array_equal(mask > 0, labels > 0)
    assert set(np.unique(mask)) == {0, 1, 2}  # the two that touch are one
    assert of_datasets.components_numbered(2).rstrip(".") in tile.note
    assert tile.nuclei == 2


def test_ids_above_16_bits_are_renumbered_and_noted(own):
    folder, image, labels = own
    labels[labels == 300] = 2_000_000_000
    labels[labels == 9] = 70_000
    labels[0, 0] = 1
    write_image(folder / "images" / "a.png", image)
    tifffile.imwrite(folder / "masks" / "a.tif", labels.astype(np.uint32))
    tile, _, mask = prepared(folder)
    assert of_datasets.renumbered(2).rstrip(".") in tile.note
    assert tile.nuclei == 4
    for old, new in ((1, 1), (7, 7), (70_000, 2), (2_000_000_000, 3)):
        assert np.array_equal(mask == new, labels == old)


def test_more_nuclei_than_16_bits_hold_are_a_problem(own):
    folder, _, _ = own
    write_image(folder / "images" / "a.png", np.zeros((520, 520, 3), np.uint8))
    dots = np.zeros((520, 520), np.uint32)
    dots[::2, ::2] = np.arange(260 * 260).reshape(260, 260)
    tifffile.imwrite(folder / "masks" / "a.tif", dots)
    result = run(prepare([folder], folder.parent / "out", PrepareOptions(workers=1)))
    assert result.problems[0].reason == of_datasets.too_many_nuclei(260 * 260).text()
    assert sixteen_bit(np.full((2, 2), 65_535, np.int32))[1] == 0


def test_stacks_and_colour_masks_are_problems_by_name(own):
    folder, image, labels = own
    tifffile.imwrite(folder / "images" / "a.tif", np.stack([image] * 5), photometric="rgb")
    write_labels(folder / "masks" / "a.png", labels)
    write_image(folder / "images" / "b.png", image)
    write_image(folder / "masks" / "b.png", image)
    write_image(folder / "images" / "c.png", image)
    Image.fromarray(labels.astype(np.uint8)).save(folder / "masks" / "c.jpg")
    result = run(prepare([folder], folder.parent / "out", PrepareOptions(workers=1)))
    reasons = {problem.name: problem.reason for problem in result.problems}
    assert reasons["data/images/a.tif"] == of_datasets.not_one_plane((5, 20, 30, 3)).text()
    assert "in colour" in reasons["data/masks/b.png"]
    assert "c.jpg: JPEG" in reasons["data/images/c.png"]


SQUARE = [[4, 6], [12, 6], [12, 14], [4, 14], [4, 6]]


def geojson(path, shift=0):
    ring = [[x + shift, y + shift] for x, y in SQUARE]
    feature = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}
    path.write_text(json.dumps([feature]))


@pytest.mark.parametrize("place", ["images", "masks"])
def test_geojson_is_a_mask_beside_its_image_or_in_a_folder(own, place):
    folder, image, _ = own
    write_image(folder / "images" / "a.png", image)
    geojson(folder / place / "a.geojson")
    tile, _, mask = prepared(folder)
    assert (mask[6:14, 4:12] == 1).all()
    assert (tile.nuclei, mask.sum()) == (1, 64)
    assert partner_of(folder / "images" / "a.png") == folder / place / "a.geojson"
    assert partner_of(folder / place / "a.geojson") == folder / "images" / "a.png"
    assert np.array_equal(read_labels(folder / place / "a.geojson"), mask)


@pytest.mark.parametrize(
    "label_name", ["{}-labelled.tif", "{}.png", "labels/{}.tif", "labels/{}-labelled.png"]
)
def test_tiles_that_qupath_exported_find_their_labels(own, label_name):
    folder, image, labels = own
    tiles = folder / "tiles"
    (tiles / "labels").mkdir(parents=True)
    name = "slide 1 [d=2,x=100,y=200,w=60,h=40]"
    tifffile.imwrite(tiles / f"{name}.tif", image, photometric="rgb")
    write_labels(tiles / label_name.format(name), labels)
    tile, _, mask = prepared(tiles.parent, um_per_px=0.25)
    assert tile.name == name
    assert tile.um_per_px == 0.5
    assert np.array_equal(mask, labels)
    assert find_pairs(folder).orphans == []


def test_tiles_of_a_slide_take_their_region_of_its_geojson(own):
    folder, image, _ = own
    for x in (100, 160):
        write_image(folder / "images" / f"slide [d=2,x={x},y=200,w=60,h=40].png", image + x)
    geojson(folder / "slide.geojson", shift=0)
    text = json.loads((folder / "slide.geojson").read_text())
    text[0]["geometry"]["coordinates"] = [[[150, 210], [170, 210], [170, 220], [150, 220]]]
    (folder / "slide.geojson").write_text(json.dumps(text))
    result = run(prepare([folder], folder.parent / "out", PrepareOptions(workers=1)))
    assert result.problems == []
    first, second = (read_labels(folder.parent / "out" / tile.mask) for tile in result.tiles)
    assert (first[5:10, 25:30] == 1).all()
    assert (second[5:10, 0:5] == 1).all()
    assert first.sum() == second.sum() == 25


def test_the_region_goes_with_the_frame_and_a_region_of_ones_own_stays(tmp_path):
    def outlined(*boxes):
        features = [
            {
                "type": "Feature",
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [[[x, y], [x + s, y], [x + s, y + s], [x, y + s], [x, y]]],
                },
                "properties": {"objectType": "annotation"},
            }
            for x, y, s in boxes
        ]
        return json.dumps({"type": "FeatureCollection", "features": features})

    nuclei, folder = [(2, 2, 5), (12, 2, 5), (2, 12, 5)], tmp_path / "in"
    for name in "ab":
        write_image(folder / "images" / f"{name}.png", np.full((40, 40, 3), ord(name), np.uint8))
    masks = folder / "masks"
    masks.mkdir()
    (masks / "a.geojson").write_text(outlined((0, 0, 20), *nuclei))
    (masks / "b.geojson").write_text(outlined(*nuclei))
    out, options = tmp_path / "out", PrepareOptions(workers=1)
    first = run(prepare([folder], out, options)).tiles
    place = out / "regions"
    assert [path.name for path in place.iterdir()] == ["000000.png"]
    assert np.count_nonzero(read_labels(place / "000000.png")) == 400
    assert REGION_COUNTS in first[0].note
    write_labels(place / "000001.png", np.eye(40, dtype=np.int32))
    (masks / "a.geojson").write_text(outlined(*nuclei))
    (masks / "b.geojson").write_text(outlined(*nuclei, (30, 30, 5)))
    again = run(prepare([folder], out, options)).tiles
    assert [(tile.nuclei, tile.note) for tile in again] == [(3, ""), (4, "")]
    assert [path.name for path in place.iterdir()] == ["000001.png"]


def test_how_masks_are_read_is_kept_for_the_next_run(own, tmp_path):
    folder, image, labels = own
    out = tmp_path / "out"
    for name in "ab":
        write_image(folder / "images" / f"{name}.png", image)
    write_image(folder / "masks" / "a.png", ((labels > 0) + 1).astype(np.uint8))
    refused = run(prepare([folder], out, PrepareOptions(workers=1)))
    assert "masks_are" in {name for problem in refused.problems for name in problem.helps}
    taken = run(prepare([folder], out, PrepareOptions(workers=1, masks_are="binary")))
    assert taken.new == 1
    note = of_datasets.components_numbered(2).partition(" (")[0]
    assert messages.noted(note, "a", 1) in taken.messages
    assert json.loads((out / "dataset.json").read_text(encoding="utf-8"))["masks_are"] == "binary"
    write_image(folder / "masks" / "b.png", ((labels > 0) + 1).astype(np.uint8))
    again = run(prepare([folder], out, PrepareOptions(workers=1)))
    assert again.new == 1
    assert messages.masks_kept("binary") in again.messages
    other = run(prepare([folder], out, PrepareOptions(workers=1, masks_are="classes")))
    assert other.messages[0] == messages.masks_not_read_again(2)


def test_a_dataset_says_what_its_masks_hold(own, tmp_path):
    folder, image, labels = own
    write_image(folder / "images" / "a.png", image)
    write_labels(folder / "masks" / "a.png", labels)
    for binary, expected in ((False, "labels"), (True, "binary")):
        out = tmp_path / expected
        run(prepare([folder], out, PrepareOptions(workers=1, binary=binary)))
        assert masks_in(out) == masks_in(out / "masks" / "000000.png") == expected
    assert masks_in(folder) is None


def test_a_link_to_nowhere_is_named(own):
    folder, image, labels = own
    for name in ("a.png", "b.png"):
        write_image(folder / "images" / name, image)
    write_labels(folder / "masks" / "a.png", labels)
    (folder / "masks" / "b.png").symlink_to(folder / "gone.png")
    (folder / "masks" / "notes.txt").symlink_to(folder / "gone.txt")
    result = run(prepare([folder], folder.parent / "out", PrepareOptions(workers=1)))
    reasons = {problem.name: problem.reason for problem in result.problems}
    assert set(reasons) == {"data/images/b.png", "data/masks/b.png"}
    assert reasons["data/masks/b.png"] == of_datasets.DEAD_LINK
