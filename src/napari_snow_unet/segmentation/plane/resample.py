"""Resample a plane to the pixel sizes of a model, and results back, window by window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_snow_unet.data.pixels.pixel_grid import nearest

Pixels = TypeVar("Pixels", bound=np.generic)
Window = tuple[slice, slice]


def scale_factor(pixel_size_um: float | None, trained_um: tuple[float, float] | None) -> float:
    """Return the factor on the image's length in pixels that brings it into the model's range.

    It is 1 inside the range and if either is unknown, below 1 for finer pixels and above 1 for
    coarser ones.
    """
    if pixel_size_um is None or trained_um is None:
        return 1.0
    nearest = min(max(pixel_size_um, trained_um[0]), trained_um[1])
    return 1.0 if nearest == pixel_size_um else pixel_size_um / nearest


@dataclass(frozen=True)
class Resampling:
    """Resampling from one grid of pixels to another one over the same area.

    Linear interpolation; when shrinking, a mean of the neighbourhood with triangular weights
    (Pillow's ``BILINEAR``). A window of the new grid has the same values as in the whole.
    """

    old: tuple[int, int]  # rows and columns, as in `new`
    new: tuple[int, int]

    @classmethod
    def by(cls, factor: float, shape: tuple[int, int]) -> Resampling:
        """Return the resampling that scales a plane of this shape by `factor`."""
        rows, columns = np.maximum(1, nearest(np.multiply(shape, factor))).tolist()
        return cls(shape, (rows, columns))

    @property
    def is_none(self) -> bool:
        """Whether both grids are the same."""
        return self.old == self.new

    @property
    def back(self) -> Resampling:
        """The inverse resampling."""
        return Resampling(self.new, self.old)

    def span(self, window: Window) -> Window:
        """Return the rows and columns of the old grid that a window of the new one covers."""
        return self._span(window, 0)

    def needed(self, window: Window) -> Window:
        """Return the rows and columns of the old grid that the values in a window depend on."""
        return self._span(window, 0 if self.is_none else 1)

    def centres(self, window: Window) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the centres of a window's rows and columns on the old grid, from 0.5."""
        rows, columns = (
            (np.arange(part.start, part.stop, dtype=np.float64) + 0.5) * (old / new)
            for part, old, new in zip(window, self.old, self.new, strict=True)
        )
        return rows, columns

    def take(self, pixels: NDArray[Pixels], window: Window) -> NDArray[Pixels]:
        """Return a window of the new grid from the pixels of the old one that `needed` returns."""
        if self.is_none:
            return pixels
        origin = [part.start for part in self.needed(window)]
        (top, bottom), (left, right) = (
            (part.start * old / new - start, part.stop * old / new - start)
            for part, old, new, start in zip(window, self.old, self.new, origin, strict=True)
        )
        rows, columns = (part.stop - part.start for part in window)
        channels = pixels.reshape(*pixels.shape[:2], -1)
        resized = [
            Image.fromarray(np.ascontiguousarray(channels[..., channel])).resize(
                (columns, rows), Image.Resampling.BILINEAR, box=(left, top, right, bottom)
            )
            for channel in range(channels.shape[-1])
        ]
        result: Any = np.stack([np.asarray(channel) for channel in resized], axis=-1)
        taken: NDArray[Pixels] = result.reshape(rows, columns, *pixels.shape[2:])
        return taken

    def _span(self, window: Window, reach: int) -> Window:
        """Widen by `reach` times one pixel of the coarser grid plus one pixel."""
        spans = []
        for part, old, new in zip(window, self.old, self.new, strict=True):
            around = reach * (1 + -(-old // new))
            first, last = part.start * old // new, -(-part.stop * old // new)
            spans.append(slice(max(0, first - around), min(old, last + around)))
        rows, columns = spans
        return rows, columns
