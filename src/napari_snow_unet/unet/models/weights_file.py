"""Look into a weights file before anything reads it: plain arrays of the right shapes, no links."""

from __future__ import annotations

import math
import operator
from collections import Counter
from pathlib import Path
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole

_MOST_OBJECTS = 5000
_DEEPEST = 12
_FILTERS = {1, 2, 3}  # of HDF5: deflate, shuffle, checksum
Shape = tuple[int, ...]


def check_weights_file(
    path: Path, shapes: list[Shape], remedy: str = "Weights and config must be of one model."
) -> None:
    """Refuse a weights file that is not just the arrays a network needs.

    HDF5 can point into other files (external and soft links, external and virtual data sets) and
    declare arrays of any size; neither has a place in weights. Groups are walked without following
    a link; an array is read only once all shapes are known to be those of the network.

    Parameters
    ----------
    path : pathlib.Path
        ``model.weights.h5``.
    shapes : list of tuple of int
        Shapes of the network's variables, in any order. Variables of an optimizer are ignored.
    remedy : str
        What to do where the file holds others.

    Raises
    ------
    InputError
        If the file is not HDF5, damaged, of the older layout that holds a program, links
        elsewhere, or holds other arrays than these.
    """
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as file:
            if "model_config" in file.attrs or "layer_names" in file.attrs:
                raise _refusal(path, "a legacy Keras .h5 file", _LEGACY)
            held = dict(_walk(file, path))
            names = [name for name in held if not name.startswith("optimizer")]
            found = [held[name] for name in names]
    except InputError:
        raise
    except Exception as error:  # the HDF5 library fails in many ways on damaged files
        raise _refusal(path, f"a file that is damaged or no HDF5 ({error})") from error
    if Counter(found) != Counter(shapes):
        raise _refusal(path, _difference(found, shapes), remedy)
    try:
        with h5py.File(path, "r", locking=False) as file:
            for name in names:
                file[name][()]
    except Exception as error:
        raise _refusal(path, f"a file that is damaged ({error})") from error


def halve_weights_file(path: Path) -> None:
    """Rewrite a weights file with its arrays as compressed float16.

    Parameters
    ----------
    path : pathlib.Path
        ``model.weights.h5``, replaced as a whole.
    """
    import h5py
    import numpy as np

    def copy(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            small: dict[str, Any] = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
            made = target.create_dataset(
                name, data=np.asarray(item).astype(np.float16), **(small if item.shape else {})
            )
        else:
            made = target.require_group(name)
        made.attrs.update(item.attrs)

    with (
        written_whole(path, overwrite=True) as temporary,
        h5py.File(path, "r") as source,
        h5py.File(temporary, "w") as target,
    ):
        source.visititems(copy)
        target.attrs.update(source.attrs)


_LEGACY = (
    "Its config can hold code; save the weights alone with model.save_weights('model.weights.h5')."
)


def _refusal(path: Path, received: str, remedy: str = "Choose another model.") -> InputError:
    return InputError(received, expected="a Keras weights file", remedy=remedy, path=path)


def _walk(group: Any, path: Path) -> list[tuple[str, Shape]]:
    import h5py

    found: list[tuple[str, Shape]] = []
    waiting, seen = [("", group, 0)], 0
    while waiting:
        prefix, parent, depth = waiting.pop()
        for name in parent:
            seen += 1
            full = f"{prefix}{name}"
            if seen > _MOST_OBJECTS or depth > _DEEPEST:
                raise _refusal(path, "a file with far too many entries")
            if not isinstance(parent.get(name, getlink=True), h5py.HardLink):
                raise _refusal(path, f"a link to elsewhere in {full!r}")
            item = parent[name]
            if isinstance(item, h5py.Group):
                waiting.append((f"{full}/", item, depth + 1))
            else:
                found.append((full, _checked_shape(item, full, path)))
    return found


def _checked_shape(item: Any, name: str, path: Path) -> Shape:
    import h5py

    if not isinstance(item, h5py.Dataset) or item.shape is None:
        raise _refusal(path, f"something that is no array in {name!r}")
    if item.external or item.is_virtual:
        raise _refusal(path, f"data from another file in {name!r}")
    if item.dtype.kind not in "fiu":
        raise _refusal(path, f"an array of type {item.dtype} in {name!r}")
    if item.chunks and any(map(operator.gt, item.chunks, item.shape)):
        raise _refusal(path, f"blocks larger than their array in {name!r}")
    filters = item.id.get_create_plist()
    if {filters.get_filter(n)[0] for n in range(filters.get_nfilters())} - _FILTERS:
        raise _refusal(path, f"an unusual compression in {name!r}")
    return tuple(item.shape)


def _difference(found: list[Shape], shapes: list[Shape]) -> str:
    held, wanted = (sum(math.prod(shape) for shape in part) for part in (found, shapes))
    if held != wanted:
        return f"{held:,} weights in {len(found)} arrays where {wanted:,} are needed"
    extra = next(iter((Counter(found) - Counter(shapes)).elements()))
    return f"an array of shape {extra} that has no place"
