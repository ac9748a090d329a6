"""Dropped files become layers: masks with their tiles, once each, and nothing of anyone else's."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
from contextlib import nullcontext

import numpy as np
import pytest
import scipy.io
import tifffile
from napari.settings import get_settings
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from typer.testing import CliRunner

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.cli import app
from napari_snow_unet.data.formats import origin as formats_origin
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.formats.nuclei_file import Nuclei, write_nuclei, write_stack
from napari_snow_unet.data.formats.ome_zarr import write_ome_zarr_labels
from napari_snow_unet.data.formats.origin import origin_of, read_own_labels
from napari_snow_unet.data.formats.tiled_tiff import write_tiled_tiff
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.data.pixels.messages import mask_in_doubt, mask_turned
from napari_snow_unet.data.pixels.orientation import turned
from napari_snow_unet.data.pixels.png import encode
from napari_snow_unet.data.synthetic import generate_tile
from napari_snow_unet.napari_plugin.layers import NO_LAYER, read_as_labels
from napari_snow_unet.napari_plugin.reader import get_reader, read_file

pytestmark = pytest.mark.usefixtures("installed_plugins")
PLUGIN = "napari-snow-unet"
HEAVY = ["tensorflow", "keras", "torch", "jax", "cv2", "matplotlib", "qtpy", "napari", "scipy"]


@pytest.fixture
def snow(tmp_path):
    """Two tiles in SNOW's own layout."""
    labels = np.zeros((40, 50), np.int32)
    labels[5:15, 5:15] = 3
    labels[20:30, 20:32] = 70_000
    for name in ("seed0000", "seed0001"):
        write_image(tmp_path / "Image" / f"{name}.png", np.full((40, 50, 3), 99, np.uint8))
        write_hovernet_mat(tmp_path / "Mask" / f"{name}.mat", labels)
    return tmp_path


@pytest.fixture
def preferred():
    """Set, and forget again, which reader the user wants for PNG files."""
    plugins = get_settings().plugins
    before = dict(plugins.extension2reader)

    def prefer(plugin):
        plugins.extension2reader = {**before, "*.png": plugin}

    yield prefer
    plugins.extension2reader = before


def kinds(layers):
    return [(type(layer).__name__, layer.name) for layer in layers]


def pair(name="seed0000"):
    return [("Image", name), ("Labels", f"{name} mask")]


@pytest.mark.parametrize("name", ["Mask/seed0000.mat", "Image/seed0000.png"])
def test_either_file_brings_the_other(make_napari_viewer_proxy, snow, name):
    viewer = make_napari_viewer_proxy()
    viewer.open(snow / name, plugin=PLUGIN)
    assert kinds(viewer.layers) == pair()
    image, labels = viewer.layers
    assert image.rgb
    assert image.metadata["source"] == str(snow / "Image" / "seed0000.png")
    assert labels.metadata["source"] == str(snow / "Mask" / "seed0000.mat")
    assert labels.metadata["kind"] == "HoVer-Net inst_map"
    assert labels.data.dtype == np.int32
    assert set(np.unique(labels.data)) == {0, 3, 70_000}


def test_a_label_finds_its_row_of_features(make_napari_viewer_proxy, tmp_path):
    labels = np.zeros((20, 20), np.int32)
    labels[2:5, 4:9], labels[10:12, 10:12], labels[15:, 15:] = 7, 2, 9
    scipy.io.savemat(
        tmp_path / "tile.mat",
        {
            "inst_map": labels,
            "inst_uid": [[7], [2]],  # nucleus 9 is missing from the table
            "inst_centroid": [[6.0, 3.0], [10.5, 10.5]],
            "inst_type": [[4], [1]],
        },
    )
    viewer = make_napari_viewer_proxy()
    (layer,) = viewer.open(tmp_path / "tile.mat", plugin=PLUGIN)
    assert kinds([layer]) == [("Labels", "tile mask")]
    assert layer.features["index"].tolist() == [7, 2, 9]
    assert layer.features["type"].tolist() == [4, 1, 0]
    assert layer.features["centroid_y"][0] == 3.0
    assert layer.features["centroid_x"][0] == 6.0
    assert np.isnan(layer.features["centroid_x"][2])
    status = layer.get_status((3, 6), view_direction=None, dims_displayed=[0, 1], world=True)
    assert "type: 4" in str(status)


