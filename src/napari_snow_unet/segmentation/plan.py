"""The plan for one plane, made before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size
from napari_snow_unet.data.pixels.value_range import ValueRange, is_rgb, value_range
from napari_snow_unet.segmentation import messages
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options, check_options, smallest_area_px
from napari_snow_unet.segmentation.plane.preprocess import plane_axes
from napari_snow_unet.segmentation.plane.resample import Resampling, scale_factor
from napari_snow_unet.segmentation.plane.tiling import PlannedWindow, plan_grid, smaller_window
from napari_snow_unet.segmentation.provenance import (
    label_messages,
    provenance,
    range_messages,
    scale_messages,
    white_of,
)


def values_for(model: Model, image: Any, *, white: float | None = None) -> ValueRange:
    """Return the value range of an image: by the model's training images, else by the image."""
    label = messages.TRAINING_IMAGES_LABEL
    return value_range(image, white=white, white_values=model.white, of=label)


@dataclass(frozen=True)
class Plan:
    """A checked plan for one plane."""

    model: Model
    options: Options
    pixel_size_um: float | None  # of the options, else of the file or layer
    smallest_px: float  # area in pixels below which a nucleus is dropped
    values: ValueRange
    grid: Resampling  # from the plane's grid to the network's
    windows: list[PlannedWindow]  # on the network's grid, as large as memory allows
    doubts: tuple[str, ...]  # notes on the image and its values
    dtype: np.dtype[Any]

    @property
    def channel(self) -> str:
        """The channel passed to the network."""
        return self.options.channel or self.model.channel

    @property
    def resampled_um(self) -> float | None:
        """The pixel size that the image is resampled to; None if it is not resampled."""
        if self.grid.is_none or self.pixel_size_um is None:
            return None
        return self.pixel_size_um / scale_factor(self.pixel_size_um, self.model.pixel_size_um)

    @property
    def messages(self) -> tuple[str, ...]:
        """Notes for the user that do not depend on the result."""
        scale = scale_messages(self.model.pixel_size_um, self.pixel_size_um, self.resampled_um)
        return scale + self.doubts + self.model.messages

    def provenance(self, threshold: float) -> dict[str, Any]:
        """Return the provenance of a result with this threshold."""
        sizes = self.pixel_size_um, self.resampled_um
        facts = provenance(self.model, self.options, threshold, *sizes)
        return facts | white_of(self.dtype, self.values)


def make_plan(
    image: Any,
    model: Model,
    options: Options,
    *,
    pixel_size_um: float | None = None,
    values: ValueRange | None = None,
) -> Plan:
    """Check a plane and its options, and plan the windows; see `pipeline.segment`.

    Raises
    ------
    InputError
        If the image or an option cannot be used.
    """
    if plane_axes(image.shape, rgb=is_rgb(image.shape)) != "plane":
        raise InputError(messages.not_a_plane(image.shape))
    check_options(options, model)
    pixel_size_um = check_pixel_size(options.effective_pixel_size(pixel_size_um))
    smallest = smallest_area_px(options, pixel_size_um)
    values = values_for(model, image) if values is None else values
    doubts = label_messages(image, rgb=is_rgb(image.shape)) + range_messages(image, values)
    shape = (int(image.shape[0]), int(image.shape[1]))
    grid = Resampling.by(scale_factor(pixel_size_um, model.pixel_size_um), shape)
    edge = smaller_window(options.tile, model.window_that_fits(options.tile), model.halo)
    windows = plan_grid(grid.new, edge, model.halo)
    dtype = np.dtype(image.dtype)
    return Plan(model, options, pixel_size_um, smallest, values, grid, windows, doubts, dtype)
