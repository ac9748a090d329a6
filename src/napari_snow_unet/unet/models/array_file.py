"""Named arrays in a safetensors file: written atomically, and checked against the network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.unet.models import messages
from napari_snow_unet.unet.network.arrays import Shape

Arrays = dict[str, NDArray[Any]]
_TYPES = ("float16", "float32", "int32", "int64")
_HEADER = 1_000_000  # bytes; that of the largest network has a few thousand


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays atomically; the same arrays give the same bytes."""
    from safetensors.numpy import save

    # safetensors ignores strides.
    dense = {name: np.array(array, order="C") for name, array in arrays.items()}
    with written_whole(path, overwrite=True) as temporary:
        temporary.write_bytes(save(dense))


def read_arrays(
    path: Path, shapes: Mapping[str, Shape], remedy: str = messages.OF_ONE_MODEL
) -> Arrays:
    """Read named arrays in their stored type, read-only; refuse a file with other arrays."""
    from safetensors.numpy import load

    try:
        size, most = path.stat().st_size, _HEADER + 8 * _count(shapes)
        if size > most:
            raise InputError(messages.too_large(size, most), path=path)
        arrays = load(path.read_bytes())
    except InputError:
        raise
    except KeyError as error:  # a type that NumPy lacks
        raise InputError(messages.unknown_type(str(error)), path=path) from error
    except Exception as error:  # the library's own, and NumPy's on shapes
        raise InputError(messages.damaged("safetensors", str(error)[:100]), path=path) from error
    for name, array in arrays.items():
        if array.dtype.name not in _TYPES:
            raise InputError(messages.array_type(name, str(array.dtype)), path=path)
    require_shapes(path, {name: array.shape for name, array in arrays.items()}, shapes, remedy)
    return {name: arrays[name] for name in shapes}


def require_shapes(
    path: Path, stored: Mapping[str, Shape], shapes: Mapping[str, Shape], remedy: str
) -> None:
    """Refuse a file whose arrays differ in name or shape from those of the network."""
    if stored != dict(shapes):
        raise InputError(_difference(stored, shapes)._replace(remedy=remedy), path=path)


def _difference(stored: Mapping[str, Shape], shapes: Mapping[str, Shape]) -> Message:
    if _count(stored) != _count(shapes):
        return messages.number_of_weights(_count(stored), len(stored), _count(shapes))
    odd = next(name for name in (*stored, *shapes) if stored.get(name) != shapes.get(name))
    if odd not in stored:
        return messages.array_missing(odd)
    if odd in shapes:
        return messages.array_shape(odd, stored[odd], shapes[odd])
    return messages.array_unknown(odd, stored[odd])


def _count(shapes: Mapping[str, Shape]) -> int:
    return sum(math.prod(shape) for shape in shapes.values())
