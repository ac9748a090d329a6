"""Where the pixel size comes from: typed for each layer by itself, or from the layer's file."""

from __future__ import annotations

import shlex

import numpy as np
import pytest
import tifffile
from qtpy.QtGui import QGuiApplication

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels.images import read_image
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size
from napari_snow_unet.data.slides import any_image
from napari_snow_unet.models import DEFAULT_MODEL
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import run, segment
from napari_snow_unet.widgets.common.messages import SIZE_OF_FILE_LABEL as FILE
from napari_snow_unet.widgets.common.messages import SIZE_OF_LAYER_LABEL as LAYER
from napari_snow_unet.widgets.opening.slide import add_slide
from napari_snow_unet.widgets.segment import messages
from napari_snow_unet.widgets.segment.state import SIZE_OF_EACH, SIZE_UNKNOWN


def write_tiff(path, image, pixel_um):
    tifffile.imwrite(
        path,
        image,
        photometric="rgb",
        resolution=(1e4 / pixel_um,) * 2,
        resolutionunit="CENTIMETER",
    )


def write_ome(path, image, pixel_um):
    size = {"PhysicalSizeX": pixel_um, "PhysicalSizeY": pixel_um}
    tifffile.imwrite(path, image, photometric="rgb", metadata={"axes": "YXS", **size}, ome=True)


@pytest.mark.parametrize(("name", "write"), [("a.tif", write_tiff), ("a.ome.tif", write_ome)])
def test_a_layer_without_a_scale_has_the_pixel_size_of_its_file(
    dock, network, discs, tmp_path, monkeypatch, name, write
):
    write(tmp_path / name, discs(), 0.5)
    (layer,) = dock.viewer.open(tmp_path / name, plugin="napari")
    assert dock.text_of("pixel_size_um") == f"0.5 ({FILE})"
    monkeypatch.setattr(any_image, "read_any_header", None)  # what was read once is known
    dock.widget.update_hint()
    found = dock.run()
    image = read_image(tmp_path / name)
    assert found.metadata["napari-snow-unet"]["pixel_size_um"] == image.pixel_size_um == 0.5
    expected = run(segment(image.array, network.model, Options(), pixel_size_um=0.5)).labels
    np.testing.assert_array_equal(found.data, expected)
    np.testing.assert_array_equal(found.scale, layer.scale)
    layer.scale, layer.units = (0.3, 0.3), ("um", "um")  # the layer goes before its file
    dock.widget.update_hint()
    assert dock.text_of("pixel_size_um") == f"0.3 ({LAYER})"


def test_a_file_of_another_size_or_that_cannot_be_read_says_nothing(dock, discs, tmp_path):
    field = dock.field("pixel_size_um").native
    write_tiff(tmp_path / "a.tif", discs(), 0.5)
    (layer,) = dock.viewer.open(tmp_path / "a.tif", plugin="napari")
    layer.data = layer.data[::2, ::2]
    dock.widget.update_hint()
    assert field.text() == SIZE_UNKNOWN
    (tmp_path / "b.tif").write_bytes(b"no image")
    dock.viewer.add_image(discs(), rgb=True, metadata={"source": str(tmp_path / "b.tif")})
    assert field.text() == SIZE_UNKNOWN


def test_both_texts_and_the_shell_give_the_labels_of_the_dock(dock, tmp_path, monkeypatch):
    """The classical method drops nuclei by their area in square micrometres."""
    from typer.testing import CliRunner

    from napari_snow_unet.cli import app
    from napari_snow_unet.data.synthetic import generate_tile

    monkeypatch.chdir(tmp_path)
    write_tiff(tmp_path / "a.tif", generate_tile(3, size=256).image, 0.5)
    dock.viewer.open(tmp_path / "a.tif", plugin="napari")
    layer = dock.run()
    assert layer.metadata["napari-snow-unet"]["pixel_size_um"] == 0.5
    dock.menu.python.trigger()
    dock.wait()
    found = {}
    exec(QGuiApplication.clipboard().text(), found)
    np.testing.assert_array_equal(found["labels"], layer.data)
    dock.menu.command.trigger()
    dock.wait()
    words = shlex.split(QGuiApplication.clipboard().text())[1:]
    plain = ["segment", "a.tif", "-o", "plain", "--model", "classical"]
    for command, folder in ((words, "nuclei"), (plain, "plain")):
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.output
        np.testing.assert_array_equal(read_labels(tmp_path / folder / "a.png"), layer.data)


