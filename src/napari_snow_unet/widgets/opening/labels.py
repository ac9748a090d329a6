"""File > IO Utilities > Open labels...: files of labels as Labels layers, whatever their names.

napari chooses a reader by the name of a file alone, so that labels in PNG and TIFF, dropped on its
window, are opened by its own reader, as images.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
from napari.utils.notifications import show_error
from qtpy.QtWidgets import QFileDialog

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.names.file_names import GEOJSON_SUFFIXES, LABEL_SUFFIXES
from napari_snow_unet.data.slides.slide import ZARR_METADATA
from napari_snow_unet.napari_plugin.layers import read_as_labels
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.opening import messages

if TYPE_CHECKING:
    from napari.layers import Labels


def ask_for_labels() -> None:
    """Ask for files and open them in the current viewer; problems come as notifications."""
    viewer = napari.current_viewer()
    if viewer is None:
        return
    paths, _ = QFileDialog.getOpenFileNames(None, messages.LABELS_TITLE_LABEL, "", _filters())
    for path in paths:
        try:
            add_labels_of(viewer, path)
        except InputError as error:
            show_error(error_in_words(error))


def add_labels_of(viewer: napari.Viewer, path: str | os.PathLike[str]) -> Labels:
    """Add a file of labels as a Labels layer; of an OME-Zarr its file of attributes will do."""
    labels, facts = labels_in_file(path)
    return viewer.add_labels(labels, **facts)


def labels_in_file(path: str | os.PathLike[str]) -> tuple[Any, dict[str, Any]]:
    """Return labels and the arguments of their Labels layer; see `add_labels_of`."""
    path = Path(path)
    labels, facts, _ = read_as_labels(path.parent if path.name in ZARR_METADATA else path)
    return labels, facts


def _filters() -> str:
    endings = [*sorted({*LABEL_SUFFIXES, *GEOJSON_SUFFIXES}), ".zattrs"]
    return f"Labels ({' '.join(f'*{ending}' for ending in endings)});;All files (*)"
