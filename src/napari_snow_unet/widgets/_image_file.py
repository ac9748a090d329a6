"""The file that an image layer was read from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_snow_unet.data.naming import IMAGE_SUFFIXES

if TYPE_CHECKING:
    from napari.layers import Image


def file_of(layer: Image) -> Path | None:
    """Return the file an image layer was read from; None if it is no single image file.

    What the layer's metadata say goes before napari's own note, which for an image that came
    along with its mask names the mask.
    """
    said = layer.metadata.get("source") or layer.source.path
    if said is None:
        return None
    path = Path(said)
    return path if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file() else None