def test_what_is_typed_for_a_layer_is_for_no_other(dock, network, discs):
    field = dock.field("pixel_size_um")
    first = dock.viewer.add_image(discs(), rgb=True, name="A")
    field.value = 0.7
    scaled = dock.viewer.add_image(discs(), rgb=True, scale=(0.25, 0.25), units=("um", "um"))
    assert (field.value, field.native.text()) == (0, f"0.25 ({LAYER})")
    field.value = 0.3  # the person knows better than this layer
    plain = dock.viewer.add_image(discs(), rgb=True, name="B")
    assert (field.value, field.native.text()) == (0, SIZE_UNKNOWN)
    assert dock.run().metadata["napari-snow-unet"]["pixel_size_um"] is None
    for layer, typed in ((first, 0.7), (scaled, 0.3), (plain, 0)):
        dock.viewer.layers.selection.active = layer
        assert field.value == typed
        assert dock.form.options().pixel_size_um == (typed or None)
    dock.viewer.layers.selection.active = first
    dock.choose(kind="folder")
    assert (field.value, field.native.text()) == (0, SIZE_OF_EACH)
    field.value = 0.4
    dock.choose(kind="layer")
    assert field.value == 0.7
    dock.viewer.layers.clear()
    assert field.value == 0
    dock.viewer.add_image(discs(), rgb=True, name="A")
    assert (field.value, field.native.text()) == (0, SIZE_UNKNOWN)
    dock.choose(kind="folder")
    assert field.value == 0.4


def test_an_unknown_size_is_said_with_what_it_means_and_what_to_do(dock, network, discs):
    assert dock.form.size_note == ""
    plain = dock.viewer.add_image(discs(), rgb=True, name="A")
    assert dock.form.size_note == messages.unknown_size(None, None)
    dock.choose(model=DEFAULT_MODEL)
    um = dock.widget.models.entry.pixel_size_um
    assert dock.form.size_note == messages.unknown_size(um, None)
    dock.choose(pixel_size_um=0.3)
    assert dock.form.size_note == ""
    dock.choose(pixel_size_um=0)
    assert dock.form.size_note
    dock.viewer.add_image(discs(), rgb=True, name="B", scale=(0.3, 0.3), units=("um", "um"))
    assert dock.form.size_note == ""
    dock.viewer.layers.selection.active = plain
    assert dock.form.size_note
    dock.choose(kind="folder")
    assert dock.form.size_note == ""


def test_a_slide_that_states_only_its_objective_has_a_nominal_size(dock, discs, tmp_path):
    path = tmp_path / "scan.svs"
    text = "Aperio Image Library v11.2.1 \r\n300x200 [0,0 300x200] (256x256) JPEG/RGB|AppMag = 40"
    how = {"tile": (256, 256), "photometric": "rgb", "metadata": None, "description": text}
    tifffile.imwrite(path, discs(), **how)
    add_slide(dock.viewer, path)
    assert dock.text_of("pixel_size_um") == SIZE_UNKNOWN
    assert dock.form.size_note == messages.unknown_size(None, 40.0)
    assert "0.25" in dock.form.size_note
    dock.choose(pixel_size_um=0.25)
    assert dock.form.size_note == ""


def test_a_size_no_microscope_has_is_refused_before_the_network_runs(dock, network, discs):
    dock.viewer.add_image(discs(), rgb=True, name="A")
    dock.choose(pixel_size_um=250)  # nanometres
    dock.press_run()
    dock.wait()
    with pytest.raises(InputError) as as_in_the_shell:
        check_pixel_size(250)
    assert dock.message == as_in_the_shell.value.reason_first()
    assert not network.calls
