"""What napari learns of the plugin, read from the manifest of the installed package."""

import importlib
from pathlib import Path

import pytest
from npe2 import PluginManifest

import napari_snow_unet

MANIFEST = PluginManifest.from_file(Path(napari_snow_unet.__file__).with_name("napari.yaml"))
COMMANDS = {command.id: command for command in MANIFEST.contributions.commands or []}


def test_napari_finds_the_manifest():
    assert PluginManifest.from_distribution("napari-snow-unet").contributions == (
        MANIFEST.contributions
    )


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_command_names_something_that_can_be_called(command):
    module, _, name = command.python_name.partition(":")
    assert module != "napari_snow_unet", "the root loads nothing, so commands live below it"
    assert callable(getattr(importlib.import_module(module), name))


def test_no_command_is_left_unused():
    said = MANIFEST.contributions.model_dump_json(exclude={"commands"})
    assert [name for name in COMMANDS if f'"{name}"' not in said] == []


def test_other_peoples_files_are_left_to_other_readers():
    readers = MANIFEST.contributions.readers or []
    claimed = {pattern for reader in readers for pattern in reader.filename_patterns}
    ours = {"*.mat", "seed*.png", "*.geojson", "*.geojson.gz"}
    assert claimed <= ours | {"*.json", "*.xml"}  # napari reads none of these
    assert not any(reader.accepts_directories for reader in readers)
