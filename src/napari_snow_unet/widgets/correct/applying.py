"""A correction written into a Labels layer as one undo step, and why it cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.segmentation.corrections.change import Change
from napari_snow_unet.widgets.common.layers import shown_plane
from napari_snow_unet.widgets.correct import messages

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import Viewer


def apply(layer: Labels, change: Change, plane: Index = ()) -> None:
    """Change labels as one undo step; `plane` is the slice that the change is of.

    The data are never replaced: that would drop napari's history.
    """
    apply_planes(layer, {plane: change})


def apply_planes(layer: Labels, changes: Mapping[Index, Change]) -> None:
    """Change labels of some slices as one undo step."""
    with layer.block_history():
        for plane, change in changes.items():
            count = len(change.values)
            leading = tuple(np.full(count, number, np.intp) for number in plane)
            layer.data_setitem((*leading, *change.indices), change.values)


def why_not(viewer: Viewer, layer: Labels | None) -> Message | None:
    """Return why a layer cannot be corrected as the viewer shows it; None if it can."""
    if layer is None:
        return messages.NO_LABELS
    if layer.multiscale:
        return messages.MULTISCALE
    if not isinstance(layer.data, np.ndarray) or _in_file(layer.data):
        return messages.ON_DISK
    if not layer.data.flags.writeable:
        return messages.READ_ONLY
    if not layer.editable:
        return messages.LOCKED
    if not layer.visible:
        return messages.HIDDEN
    last = tuple(range(viewer.dims.ndim))[-2:]
    if len(viewer.dims.displayed) != 2 or set(viewer.dims.displayed) != set(last):
        return messages.NOT_FLAT
    try:
        shown_plane(viewer, layer)
    except InputError:
        return messages.OUTSIDE
    return None


def _in_file(data: Any) -> bool:
    """Tell whether an array, or what it is a view of, is mapped from a file."""
    while data is not None:
        if isinstance(data, np.memmap):
            return True
        data = getattr(data, "base", None)
    return False
