"""Tables of colours: the palette of a mask, and what ImageJ shows of grey values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from tifffile import PHOTOMETRIC, TiffFile, TiffPage, TiffPageSeries

_WHITE = 250  # and above


def values_of_palette(
    indices: npt.NDArray[Any],
    colours: npt.NDArray[np.uint8],
    transparent: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[Any]:
    """Return the values, 0 for background, of a mask that is stored with a palette.

    Transparent colours are background. Otherwise it is index 0 if that is black, or white and on
    more pixels than black, as slide viewers and ImageJ write masks; otherwise black, or index 0 if
    there is no black. With a black background, greys give their brightness, since programs that
    shrink PNGs change their order; all other colours give their index.
    """
    counts = np.bincount(indices.ravel(), minlength=len(colours))
    values = np.arange(len(colours))
    if transparent is not None and counts[transparent].any():
        if not transparent[0]:
            values[0] = len(colours)
        values[transparent] = 0
        return values[indices]
    background, used = _background(colours, counts), colours[counts > 0]
    if not colours[background].any() and (used == used[:, :1]).all():
        return colours[indices, 0]
    values[[0, background]] = background, 0
    return values[indices] if background else indices


def _background(colours: npt.NDArray[np.uint8], counts: npt.NDArray[np.int64]) -> int:
    black = np.flatnonzero(~colours.any(axis=1) & (counts > 0))
    if not colours[0].any() or not black.size:
        return 0
    if colours[0].min() >= _WHITE and counts[0] > counts[black].sum():
        return 0
    return int(black[0])


def palette_of_tiff(page: TiffPage) -> npt.NDArray[np.uint8] | None:
    """Return the palette of a page, shape (N, 3); None if it has none."""
    if page.photometric != PHOTOMETRIC.PALETTE or page.colormap is None:
        return None
    # Some programs write 8 bits where the standard asks for 16.
    shift = 8 if page.colormap.max() > np.iinfo(np.uint8).max else 0
    return (page.colormap >> shift).astype(np.uint8).T


_GREY = (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.PALETTE)
_LEVELS = 256
_BANDS = 3


@dataclass(frozen=True, eq=False)
class LookupTables:
    """The lookup tables of an ImageJ file."""

    tables: npt.NDArray[np.uint8]  # (C, 3, 256): red, green and blue of each channel
    # of each channel the values with the first and the last colour, or empty
    ranges: tuple[tuple[float, float], ...]
    composite: bool  # channels are shown together

    @property
    def inverts(self) -> bool:
        """Whether it is one grey table that begins with white."""
        return not self._coloured and bool(self.tables[0, 0, 0] > self.tables[0, 0, -1])

    @property
    def colours(self) -> bool:
        """Whether what is shown has other colours than the values alone would have."""
        if len(self.tables) == 1:
            return self._coloured
        return self.composite and not self.is_rgb

    @property
    def is_rgb(self) -> bool:
        """Whether there are three channels, shown in red, green and blue."""
        ramp = np.arange(_LEVELS)
        shown = self.tables.astype(int)
        wanted = np.eye(_BANDS, dtype=int)[:, :, np.newaxis] * ramp
        return shown.shape == wanted.shape and bool((abs(shown - wanted) <= 1).all())

    @property
    def _coloured(self) -> bool:
        return len(self.tables) == 1 and bool((self.tables != self.tables[:, :1]).any())

    def shown(self, array: npt.NDArray[Any], channel_axis: int = -1) -> npt.NDArray[np.uint8]:
        """Return 8-bit RGB: behind the axes of one channel, or along `channel_axis` of several."""
        if len(self.tables) == 1:
            return np.moveaxis(self.tables[0][:, self._levels(array, 0)], 0, -1)
        channels = np.moveaxis(array, channel_axis, 0)
        total = np.zeros((_BANDS, *channels.shape[1:]), np.uint16)
        for number, table in enumerate(self.tables):
            total += table[:, self._levels(channels[number], number)]
        return np.moveaxis(np.minimum(total, 255).astype(np.uint8), 0, channel_axis)

    def _levels(self, values: npt.NDArray[Any], number: int) -> npt.NDArray[np.intp]:
        if values.dtype == np.uint8:
            return values.astype(np.intp)
        has_range = number < len(self.ranges)
        low, high = self.ranges[number] if has_range else (float(values.min()), float(values.max()))
        width = high - low + (values.dtype.kind in "iu")
        levels = (values.astype(np.float64) - low) * (_LEVELS / width if width > 0 else 0)
        return np.clip(levels, 0, _LEVELS - 1).astype(np.intp)


def lookup_tables(tif: TiffFile) -> LookupTables | None:
    """Return the lookup tables of an ImageJ file; None if it has none."""
    facts = tif.imagej_metadata if tif.is_imagej else None
    tables = (facts or {}).get("LUTs")
    if not facts or tables is None or not np.size(tables) or np.size(tables) % (_BANDS * _LEVELS):
        return None
    limits = [float(value) for value in facts.get("Ranges", ())]
    if not limits and "min" in facts and "max" in facts:
        limits = [float(facts["min"]), float(facts["max"])]
    ranges = tuple(zip(limits[::2], limits[1::2], strict=False))
    shaped = np.reshape(tables, (-1, _BANDS, _LEVELS)).astype(np.uint8)
    return LookupTables(shaped, ranges, facts.get("mode") == "composite")


def tables_to_show(tif: TiffFile, series: TiffPageSeries) -> LookupTables | None:
    """Return lookup tables that give a picture other colours than its values have, or None."""
    tables = lookup_tables(tif)
    if tables is None or not tables.colours or series.keyframe.photometric not in _GREY:
        return None
    bands = series.shape[series.axes.find("C")] if "C" in series.axes else 1
    fits = "S" not in series.axes and bands == len(tables.tables) and bands in (1, _BANDS)
    return tables if fits else None


def has_inverting_table(tif: TiffFile, axes: str) -> bool:
    """Tell whether a grey picture is shown with its scale inverted."""
    tables = None if {"S", "C"} & set(axes) else lookup_tables(tif)
    return tables is not None and len(tables.tables) == 1 and tables.inverts
