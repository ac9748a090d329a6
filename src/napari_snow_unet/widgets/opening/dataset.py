"""File > IO Utilities > Open SNOW dataset...: a folder of tiles as two lazy stacks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import napari
from napari.utils.notifications import show_error, show_warning
from qtpy.QtWidgets import QFileDialog

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.stack import TileStack, open_tile_stack
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.opening import messages

if TYPE_CHECKING:
    from napari.layers import Image, Labels


def ask_for_dataset() -> None:
    """Ask for a folder and open it in the current viewer; problems come as a notification."""
    viewer = napari.current_viewer()
    if viewer is None:
        return
    folder = QFileDialog.getExistingDirectory(None, messages.DATASET_TITLE_LABEL)
    if not folder:
        return
    try:
        open_snow_dataset(viewer, folder)
    except InputError as error:
        show_error(error_in_words(error))


def open_snow_dataset(
    viewer: napari.Viewer, folder: str | os.PathLike[str]
) -> tuple[Image, Labels]:
    """Add the tiles of a folder as one image stack and one label stack, read when shown.

    Their ``metadata`` has the tiles' names and paths, in the order of the slider.
    """
    return add_stack(viewer, folder, open_tile_stack(folder))


def add_stack(
    viewer: napari.Viewer, folder: str | os.PathLike[str], stack: TileStack
) -> tuple[Image, Labels]:
    """Add the tiles that `stack.open_tile_stack` found in a folder."""
    was_empty = not viewer.layers
    name = Path(folder).resolve().name
    shared: dict[str, Any] = {}
    if stack.pixel_size_um is not None:
        shared["scale"] = (1.0, stack.pixel_size_um, stack.pixel_size_um)
        shared["units"] = ("pixel", "um", "um")
    image = viewer.add_image(
        stack.images,
        name=name,
        rgb=True,
        contrast_limits=(0, 255),  # given, so that napari does not look for them in all tiles
        metadata=_metadata(folder, stack.names, stack.image_paths),
        **shared,
    )
    labels = viewer.add_labels(
        stack.labels,
        name=f"{name} masks",
        metadata=_metadata(folder, stack.names, stack.label_paths),
        **shared,
    )
    if was_empty:  # napari goes to the middle; the slider of other layers is not moved
        viewer.dims.set_current_step(0, 0)
    if stack.warning is not None:
        show_warning(stack.warning)
    return image, labels


def _metadata(
    folder: str | os.PathLike[str], names: list[str], paths: list[Path]
) -> dict[str, Any]:
    return {
        "source": os.fspath(folder),
        "kind": "dataset",
        "names": names,
        "sources": [str(path) for path in paths],
    }