def test_an_image_with_a_known_pixel_size_scales_both(make_napari_viewer_proxy, tmp_path):
    from PIL import Image

    Image.new("RGB", (6, 5)).save(tmp_path / "seed1.png", dpi=(101_600, 101_600))
    write_hovernet_mat(tmp_path / "seed1.mat", np.ones((5, 6), np.int32))
    viewer = make_napari_viewer_proxy()
    image, labels = viewer.open(tmp_path / "seed1.mat", plugin=PLUGIN)
    for layer in (image, labels):
        assert layer.scale == pytest.approx([0.25, 0.25], rel=1e-3)
        assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_tiles_dropped_with_their_masks_give_one_layer_each(snow, order):
    from napari.components import ViewerModel

    viewer = ViewerModel()
    files = sorted(snow.glob("*/seed*"))
    viewer.open([files[i] for i in order], plugin=PLUGIN)
    layers = kinds(viewer.layers)
    assert sorted(layers) == sorted(pair("seed0000") + pair("seed0001"))
    for name in ("seed0000", "seed0001"):  # never an image over its own labels
        assert layers.index(pair(name)[0]) < layers.index(pair(name)[1])


def choosing(monkeypatch, reader):
    """Answer napari's question for a reader, and count how often it is asked."""
    from napari._qt.dialogs.qt_reader_dialog import QtReaderDialog

    asked = []

    def answer(dialog):
        asked.append(dialog)
        return reader, False

    monkeypatch.setattr(QtReaderDialog, "get_user_choices", answer)
    return asked


@pytest.mark.parametrize("preference", [None, PLUGIN, "napari"])  # what opens PNG files
@pytest.mark.parametrize("mask_first", [True, False])
@pytest.mark.filterwarnings("ignore:Private attribute access")
def test_a_real_drop_of_both_gives_one_layer_each(
    make_napari_viewer, snow, monkeypatch, preferred, preference, mask_first
):
    if preference is not None:
        preferred(preference)
    asked = choosing(monkeypatch, "SNOW U-Net")
    viewer = make_napari_viewer()
    files = [snow / "Image" / "seed0000.png", snow / "Mask" / "seed0000.mat"]
    files = [str(file) for file in (reversed(files) if mask_first else files)]
    viewer.window._qt_viewer._qt_open(files, stack=False)
    found = kinds(viewer.layers)
    assert (sorted(found) if preference == "napari" else found) == pair()
    assert len(asked) == (preference is None)


@pytest.mark.parametrize("name", ["Mask/seed0000.mat", "Image/seed0000.png"])
def test_opening_again_gives_new_layers(make_napari_viewer_proxy, snow, name):
    viewer = make_napari_viewer_proxy()
    for count in (2, 4, 6):
        viewer.open(snow / name, plugin=PLUGIN)
        assert len(viewer.layers) == count
    viewer.open(snow / "Image" / "seed0000.png", plugin=PLUGIN)
    assert len(viewer.layers) == 8
    viewer.layers.clear()
    viewer.open(snow / name, plugin=PLUGIN)
    assert kinds(viewer.layers) == pair()


def test_files_opened_as_a_stack_are_lazy(make_napari_viewer_proxy, snow):
    viewer = make_napari_viewer_proxy()
    viewer.open(sorted(snow.glob("Mask/*.mat")), plugin=PLUGIN, stack=True)
    image, labels = viewer.layers
    assert image.data.shape == (2, 40, 50, 3)
    assert labels.data.shape == (2, 40, 50)
    assert labels.metadata["names"] == ["seed0000", "seed0001"]


