"""From a plane to its probability map, window by window."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.pixels.channels import network_input, to_grey
from napari_snow_unet.data.pixels.value_range import ValueRange, is_rgb
from napari_snow_unet.segmentation import messages
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.plan import Plan
from napari_snow_unet.segmentation.plane.resample import Resampling
from napari_snow_unet.segmentation.plane.tiling import (
    PlannedWindow,
    mirrored,
    within,
)
from napari_snow_unet.segmentation.prefetch import in_order
from napari_snow_unet.segmentation.test_time_augmentation import augmented


def predict_plane(image: Any, plan: Plan) -> Generator[Progress, None, NDArray[np.uint8]]:
    """Compute the 8-bit probability map of one plane, on its own grid, window by window."""
    grid, model = plan.grid, augmented(plan.model, plan.options)
    probability = np.empty(grid.new, dtype=np.uint8)
    reading = Lock()  # lazy arrays may not be thread-safe

    def computed(planned: PlannedWindow) -> NDArray[np.uint8]:
        with reading:
            pixels = np.asarray(image[grid.needed(within(planned.window, grid.new))])
        return predict_core(pixels, model, planned, grid, channel=plan.channel, values=plan.values)

    if model.calls_at_once > 1 < len(plan.windows):
        several = in_order(plan.windows, computed, model.calls_at_once)
    else:
        several = ((planned, computed(planned)) for planned in plan.windows)
    with closing(several) as cores:
        for done, (planned, core) in enumerate(cores, start=1):
            probability[planned.core] = core
            yield Progress(
                done, len(plan.windows), messages.step_label("tile", done, len(plan.windows))
            )
    whole = slice(0, grid.old[0]), slice(0, grid.old[1])
    on_image = grid.back.take(probability, whole)
    if not grid.is_none and is_rgb(image.shape) and image.shape[-1] == 4:
        on_image = np.where(np.asarray(image[..., 3]) == 0, np.uint8(0), on_image)
    return on_image


def predict_core(
    pixels: NDArray[Any],
    model: Model,
    planned: PlannedWindow,
    grid: Resampling,
    *,
    channel: str,
    values: ValueRange,
) -> NDArray[np.uint8]:
    """Compute the 8-bit probabilities of a window's core.

    `pixels` are the pixels of the image that `grid.needed` returns for the part of the window
    inside the plane.
    """
    taken = grid.take(network_input(pixels, channel, values), within(planned.window, grid.new))
    window = mirrored(taken, planned.window)
    core = to_grey(model.predict(window[None])[0][planned.inner])
    return _where_opaque(core, pixels, planned, grid)


def _where_opaque(
    core: NDArray[np.uint8], pixels: NDArray[Any], planned: PlannedWindow, grid: Resampling
) -> NDArray[np.uint8]:
    """Set the probability to 0 where the image is transparent."""
    if pixels.ndim != 3 or pixels.shape[-1] != 4 or pixels[..., 3].all():
        return core
    window = within(planned.window, grid.new)
    clear = grid.take((pixels[..., 3] == 0).astype(np.float32), window)
    rows, columns = (
        slice(part.start - whole.start, part.stop - whole.start)
        for part, whole in zip(planned.core, window, strict=True)
    )
    return np.where(clear[rows, columns] >= 0.5, np.uint8(0), core)
