"""The file that an image layer was read from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_snow_unet.data.naming import IMAGE_SUFFIXES
from napari_snow_unet.data.slides import is_slide

if TYPE_CHECKING:
    from napari.layers import Image


def file_of(layer: Image) -> Path | None:
    """Return the image file, or slide, a layer was read from; None if it is no single one.

    What the layer's metadata say goes before napari's own note, which for an image that came
    along with its mask names the mask.
    """
    said = layer.metadata.get("source") or layer.source.path
    if said is None:
        return None
    path = Path(said)
    if is_slide(path):
        return path if path.exists() else None
    return path if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file() else None


def origin_of(layer: Image) -> dict[str, Any]:
    """Return what a result's provenance says of its image: the file, and of a slide the level."""
    file = file_of(layer)
    if file is None:
        return {}
    level = layer.metadata.get("level")
    return {"source": str(file)} | ({} if level is None else {"level": level})
