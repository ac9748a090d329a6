"""Settings of the plugin: in napari's preferences, taken by the dock, never in its way."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import napari.settings
import numpy as np
import pytest
from napari.settings import get_plugin_settings
from npe2 import PluginManifest
from qtpy.QtWidgets import QFileDialog

import napari_snow_unet
from napari_snow_unet.base.precision import PRECISIONS
from napari_snow_unet.models import open_model
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.widgets.common.settings import GROUP, Settings, settings
from napari_snow_unet.widgets.segment import jobs

MANIFEST = PluginManifest.from_file(Path(napari_snow_unet.__file__).with_name("napari.yaml"))


@pytest.fixture
def preferences(make_napari_viewer_proxy):
    """Return a viewer and what napari's preferences hold for the plugin, for one test."""
    viewer = make_napari_viewer_proxy()
    group = getattr(get_plugin_settings(PLUGIN), GROUP)
    before = group.model_dump()
    yield viewer, group
    group.update(before)


def docked(viewer):
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "Segment nuclei")
    return widget


def test_the_manifest_has_the_same_defaults():
    properties = MANIFEST.contributions.configurations[GROUP].properties
    assert {name: each.default for name, each in properties.items()} == asdict(Settings())
    assert tuple(properties["precision"].enum) == PRECISIONS
    assert properties["tile"].default == Options().tile


def test_napari_shows_them_and_the_dock_begins_with_them(preferences):
    viewer, group = preferences
    assert settings() == Settings()
    group.tile, group.model, group.precision = 512, "classical", "fast"
    assert settings() == Settings("classical", 512, "fast")
    widget = docked(viewer)
    assert widget.form.model.value == "classical"
    assert widget.form.options() == Options(tile=512)


def test_a_model_that_is_gone_is_named_and_another_chosen(preferences):
    viewer, group = preferences
    group.model = "gone"
    widget = docked(viewer)
    assert "'gone'" in widget.form.note
    assert widget.models.entry.kind == "bundled"
    widget.form.model.value = "classical"
    assert widget.form.note == ""


def test_a_folder_of_a_model_may_be_set(preferences, tmp_path):
    from napari_snow_unet.models import find_model

    viewer, group = preferences
    group.model = str(find_model("he-breast-nuclei"))
    assert docked(viewer).form.model.value == group.model


def test_networks_are_opened_in_the_precision_that_is_set(preferences, monkeypatch, qtbot):
    opened = []

    def note(name, *, precision):
        opened.append(precision)
        return open_model("classical")

    monkeypatch.setattr(jobs, "open_model", note)
    viewer, group = preferences
    widget = docked(viewer)
    viewer.add_image(np.full((64, 64, 3), 200, np.uint8), rgb=True)
    group.precision = "fast"
    widget.run()
    qtbot.waitUntil(lambda: not widget.bar.running)
    assert opened == ["fast"]


def test_dialogs_for_results_begin_where_it_is_set(preferences, tmp_path, monkeypatch, qtbot):
    begun = []
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: begun.append(a[2]) or ("", ""))
    viewer, group = preferences
    group.model, group.folder = "classical", str(tmp_path)
    widget = docked(viewer)
    viewer.add_image(np.full((64, 64, 3), 200, np.uint8), rgb=True, name="tissue")
    widget.run()
    qtbot.waitUntil(lambda: not widget.bar.running)
    widget.menu.save.trigger()
    assert begun == [str(tmp_path / "tissue nuclei (classical).geojson")]


def test_without_settings_for_plugins_defaults_hold(monkeypatch):
    def missing(plugin):
        raise KeyError(plugin)

    monkeypatch.setattr(napari.settings, "get_plugin_settings", missing)
    assert settings() == Settings()
    monkeypatch.delattr(napari.settings, "get_plugin_settings")
    assert settings() == Settings()


def test_a_value_of_another_kind_gives_way_to_the_default(monkeypatch):
    class Group:
        tile, model, precision = "many", "mine", None

    class Found:
        segment = Group

    monkeypatch.setattr(napari.settings, "get_plugin_settings", lambda plugin: Found)
    assert settings() == Settings(model="mine")
