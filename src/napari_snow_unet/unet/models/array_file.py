"""Named arrays in a safetensors file: written whole, and refused if they are not those wanted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.unet.network.arrays import Shape

Arrays = dict[str, NDArray[Any]]
OF_ONE_MODEL = "Weights and config must be of one model."
_TYPES = ("float16", "float32", "int32", "int64")
_HEADER = 1_000_000  # bytes; that of the largest network has a few thousand


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays by name, whole or not at all; the same arrays give the same bytes."""
    from safetensors.numpy import save

    # safetensors takes the memory as it lies, whatever the strides say.
    dense = {name: np.array(array, order="C") for name, array in arrays.items()}
    with written_whole(path, overwrite=True) as temporary:
        temporary.write_bytes(save(dense))


def read_arrays(path: Path, shapes: Mapping[str, Shape], remedy: str = OF_ONE_MODEL) -> Arrays:
    """Read arrays by name, read-only, of the type they are kept in; refuse a file with others."""
    from safetensors.numpy import load

    try:
        size, most = path.stat().st_size, _HEADER + 8 * _count(shapes)
        if size > most:
            raise refused(path, f"a file of {size:,} bytes where at most {most:,} are needed")
        arrays = load(path.read_bytes())
    except InputError:
        raise
    except KeyError as error:
        raise refused(path, f"an array of type {error}") from error  # NumPy has none such
    except Exception as error:  # the library's own, and what NumPy says of shapes
        raise refused(path, f"a file that is damaged or no safetensors ({error})") from error
    for name, array in arrays.items():
        if array.dtype.name not in _TYPES:
            raise refused(path, f"an array of type {array.dtype} in {name[:80]!r}")
    require_shapes(path, {name: array.shape for name, array in arrays.items()}, shapes, remedy)
    return {name: arrays[name] for name in shapes}


def require_shapes(
    path: Path, found: Mapping[str, Shape], shapes: Mapping[str, Shape], remedy: str
) -> None:
    """Refuse a file whose arrays are not just those wanted, by name and shape."""
    if found == dict(shapes):
        return
    if _count(found) != _count(shapes):
        told = (
            f"{_count(found):,} weights in {len(found)} arrays where {_count(shapes):,} are needed"
        )
        raise refused(path, told, remedy)
    odd = next(name for name in (*found, *shapes) if found.get(name) != shapes.get(name))
    if odd not in found:
        raise refused(path, f"no array {odd!r}", remedy)
    place = f"{shapes[odd]} has its place" if odd in shapes else "there is no place for it"
    raise refused(path, f"an array of shape {found[odd]} in {odd[:80]!r}, where {place}", remedy)


def refused(path: Path, received: str, remedy: str = "Choose another model.") -> InputError:
    """Return what is said of a file of weights that is not taken."""
    return InputError(received, expected="the arrays of its network", remedy=remedy, path=path)


def _count(shapes: Mapping[str, Shape]) -> int:
    return sum(math.prod(shape) for shape in shapes.values())
