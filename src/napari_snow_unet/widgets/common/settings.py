"""The user's settings: Preferences > SNOW U-Net in napari."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, fields, replace

from napari_snow_unet.napari_plugin import PLUGIN

GROUP = "segment"


@dataclass(frozen=True)
class Settings:
    """The settings with their defaults, which are those of the manifest."""

    model: str = "default"  # that a new dock starts with, as `models.open_model` takes it
    tile: int = 1024  # pixels
    precision: str = "float32"
    folder: str = ""  # where dialogs for results start; empty for the folder of the image
    dataset: str = ""  # that corrected labels are added to; empty until it is chosen


def settings() -> Settings:
    """Return the current settings, with defaults for those that are missing or invalid.

    All are defaults if this napari has no plugin settings, or if the plugin is disabled.
    """
    current = Settings()
    try:
        from napari.settings import get_plugin_settings

        group = getattr(get_plugin_settings(PLUGIN), GROUP)
    except (ImportError, AttributeError, LookupError, ValueError, OSError):
        return current
    for field in fields(Settings):
        value = getattr(group, field.name, None)
        if isinstance(value, type(getattr(current, field.name))):
            current = replace(current, **{field.name: value})
    return current


def remember(**values: str) -> None:
    """Change settings, where napari keeps those of plugins."""
    with suppress(ImportError, AttributeError, LookupError, ValueError, OSError):
        from napari.settings import get_plugin_settings

        group = getattr(get_plugin_settings(PLUGIN), GROUP)
        for name, value in values.items():
            setattr(group, name, value)
