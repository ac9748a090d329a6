"""File > IO Utilities > Open slide..., and the dock's offer to reopen a slide, in real napari."""

from __future__ import annotations

import shlex

import numpy as np
import pytest
import zarr
from napari.utils.notifications import notification_manager
from npe2 import PluginManager
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QFileDialog
from tifffile import TiffWriter
from typer.testing import CliRunner

from mrxs_writer import cut, write_mrxs
from napari_snow_unet.cli import app
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.slides import slide as slides_slide
from napari_snow_unet.widgets.common.layers import unwrapped
from napari_snow_unet.widgets.opening import messages
from napari_snow_unet.widgets.opening.slide import add_slide
from ndpi_writer import NdpiImage, write_ndpi

COMMAND = "napari-snow-unet.open_slide"
APERIO = "Aperio Image Library v11.2.1 \r\n{1}x{0} [0,0 {1}x{0}] (256x256) JPEG/RGB|MPP = 0.25"
FLAT_WARNINGS = pytest.mark.filterwarnings("ignore:.*Inconsistent units:UserWarning")


@pytest.fixture
def pixels(discs):
    return discs((1100, 1300))


@pytest.fixture
def svs(tmp_path, pixels):
    how = {"tile": (256, 256), "photometric": "rgb", "metadata": None}
    how["description"] = APERIO.format(*pixels.shape)
    with TiffWriter(tmp_path / "a.svs") as tif:
        tif.write(pixels, **how)
        tif.write(pixels[::8, ::8], photometric="rgb", metadata=None, rowsperstrip=16)
        tif.write(pixels[::4, ::4], **how)
    return tmp_path / "a.svs"


@pytest.fixture
def ome(tmp_path, pixels):
    how = {"tile": (256, 256), "photometric": "rgb"}
    unit = {"PhysicalSizeXUnit": "nm", "PhysicalSizeYUnit": "nm"}
    facts = {"axes": "YXS", "PhysicalSizeX": 500, "PhysicalSizeY": 500} | unit
    with TiffWriter(tmp_path / "a.ome.tif", ome=True) as tif:
        tif.write(pixels, subifds=1, metadata=facts, **how)
        tif.write(pixels[::4, ::4], subfiletype=1, metadata=None, **how)
    return tmp_path / "a.ome.tif"


@pytest.fixture
def ome_zarr(tmp_path, pixels):
    group = zarr.open_group(tmp_path / "b.zarr", mode="w", zarr_format=2)
    datasets = []
    for number, step in enumerate((1, 4)):
        level = pixels[::step, ::step, 0]
        group.create_array(str(number), shape=level.shape, chunks=(256, 256), dtype=level.dtype)
        group[str(number)][...] = level
        transform = {"type": "scale", "scale": [0.25 * step] * 2}
        datasets.append({"path": str(number), "coordinateTransformations": [transform]})
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "yx"]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    return tmp_path / "b.zarr"


@pytest.fixture
def ndpi(tmp_path, pixels):
    whole = np.pad(pixels, ((0, 52), (0, 236), (0, 0)), mode="edge")  # whole blocks of a JPEG
    images = [NdpiImage(whole, 40, block=256), NdpiImage(whole[::4, ::4], 10)]
    return write_ndpi(tmp_path / "a.ndpi", images)


@pytest.fixture
def mrxs(tmp_path, pixels):
    tiles, grid = cut(pixels)
    return write_mrxs(tmp_path / "a.mrxs", tiles, grid, um=(0.5, 0.5))


def run_command(monkeypatch, path):
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    return PluginManager.instance().commands.execute(COMMAND)


def test_the_menu_offers_it(make_napari_viewer):
    make_napari_viewer()
    from napari._app_model import get_app_model

    items = get_app_model().menus.get_menu("napari/file/io_utilities")
    assert COMMAND in [item.command.id for item in items if hasattr(item, "command")]


@pytest.mark.parametrize(("name", "side"), [("svs", 0.25), ("ome", 0.5)])
def test_the_command_adds_a_pyramid_in_micrometres(
    name, side, make_napari_viewer, pixels, monkeypatch, request
):
    viewer = make_napari_viewer()
    path = request.getfixturevalue(name)
    run_command(monkeypatch, path)
    (layer,) = viewer.layers
    assert (layer.name, layer.rgb, layer.multiscale) == ("a", True, True)
    assert layer.scale.tolist() == [side, side]
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]
    assert layer.metadata["source"] == str(path)
    assert np.array_equal(np.asarray(layer.data[0]), pixels)


