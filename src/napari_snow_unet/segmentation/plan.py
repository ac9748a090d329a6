"""What is decided before a plane is computed, once, whether it fits into memory or not."""

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

TRAINED_ON = "the images that the model was trained on"


def values_for(model: Model, image: Any, *, white: float | None = None) -> ValueRange:
    """Find which value of an image is white for a model: what its training says, else the image."""
    return value_range(image, white=white, white_values=model.white, of=TRAINED_ON)


@dataclass(frozen=True)
class Plan:
    """A checked plan for one plane."""

    model: Model
    options: Options
    pixel_size_um: float | None  # the options' own, else what the file or layer says
    smallest_px: float  # area in pixels below which a nucleus is dropped
    values: ValueRange
    grid: Resampling  # from the plane's grid to the one the network works on
    windows: list[PlannedWindow]  # on that grid, as large as memory may do for
    doubts: tuple[str, ...]  # what speaks against the image or was assumed of its values
    dtype: np.dtype[Any]

    @property
    def channel(self) -> str:
        """What the network reads of the colours."""
        return self.options.channel or self.model.channel

    @property
    def resampled_um(self) -> float | None:
        """The pixel size at which the network works, if that is not the image's own."""
        if self.grid.is_none or self.pixel_size_um is None:
            return None
        return self.pixel_size_um / scale_factor(self.pixel_size_um, self.model.pixel_size_um)

    @property
    def messages(self) -> tuple[str, ...]:
        """What a person should be told, whatever is found."""
        scale = scale_messages(self.model, self.pixel_size_um, self.resampled_um)
        return scale + self.doubts + self.model.messages

    def provenance(self, threshold: float) -> dict[str, Any]:
        """Return how a result with this threshold came about."""
        sizes = self.pixel_size_um, self.resampled_um
        about = provenance(self.model, self.options, threshold, *sizes)
        return about | white_of(self.dtype, self.values)


def make_plan(
    image: Any,
    model: Model,
    options: Options,
    *,
    pixel_size_um: float | None = None,
    values: ValueRange | None = None,
) -> Plan:
    """Check a plane and the options for it, and decide what is open; see `pipeline.segment`.

    Raises
    ------
    InputError
        If the image or an option cannot be used.
    """
    if plane_axes(image.shape, rgb=is_rgb(image.shape)) != "plane":
        raise InputError(messages.not_a_plane(image.shape))
    check_options(options, model)
    pixel_size_um = check_pixel_size(options.pixel_size_known(pixel_size_um))
    smallest = smallest_area_px(options, pixel_size_um)
    values = values_for(model, image) if values is None else values
    doubts = label_messages(image, rgb=is_rgb(image.shape)) + range_messages(image, values)
    shape = (int(image.shape[0]), int(image.shape[1]))
    grid = Resampling.by(scale_factor(pixel_size_um, model.pixel_size_um), shape)
    edge = smaller_window(options.tile, model.window_that_fits(options.tile), model.halo)
    windows = plan_grid(grid.new, edge, model.halo)
    dtype = np.dtype(image.dtype)
    return Plan(model, options, pixel_size_um, smallest, values, grid, windows, doubts, dtype)
