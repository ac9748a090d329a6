"""Which value of an image is white: decided once for a file, a layer or a dataset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels import messages

COLOURS = (3, 4)
WHITES = (255, 1023, 4095, 16383, 65535)  # of 8, 10, 12, 14 and 16 bits
_OVERSHOT = 1.25
_SPECKS = 0.005  # part of the values: hot pixels, edges of letters
_BURNT_IN = 0.05  # part of the values: a scale bar, which has one value
_WHOLE, _WINDOW, _ACROSS, _PLANES = 1 << 22, 512, 4, 4  # of what is looked at
_DARK = 1 / 8  # of white
_MOST = 0.95  # of the images of a data set


@dataclass(frozen=True)
class ValueRange:
    """The scaling of an image as stored to the range 0..1."""

    white: float  # the value that is white; what is above is cut off
    opaque: float = 255.0  # the value of an alpha channel that lets nothing shine through
    note: str = ""  # what was assumed, in a sentence; empty if type or file leaves no choice


EIGHT_BITS = ValueRange(255.0)


def value_range(
    image: Any,
    *,
    white: float | None = None,
    white_values: Mapping[str, float] | None = None,
    of: str = "the data set",
) -> ValueRange:
    """Find which value of an image is white, once for a whole layer or file.

    8-bit images are taken as they are. Of other integers white is the smallest of 255, 1,023,
    4,095, 16,383 and 65,535 (8 to 16 bits) that holds their values; floats are taken as they are up
    to 1, and a quarter more since filters overshoot, and like integers above. The brightest 0.5 %
    of the values do not count, nor does the greatest value where at most 5 % have it, so that hot
    pixels and a scale bar darken nothing; an alpha channel has a range of its own.

    `white` is what the file states. `white_values` are those of each data type in a dataset or
    model, named by `of`, and hold for darker images too.
    """
    dtype = check_type(image.dtype)
    if dtype == np.bool_:
        return ValueRange(1.0, 1.0)
    if dtype == np.uint8 or 0 in image.shape:
        return EIGHT_BITS if dtype == np.uint8 else ValueRange(1.0, 1.0)
    if dtype.kind != "u":
        check_values(*extremes(image))
    values = sampled(image)
    opaque = 255.0
    if is_rgb(image.shape) and image.shape[-1] == 4:
        values, alpha = values[..., :3], values[..., 3]
        values = values[alpha > 0]
        opaque = white_of_largest(dtype, float(alpha.max()) or float(WHITES[-1]))
    largest = _brightest(values)
    if white is not None and largest <= white:
        return ValueRange(float(white), opaque)
    own = white_of_largest(dtype, largest)
    shared = (white_values or {}).get(dtype.name)
    if shared is None or own > shared or (own == 1 and dtype.kind == "f"):
        return ValueRange(own, opaque, "" if _is_usual(own) else messages.white_is(dtype.name, own))
    text = messages.white_as_in(dtype.name, shared, of)
    return ValueRange(float(shared), opaque, "" if own == shared and _is_usual(own) else text)


def _is_usual(white: float) -> bool:
    """Tell whether white is the end of what the type can hold, so that nothing is assumed."""
    return white in (1, WHITES[-1])


def white_of_all(whites: Mapping[str, list[float]]) -> dict[str, float]:
    """Return one white for each data type: that of the brightest images, but for a few of many."""
    return {
        dtype: sorted(values)[math.ceil(_MOST * (len(values) - 1))]
        for dtype, values in sorted(whites.items())
    }


def assumed_whites(white: Mapping[str, float]) -> list[str]:
    """Return what is assumed to be white in the images of a dataset, by data type."""
    unusual = {dtype: value for dtype, value in white.items() if not _is_usual(value)}
    return [messages.white_is(dtype, value) for dtype, value in unusual.items()]


def is_nearly_black(image: Any, values: ValueRange) -> bool:
    """Tell whether hardly anything in an image in memory is brighter than an eighth of white."""
    values_seen = sampled(image)
    if is_rgb(image.shape) and image.shape[-1] == 4:
        values_seen = values_seen[..., :3][values_seen[..., 3] > 0]
    if not values_seen.size:
        return False
    limit = values.white * _DARK
    limit = limit if values_seen.dtype.kind == "f" else int(limit)  # compared without a copy
    return bool(np.count_nonzero(values_seen > limit) <= _SPECKS * values_seen.size)


def is_rgb(shape: tuple[int, ...]) -> bool:
    """Tell whether the last axis of a shape, as files give it, holds colours: 3 or 4 of them."""
    return len(shape) >= 3 and shape[-1] in COLOURS


def check_type(kind: Any) -> np.dtype[Any]:
    """Return a data type, and refuse one that an image cannot have."""
    dtype = np.dtype(kind)
    if dtype.kind not in "buif":
        raise InputError(messages.not_numbers(str(dtype)))
    return dtype


def check_values(low: float, high: float) -> None:
    """Refuse values that are negative or not finite."""
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0:
        raise InputError(messages.values_out_of_range(low, high))


def white_of_largest(dtype: np.dtype[Any], largest: float) -> float:
    """Return the white of the smallest range that holds a value; InputError if none does."""
    if dtype.kind == "f" and largest <= _OVERSHOT:
        return 1.0
    for white in WHITES:
        if largest <= white:
            return float(white)
    raise InputError(messages.too_bright(str(dtype), largest, WHITES[-1]))


def extremes(image: Any) -> tuple[float, float]:
    """Return the least and the greatest value of an array, lazy or not."""
    if hasattr(image, "compute"):
        import dask

        low, high = dask.compute(image.min(), image.max())
        return float(low), float(high)
    array = np.asarray(image)
    return float(array.min()), float(array.max())


def sampled(image: Any) -> NDArray[Any]:
    """Return the pixels, (N,) or (N, 3|4), of an image, or of windows spread over a large one.

    The windows depend on the shape alone, so that a lazy image gives the same as one in memory.
    """
    colours = image.shape[-1:] if is_rgb(image.shape) else ()
    shape = tuple(int(length) for length in image.shape[: image.ndim - len(colours)])
    if np.prod(shape, dtype=object) <= _WHOLE:
        return np.asarray(image).reshape(-1, *colours)
    count = int(np.prod(shape[:-2], dtype=object))
    chosen = np.unique(np.linspace(0, count - 1, min(count, _PLANES)).astype(int))
    planes = [np.unravel_index(number, shape[:-2]) if shape[:-2] else () for number in chosen]
    corners = product(*(_starts(length) for length in shape[-2:]))
    windows = [
        image[(*(int(i) for i in plane), slice(y, y + _WINDOW), slice(x, x + _WINDOW))]
        for (y, x), plane in product(corners, planes)
    ]
    if hasattr(windows[0], "compute"):
        import dask

        windows = dask.compute(*windows)
    return np.concatenate([np.asarray(window).reshape(-1, *colours) for window in windows])


def _starts(length: int) -> list[int]:
    last = max(length - _WINDOW, 0)
    return sorted({int(start) for start in np.linspace(0, last, _ACROSS)})


def _brightest(values: NDArray[Any]) -> float:
    """Return the greatest value that counts; black, which pads images, does not."""
    values = values[values > 0]
    if not values.size:
        return 0.0
    rest = values[values < values.max()]
    if rest.size >= (1 - _BURNT_IN) * values.size:
        values = rest
    place = values.size - 1 - int(_SPECKS * values.size)
    return float(np.partition(values, place)[place])