@pytest.mark.parametrize(("name", "side", "levels"), [("ndpi", 0.25, 6), ("mrxs", 0.5, 3)])
def test_the_command_adds_what_scanners_write_with_all_its_levels(
    name, side, levels, make_napari_viewer, pixels, monkeypatch, request
):
    viewer = make_napari_viewer()
    path = request.getfixturevalue(name)
    run_command(monkeypatch, path)
    (layer,) = viewer.layers
    assert (layer.name, layer.rgb, layer.multiscale) == ("a", True, True)
    assert len(layer.data) == levels
    assert layer.scale.tolist() == [side, side]
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]
    assert layer.metadata["source"] == str(path)
    read = np.asarray(layer.data[0])[:1024, :1280]
    assert np.abs(read.astype(int) - pixels[:1024, :1280]).max() <= 5


def test_an_mrxs_without_its_folder_is_one_message(make_napari_viewer, mrxs, monkeypatch, tmp_path):
    viewer = make_napari_viewer()
    told = []
    notification_manager.notification_ready.connect(lambda event: told.append(event.message))
    (tmp_path / "a").rename(tmp_path / "elsewhere")
    run_command(monkeypatch, mrxs)
    (message,) = told
    assert "folder a " in message
    assert message.endswith(f"({mrxs})")
    assert not viewer.layers


def test_a_slide_that_cannot_be_opened_is_one_message(make_napari_viewer, tmp_path, monkeypatch):
    viewer = make_napari_viewer()
    told = []
    notification_manager.notification_ready.connect(lambda event: told.append(event.message))
    (tmp_path / "a.ndpi").write_bytes(b"no slide")
    run_command(monkeypatch, tmp_path / "a.ndpi")
    assert len(told) == 1
    assert str(tmp_path / "a.ndpi") in told[0]
    run_command(monkeypatch, "")  # the dialog was left without a choice
    assert (len(told), len(viewer.layers)) == (1, 0)


@pytest.mark.parametrize("name", ["svs", "ome"])
def test_a_multiscale_slide_gives_labels_on_its_full_resolution(name, dock, pixels, request):
    layer = add_slide(dock.viewer, request.getfixturevalue(name))
    assert dock.chosen("image") is unwrapped(layer)
    labels = dock.run()
    assert labels.data.shape == pixels.shape[:2]
    assert labels.scale.tolist() == layer.scale.tolist()
    assert labels.units == layer.units
    assert labels.data.max() == 22 * 26  # a disc in every square of 50 pixels
    assert (labels.data[pixels[..., 0] < 128] > 0).mean() > 0.95
    facts = labels.metadata["napari-snow-unet"]
    assert facts["pixel_size_um"] == layer.scale[0]
    assert (facts["source"], facts["level"]) == (layer.metadata["source"], 0)


def test_what_was_found_in_a_flat_layer_goes_with_it(dock, svs):
    dock.viewer.open(svs, plugin="napari")
    labels = dock.run()
    found = labels.data.copy()
    dock.viewer.layers.selection.active = dock.viewer.layers[0]
    dock.click(dock.offer.button)
    assert [layer.scale.tolist() for layer in dock.viewer.layers] == [[0.25, 0.25]] * 3
    assert len({layer.units for layer in dock.viewer.layers}) == 1
    assert labels.visible
    assert np.array_equal(labels.data, found)


def test_what_was_found_in_a_part_of_a_flat_layer_goes_with_it(dock, svs):
    (flat,) = dock.viewer.open(svs, plugin="napari")
    corners = [[100, 60], [100, 260], [300, 260], [300, 60]]
    marks = dock.viewer.add_shapes([corners], shape_type="polygon")
    dock.choose(image=flat, roi=marks)
    labels = dock.run()
    assert labels.translate.tolist() == [100, 60]
    dock.viewer.layers.selection.active = flat
    dock.click(dock.offer.button)
    assert labels.scale.tolist() == [0.25, 0.25]
    assert labels.translate.tolist() == [25, 15]
    assert labels.units == dock.viewer.layers[-1].units


def test_a_flat_layer_that_somebody_has_placed_stays_where_it_is(dock, svs):
    (flat,) = dock.viewer.open(svs, plugin="napari")
    flat.scale, flat.units = (3, 3), ("um", "um")
    dock.click(dock.offer.button)
    assert flat.scale.tolist() == [3, 3]


