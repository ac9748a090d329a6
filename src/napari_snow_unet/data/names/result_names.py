"""What the files are called that segmenting writes: labels, and what lies beside them."""

from __future__ import annotations

from pathlib import Path

from napari_snow_unet.data.names.file_names import tile_name

PROBABILITY, OVERLAY = "_probability", "_overlay"
DERIVED = (PROBABILITY, OVERLAY)  # at the end of a name: neither an image nor labels
CELLPOSE = "_cp_masks"  # how Cellpose ends the names of what it saves beside the images


def name_of(path: Path) -> str:
    """Return a file's name without what says how it is stored: ``a`` for ``a.ome.tif``."""
    return tile_name(path).removesuffix(CELLPOSE)