def test_a_mask_without_a_tile_opens_alone(make_napari_viewer_proxy, tmp_path, notifications):
    write_hovernet_mat(tmp_path / "lonely.mat", np.eye(9, dtype=np.int32))
    viewer = make_napari_viewer_proxy()
    viewer.open(tmp_path / "lonely.mat", plugin=PLUGIN)
    assert kinds(viewer.layers) == [("Labels", "lonely mask")]
    (told,) = notifications()
    assert "lonely.mat" in told.message
    viewer.open(tmp_path / "lonely.mat", plugin=PLUGIN)  # onto what is open already
    assert len(notifications()) == 1


def test_masks_in_png_open_as_labels(make_napari_viewer_proxy, tmp_path):
    write_image(tmp_path / "images" / "seed3.png", np.full((8, 9, 3), 7, np.uint8))
    write_labels(tmp_path / "masks" / "seed3.png", np.eye(8, 9, dtype=np.int32))
    viewer = make_napari_viewer_proxy()
    viewer.open(tmp_path / "masks" / "seed3.png", plugin=PLUGIN)
    assert kinds(viewer.layers) == pair("seed3")


def test_a_tile_without_nuclei_opens(make_napari_viewer_proxy, tmp_path):
    write_hovernet_mat(tmp_path / "empty.mat", np.zeros((9, 9), np.int32))
    viewer = make_napari_viewer_proxy()
    (layer,) = viewer.open(tmp_path / "empty.mat", plugin=PLUGIN)
    assert len(layer.features) == 0
    assert not layer.data.any()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\x89PNG\r\n\x1a\nbroken", "damaged"),
        (encode(np.zeros((4, 5, 3), np.uint8)), "4 x 5.*40 x 50"),
    ],
)
def test_a_partner_that_cannot_be_one_stays_closed_and_is_named(snow, content, told):
    (snow / "Image" / "seed0000.png").write_bytes(content)
    path = str(snow / "Mask" / "seed0000.mat")
    with pytest.warns(UserWarning, match=rf"seed0000\.png.*{told}"):
        layers = get_reader(path)(path)
    assert [layer[2] for layer in layers] == ["labels"]


def test_files_of_others_are_declined(tmp_path):
    scipy.io.savemat(tmp_path / "eeg.mat", {"signal": np.arange(10)})
    (tmp_path / "text.mat").write_text("hello")
    for name in ("eeg.mat", "text.mat", "missing.mat", "a\0b.mat", "."):
        assert get_reader(str(tmp_path / name)) is None, name
    assert get_reader([]) is None


def test_a_file_cut_short_is_one_clear_error(make_napari_viewer_proxy, tmp_path):
    whole = write_hovernet_mat(tmp_path / "whole.mat", np.arange(9000, dtype="i4").reshape(90, 100))
    cut = tmp_path / "cut.mat"
    cut.write_bytes(whole.read_bytes()[:-3000])
    with pytest.raises(InputError, match=r"cut\.mat: .*truncated"):
        get_reader(str(cut))(str(cut))
    with pytest.raises(InputError, match="truncated"):
        make_napari_viewer_proxy().open(cut, plugin=PLUGIN)


def test_no_layer_is_what_npe2_takes_for_it():
    from npe2.io_utils import _is_null_layer_sentinel

    assert _is_null_layer_sentinel(NO_LAYER)