@pytest.mark.parametrize("name", ["svs", "ome", "ome_zarr"])
def test_both_texts_of_a_slide_give_its_labels_again(name, dock, tmp_path, request, monkeypatch):
    layer = add_slide(dock.viewer, request.getfixturevalue(name))
    labels = dock.run()
    menu, texts = dock.menu, []
    for action in (menu.python, menu.command):
        menu.menu.aboutToShow.emit()
        assert action.isEnabled(), action.toolTip()
        action.trigger()
        dock.wait()
        texts.append(QGuiApplication.clipboard().text())
    found = {}
    exec(texts[0], found)
    assert np.array_equal(found["labels"], labels.data)
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, shlex.split(texts[1])[1:])
    assert told.exit_code == 0, told.output
    (written,) = (tmp_path / "nuclei").glob("*.png")
    assert np.array_equal(read_labels(written), labels.data)
    assert layer.metadata["source"] in texts[1]


def test_a_slide_that_has_gone_has_no_text(dock, svs):
    add_slide(dock.viewer, svs)
    dock.run()
    svs.unlink()
    dock.menu.menu.aboutToShow.emit()
    assert not dock.menu.command.isEnabled()
    assert str(svs) in dock.menu.reason.text()


@FLAT_WARNINGS
@pytest.mark.parametrize("name", ["svs", "ome", "ndpi"])
def test_the_dock_offers_to_reopen_a_slide_that_napari_opened_flat(name, dock, request):
    (flat,) = dock.viewer.open(request.getfixturevalue(name), plugin="napari")
    offer = dock.offer
    assert not flat.multiscale
    assert not offer.isHidden()
    assert request.getfixturevalue(name).name in offer.text.text()
    dock.click(offer.button)
    slide = dock.chosen("image")
    assert slide.multiscale
    assert slide.scale[0] < 1
    assert offer.isHidden()
    assert dock.message == messages.reopened(slide.name)
    assert flat in dock.viewer.layers  # what the person has opened is the person's
    assert [layer.visible for layer in dock.viewer.layers] == [False, True]
    assert flat.scale.tolist() == slide.scale.tolist()
    assert flat.units == slide.units
    dock.viewer.layers.selection.active = flat
    assert not offer.isHidden()


@FLAT_WARNINGS
def test_a_slide_is_reopened_beside_a_stack_and_gone_to(dock, svs):
    """A layer has fewer axes than the viewer then."""
    stack = dock.viewer.add_image(np.zeros((3, 40, 40)), translate=(0, 9000, 9000))
    (flat,) = dock.viewer.open(svs, plugin="napari")
    dock.choose(image=flat)
    dock.click(dock.offer.button)
    slide = dock.viewer.layers[-1]
    middle = slide.extent.world.mean(axis=0)
    np.testing.assert_allclose(dock.viewer.scene.camera.center[-2:], middle, atol=1)
    assert stack.visible
    assert dock.message == messages.reopened(slide.name)


@FLAT_WARNINGS
def test_a_slide_that_has_gone_is_told_in_the_dock(dock, svs):
    dock.viewer.open(svs, plugin="napari")
    svs.unlink()
    dock.click(dock.offer.button)
    assert str(svs) in dock.message
    assert len(dock.viewer.layers) == 1


def test_nothing_is_offered_for_other_images(dock, tmp_path, pixels, monkeypatch):
    from napari_snow_unet.data.pixels.images import write_image

    asked = []
    monkeypatch.setattr(slides_slide.decoding, "open_tiff", asked.append)
    dock.viewer.add_image(pixels)
    dock.viewer.open(write_image(tmp_path / "a.png", pixels), plugin="napari")
    assert dock.offer.isHidden()
    assert asked == []


def test_the_header_of_a_tiff_is_looked_at_once_for_each_question(
    dock, tmp_path, pixels, monkeypatch
):
    from napari_snow_unet.data.pixels.images import write_image

    asked = []
    real = slides_slide.decoding.open_tiff
    monkeypatch.setattr(
        slides_slide.decoding, "open_tiff", lambda stream: asked.append(stream) or real(stream)
    )
    dock.viewer.open(write_image(tmp_path / "a.tif", pixels), plugin="napari")
    for _ in range(3):
        dock.widget.update_hint()
    assert dock.offer.isHidden()
    assert len(asked) == 3  # whether it is a slide, or labels of this package, and its pixel size
