"""File > IO Utilities > Open slide...: a whole slide as a multiscale layer, read where shown."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import napari
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.names.file_names import tile_name
from napari_snow_unet.data.slides.slide import (
    SCANNER_SUFFIXES,
    TIFF_SUFFIXES,
    ZARR_METADATA,
    Slide,
    open_slide,
)
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.opening import messages

if TYPE_CHECKING:
    from napari.layers import Image

MICROMETRES = ("um", "um")


def ask_for_slide() -> None:
    """Ask for a file and open it in the current viewer; problems come as a notification."""
    viewer = napari.current_viewer()
    if viewer is None:
        return
    path, _ = QFileDialog.getOpenFileName(None, messages.SLIDE_TITLE_LABEL, "", _filters())
    if not path:
        return
    try:
        add_slide(viewer, path)
    except InputError as error:
        show_error(error_in_words(error))


def add_slide(viewer: napari.Viewer, path: str | os.PathLike[str]) -> Image:
    """Add a slide as one layer, read where shown, in micrometres where its pixel size is known."""
    return show_slide(viewer, open_slide(path))


def show_slide(viewer: napari.Viewer, slide: Slide) -> Image:
    """Add a slide that is open as one layer, multiscale where there is more than one level."""
    facts: dict[str, Any] = {}
    if slide.spacing_um is not None:
        facts = {"scale": slide.spacing_um, "units": MICROMETRES}
    if slide.levels[0].dtype == "uint8":
        facts["contrast_limits"] = (0, 255)  # given, so that napari does not look for them
    several = len(slide.levels) > 1
    return viewer.add_image(
        list(slide.levels) if several else slide.levels[0],
        multiscale=several,
        rgb=slide.rgb,
        name=tile_name(slide.path),
        metadata={"source": os.fspath(slide.path), "kind": "slide", "level": 0},
        **facts,
    )


def _filters() -> str:
    endings = " ".join(f"*{suffix}" for suffix in sorted(SCANNER_SUFFIXES | TIFF_SUFFIXES))
    return f"Slides ({endings} {' '.join(sorted(ZARR_METADATA))});;All files (*)"