@pytest.mark.parametrize("name", ["Mask/seed0000.mat", "Image/seed0000.png"])
def test_reading_loads_nothing_heavy(snow, name):
    code = (
        "import json, sys\n"
        "from napari_snow_unet.napari_plugin.reader import get_reader\n"
        "path, *heavy = sys.argv[1:]\n"
        "assert len(get_reader(path)(path)) == 2\n"
        "print(json.dumps(sorted(set(heavy) & set(sys.modules))))\n"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(snow / name), *HEAVY]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What `segment` writes of a tile and of a stack, in every format that can say what it is."""
    folder = tmp_path_factory.mktemp("own")
    tile = generate_tile(1, size=96).image
    write_image(folder / "images" / "seed0000.png", tile)
    write_stack(folder / "stack" / "cells.tif", np.stack([tile, tile[::-1]]))
    words = ["--model", "classical", "--pixel-size", "0.5", "--threshold", "0.6"]
    for source, formats in (("images/seed0000.png", "png,tif,zarr"), ("stack/cells.tif", "tif")):
        where = [str(folder / source), "-o", str(folder / "found"), "--format", formats]
        assert CliRunner().invoke(app, ["segment", *where, *words]).exit_code == 0
    where = [str(folder / "images"), "-o", str(folder / "binary"), "--output", "mask"]
    assert CliRunner().invoke(app, ["segment", *where, *words]).exit_code == 0
    return folder


@pytest.mark.parametrize(
    ("file", "name", "ndim"),
    [
        ("found/seed0000.png", "seed0000 nuclei", 2),
        ("found/seed0000.tif", "seed0000 nuclei", 2),
        ("found/seed0000.zarr", "seed0000 nuclei", 2),
        ("found/cells.tif", "cells nuclei", 3),
        ("binary/seed0000.png", "seed0000 nuclei mask", 2),
    ],
)
def test_own_results_are_labels_again_with_scale_and_origin(results, file, name, ndim):
    path = str(results / file)
    ((labels, facts, kind),) = get_reader(path)(path)
    assert (kind, facts["name"], np.ndim(labels)) == ("labels", name, ndim)
    if kind == "labels" and "mask" not in name:
        written = read_labels(results / "found" / "seed0000.png")
        assert np.array_equal(labels if ndim == 2 else labels[0], written)
    assert facts["scale"][-2:] == (0.5, 0.5)
    assert facts["units"][-2:] == ("um", "um")
    origin = facts["metadata"][PLUGIN]
    assert origin["model"] == "classical"
    assert origin["options"]["threshold"] == 0.6
    assert origin["threshold"] == pytest.approx(0.6, abs=0.01)
    assert origin["image"] == name.split()[0]
    assert str(results) not in json.dumps(origin), "no folder of the machine is given away"


def test_own_results_beside_their_image_give_it_their_scale(results, tmp_path):
    for folder, source in (("images", "images"), ("masks", "found")):
        (tmp_path / folder).mkdir()
        shutil.copy(results / source / "seed0000.png", tmp_path / folder)
    path = str(tmp_path / "masks" / "seed0000.png")
    layers = get_reader(path)(path)
    assert [kind for _, _, kind in layers] == ["image", "labels"]
    assert {facts["scale"] for _, facts, _ in layers} == {(0.5, 0.5)}


def test_a_pyramid_is_opened_lazily_as_levels(results, tmp_path):
    labels = np.arange(1200 * 700, dtype=np.int32).reshape(1200, 700)
    about = {"model": "m"}
    path = write_ome_zarr_labels(tmp_path / "a.zarr", labels, spacing_um=(0.25, 0.5), about=about)
    ((levels, facts, kind),) = get_reader(str(path))(str(path))
    assert (kind, facts["multiscale"], facts["scale"]) == ("labels", True, (0.25, 0.5))
    assert [level.shape for level in levels] == [(1200, 700), (600, 350), (300, 175)]
    assert all(hasattr(level, "dask") for level in levels)
    assert np.array_equal(levels[1].compute(), labels[::2, ::2])
    assert facts["metadata"][PLUGIN] == about


@pytest.mark.parametrize("name", ["a.zarr", "a.tif", "a.png", "a.ome.zarr"])
def test_labels_of_which_nobody_knows_more_than_the_size_come_back_in_place(tmp_path, name):
    labels = np.kron(np.arange(6, dtype=np.int32).reshape(2, 3), np.ones((20, 20), np.int32))
    path = write_nuclei(tmp_path / name, Nuclei(labels, spacing_um=(0.25, 0.5)))
    data, facts, kind = read_as_labels(path)
    assert (kind, facts["scale"], facts["units"]) == ("labels", (0.25, 0.5), ("um", "um"))
    assert np.array_equal(data, labels)


def test_a_large_tiff_is_opened_lazily(tmp_path, monkeypatch):
    labels = np.arange(600 * 700, dtype=np.int32).reshape(600, 700)
    path = tmp_path / "a.tif"
    write_tiled_tiff(path, labels, (0.25, 0.25), about={"model": "m"})
    monkeypatch.setattr(formats_origin, "LARGEST_WHOLE", 600 * 700 - 1)
    ((data, facts, kind),) = get_reader(str(path))(str(path))
    assert (kind, facts["scale"]) == ("labels", (0.25, 0.25))
    assert np.array_equal(data, labels)
    assert read_own_labels(path).levels[0].dask


@pytest.mark.parametrize(
    "about", [{"options": 3}, {"spacing_um": "wide"}, {"spacing_um": [0, 1]}, {"model": [[]]}]
)
def test_odd_words_in_a_file_do_no_harm(tmp_path, about):
    path = str(write_labels(tmp_path / "seed1.png", np.eye(9, dtype=np.int32), about=about))
    ((labels, facts, kind),) = get_reader(path)(path)
    assert (kind, labels.shape, facts["name"]) == ("labels", (9, 9), "seed1 nuclei")
    assert "scale" not in facts


def test_what_others_wrote_is_not_taken_for_own_results(results, tmp_path):
    labels = np.eye(9, dtype=np.int32)
    write_labels(tmp_path / "a.tif", labels)
    write_ome_zarr_labels(tmp_path / "a.zarr", labels)
    text = PngInfo()
    text.add_text("napari-snow-unet", "[not json")
    Image.new("L", (4, 4)).save(tmp_path / "a.png", pnginfo=text)
    tifffile.imwrite(tmp_path / "b.tif", labels, description='{"napari-snow-unet": 3}')
    (tmp_path / "c.tif").write_bytes((results / "found" / "cells.tif").read_bytes()[:50])
    for name in ("a.tif", "a.zarr", "b.tif", "c.tif", "missing.tif"):
        assert origin_of(tmp_path / name) is None, name
        assert get_reader(str(tmp_path / name)) is None, name
    assert origin_of(tmp_path / "a.png") is None
    assert origin_of(results / "images" / "seed0000.png") is None


@pytest.mark.filterwarnings("ignore:Private attribute access")
def test_a_result_of_a_snow_tile_is_dropped_as_labels(make_napari_viewer, results, preferred):
    preferred(PLUGIN)
    viewer = make_napari_viewer()
    viewer.window._qt_viewer._qt_open([str(results / "found" / "seed0000.png")], stack=False)
    assert kinds(viewer.layers) == [("Labels", "seed0000 nuclei")]
    assert viewer.layers[0].metadata[PLUGIN]["model"] == "classical"


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_both_halves_of_a_pair_are_turned(tmp_path, orientation):
    image = np.random.default_rng(0).integers(0, 256, (5, 8, 3), np.uint8)
    labels = np.arange(40, dtype=np.int32).reshape(5, 8)
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(image).save(tmp_path / "seed1.png", exif=exif)
    write_hovernet_mat(tmp_path / "seed1.mat", labels)
    told = {1: "", 3: mask_in_doubt(3), 6: mask_turned(6)}[orientation]
    with pytest.warns(UserWarning, match=re.escape(told)) if told else nullcontext():
        shown, mask = read_file(str(tmp_path / "seed1.mat"))
    assert np.array_equal(shown[0], turned(image, orientation))
    assert np.array_equal(mask[0], labels if orientation == 3 else turned(labels, orientation))
    assert shown[1]["metadata"].get("orientation", 1) == orientation
