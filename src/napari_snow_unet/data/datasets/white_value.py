"""One white value for all images of a dataset, found in a sample of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.images import ImageFile, read_header, read_image
from napari_snow_unet.data.pixels.opening import Source
from napari_snow_unet.data.pixels.value_range import (
    ValueRange,
    assumed_whites,
    value_range,
    white_of_all,
)

THE_DATASET = "all images of the dataset"
_IN_GROUP, _GROUPS = 32, 8  # images sampled per folder, and folders
_OF_ONE_RANGE = ("bool", "uint8")


def range_of(image: ImageFile, white: Mapping[str, float]) -> ValueRange:
    """Return the value range of an image; `white` maps data types to the dataset's white values."""
    try:
        return value_range(image.array, white=image.white, white_values=white, of=THE_DATASET)
    except InputError as error:
        raise InputError(error.message, path=image.path) from error


def white_of_images(
    images: Iterable[tuple[Hashable, Callable[[], Source]]],
) -> tuple[dict[str, float], list[str]]:
    """Find the white value of each data type but uint8, and return it with the assumptions.

    Each image comes with a group of similar files, such as its folder; an evenly spaced sample of
    every group is read. Unreadable images are skipped.
    """
    groups: dict[Hashable, list[Callable[[], Source]]] = {}
    for group, opener in images:
        groups.setdefault(group, []).append(opener)
    ranges_of: dict[str, list[ValueRange]] = {}
    for openers in list(groups.values())[:_GROUPS]:
        places = np.linspace(0, len(openers) - 1, min(len(openers), _IN_GROUP)).astype(int)
        for place in np.unique(places):
            if (sample := _white_of(openers[place])) is not None:
                ranges_of.setdefault(sample[0], []).append(sample[1])
    white = white_of_all(
        {dtype: [values.white for values in ranges] for dtype, ranges in ranges_of.items()}
    )
    assumed = [dtype for dtype in white if any(values.note for values in ranges_of[dtype])]
    return white, assumed_whites({dtype: white[dtype] for dtype in assumed})


def _white_of(opener: Callable[[], Source]) -> tuple[str, ValueRange] | None:
    try:
        source: Any = opener()
        if read_header(source).dtype in _OF_ONE_RANGE:
            return None
        if hasattr(source, "seek"):
            source.seek(0)
        image = read_image(source)
        return image.array.dtype.name, value_range(image.array, white=image.white)
    except InputError:  # reported when the image is used
        return None
