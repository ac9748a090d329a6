"""Compute the windows of a large image, here or on other machines."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.pixels.value_range import ValueRange
from napari_snow_unet.segmentation.large.glass import Cells, glass_cleared, read_with_glass
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.plane.resample import Resampling
from napari_snow_unet.segmentation.plane.tiling import PlannedWindow
from napari_snow_unet.segmentation.prediction import predict_core
from napari_snow_unet.segmentation.prefetch import in_order


@dataclass(frozen=True)
class WindowPlan:
    """The settings that all windows of an image share."""

    grid: Resampling  # from the image's grid to the network's
    channel: str
    values: ValueRange


@dataclass(frozen=True)
class Computed:
    """The result of one window."""

    planned: PlannedWindow
    glass: Cells  # those that `glass.cells_of` returns for its core
    probability: NDArray[np.uint8] | None  # of its core, 0 on glass; None if all is glass


ComputeAll = Callable[[WindowPlan, list[PlannedWindow]], Generator[Computed, None, None]]


def compute_window(
    planned: PlannedWindow, pixels: NDArray[Any], glass: Cells, model: Model, plan: WindowPlan
) -> Computed:
    """Compute a window from the pixels and the glass of `read_with_glass`."""
    if glass.all():
        return Computed(planned, glass, None)
    core = predict_core(pixels, model, planned, plan.grid, channel=plan.channel, values=plan.values)
    return Computed(planned, glass, glass_cleared(core, glass, planned.core, plan.grid))


def compute_here(
    image: Any, model: Model, plan: WindowPlan, windows: list[PlannedWindow]
) -> Generator[Computed, None, None]:
    """Compute windows in order, as many at once as the model allows."""
    reading = Lock()  # lazy arrays may not be thread-safe

    def computed(planned: PlannedWindow) -> Computed:
        with reading:
            pixels, glass = read_with_glass(image, planned, plan.grid, plan.values)
        return compute_window(planned, pixels, glass, model, plan)

    with closing(in_order(windows, computed, model.calls_at_once)) as results:
        for _, window in results:
            yield window
