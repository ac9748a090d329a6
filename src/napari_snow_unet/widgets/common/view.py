"""Move napari's view to a place in an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from napari_snow_unet.data.pixels.placement import Placement, view_of

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer


def go_to(
    viewer: Viewer, placement: Placement, plane: Sequence[float], centre: ArrayLike, area: float
) -> None:
    """Show an object with its surroundings; `centre` and `area` are in pixels of its `plane`."""
    pixel = [*plane, *np.asarray(centre, float)]
    middle, side = view_of(placement, pixel, area, _units(viewer, placement))
    _show_plane(viewer, middle)
    viewer.reset_view()  # the whole image: napari's zoom depends on the window
    displayed = list(viewer.dims.displayed)
    extent = np.ptp(viewer.layers.extent.world, axis=0)[displayed]
    camera = viewer.scene.camera
    camera.center = _at(middle, viewer.dims.ndim)[displayed]
    camera.zoom *= max(float(extent.max()) / side, 1.0)


def go_to_plane(viewer: Viewer, placement: Placement, plane: Sequence[float]) -> None:
    """Show a slice without moving the view."""
    pixel = [*plane, 0, 0]
    _show_plane(viewer, placement.to_world([pixel], _units(viewer, placement))[0])


def fit(viewer: Viewer, layers: Sequence[Layer]) -> None:
    """Centre one or more layers in the window, as large as possible.

    `napari.Viewer.fit_to_view` fails for layers with fewer axes than the viewer (0.9.2).
    """
    viewer.reset_view()
    displayed = list(viewer.dims.displayed)
    low, high = (
        _at(corner, viewer.dims.ndim)[displayed]
        for corner in viewer.layers.get_extent(layers).world
    )
    whole = np.ptp(viewer.layers.extent.world, axis=0)[displayed]
    camera = viewer.scene.camera
    camera.center = (low + high) / 2
    camera.zoom *= float(np.min(whole / np.maximum(high - low, np.finfo(float).tiny)))


def _show_plane(viewer: Viewer, middle: np.ndarray) -> None:
    position = _at(middle, viewer.dims.ndim)
    for axis in set(range(viewer.dims.ndim)) - set(viewer.dims.displayed):
        viewer.dims.set_point(axis, position[axis])


def _at(world: np.ndarray, ndim: int) -> np.ndarray:
    """Return a position with as many axes as the viewer, aligned at the last."""
    return np.concatenate([np.zeros(max(ndim - len(world), 0)), world])[-ndim:]


def _units(viewer: Viewer, placement: Placement) -> Sequence[Any]:
    return viewer.dims.units or placement.units
