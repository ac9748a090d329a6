"""What a person has set once for all: Preferences > Plugins > SNOW U-Net in napari."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from napari_snow_unet.napari_plugin import PLUGIN

GROUP = "segment"


@dataclass(frozen=True)
class Settings:
    """The settings with their defaults, which are those of the manifest."""

    model: str = "default"  # that a new dock begins with, as `models.open_model` takes it
    tile: int = 1024  # pixels
    precision: str = "float32"
    folder: str = ""  # where dialogs for results begin; empty for the image's own folder


def settings() -> Settings:
    """Return the settings as they are now, with defaults for what is missing or of another kind.

    That is all of them where this napari keeps no settings for plugins, or has this one switched
    off.
    """
    found = Settings()
    try:
        from napari.settings import get_plugin_settings

        group = getattr(get_plugin_settings(PLUGIN), GROUP)
    except (ImportError, AttributeError, LookupError, ValueError, OSError):
        return found
    for field in fields(Settings):
        value = getattr(group, field.name, None)
        if isinstance(value, type(getattr(found, field.name))):
            found = replace(found, **{field.name: value})
    return found
