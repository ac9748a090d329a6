"""File > IO Utilities > Open SNOW dataset...: a folder as one stack of images, one of labels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_snow_unet.data.dataset import open_stacks
from napari_snow_unet.data.files import InputError

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer


def open_dataset() -> None:
    """Ask for a folder and open it in the current viewer."""
    from napari import current_viewer
    from napari.utils.notifications import show_error
    from qtpy.QtWidgets import QFileDialog

    viewer = current_viewer()
    if viewer is None:
        return
    folder = QFileDialog.getExistingDirectory(None, "Open SNOW dataset")
    if not folder:
        return
    try:
        add_dataset(viewer, folder)
    except InputError as error:
        show_error(str(error))


def add_dataset(viewer: Viewer, folder: str | Path) -> tuple[Image, Labels]:
    """Add a dataset to a viewer as two lazy stacks.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where to.
    folder : path-like
        A folder in any layout that `data.dataset.open_stacks` knows.

    Returns
    -------
    tuple of layers
        The images, shape (N, Y, X, 3), and the labels, shape (N, Y, X).

    Raises
    ------
    InputError
        If nothing in the folder belongs together.
    """
    from napari.utils.notifications import show_warning

    stacks = open_stacks(folder, report=show_warning)
    name = Path(folder).resolve().name
    facts = {"source": str(folder), "names": stacks.names}
    image = viewer.add_image(
        stacks.images, rgb=True, contrast_limits=(0, 255), name=name, metadata=facts
    )
    labels = viewer.add_labels(stacks.labels, name=f"{name} masks", metadata=dict(facts))
    viewer.dims.set_point(0, 0)
    if stacks.message:
        show_warning(stacks.message)
    return image, labels
