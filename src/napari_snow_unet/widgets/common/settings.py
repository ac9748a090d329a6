"""What a person has set once for all: Preferences > Plugins > SNOW U-Net in napari."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from napari_snow_unet.napari_plugin import PLUGIN

GROUP = "segment"


@dataclass(frozen=True)
class Settings:
    """The settings with their defaults, which are those of the manifest.

    Attributes
    ----------
    model : str
        The model that a new dock begins with, as `models.open_model` takes it.
    tile : int
        The tile size that a new dock begins with, in pixels.
    precision : str
        The number format that networks compute in.
    folder : str
        Where dialogs for results begin; empty for the image's own folder.
    """

    model: str = "default"
    tile: int = 1024
    precision: str = "auto"
    folder: str = ""


def settings() -> Settings:
    """Return the settings as they are now.

    Returns
    -------
    Settings
        Defaults in the place of what is missing or of another kind, and everywhere if this
        napari keeps no settings for plugins or has this one switched off.
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
