"""Weights in HDF5, as Keras and version 0.1 write them: checked, then read without Keras.

HDF5 can point to other files (external and soft links, external and virtual datasets) and declare
arrays of any size; weights need neither. Groups are walked without following links, and arrays are
read only after all names and shapes have matched those of the network.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.models import messages
from napari_snow_unet.unet.models.array_file import Arrays, require_shapes
from napari_snow_unet.unet.network.arrays import NORM_ARRAYS, Shape

_MOST_OBJECTS = 5000
_DEEPEST = 12
_FILTERS = {1, 2, 3}  # of HDF5: deflate, shuffle, checksum
_PLACES = {name: n for names in (("kernel", "bias"), NORM_ARRAYS) for n, name in enumerate(names)}


def keras_places(names: Iterable[str]) -> dict[str, str]:
    """Return the place of each array in a file of Keras' ``save_weights``, in layer order."""
    # Keras numbers the layers of each class: layers/conv2d_1/vars/0 is the kernel of the second
    # convolution.
    layers: dict[str, str] = {}
    counted: Counter[str] = Counter()
    places = {}
    for name in names:
        layer, _, array = name.rpartition(".")
        if layer not in layers:
            kind = "conv2d_transpose" if layer.startswith("up") else "conv2d"
            kind = "batch_normalization" if layer.endswith("_norm") else kind
            layers[layer] = f"{kind}_{counted[kind]}" if counted[kind] else kind
            counted[kind] += 1
        places[name] = f"layers/{layers[layer]}/vars/{_PLACES[array]}"
    return places


def read_hdf5(
    path: Path, shapes: Mapping[str, Shape], remedy: str = messages.OF_ONE_MODEL
) -> Arrays:
    """Read arrays of an HDF5 file by their places; those of an optimizer are ignored."""
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as file:
            if "model_config" in file.attrs or "layer_names" in file.attrs:
                raise InputError(messages.LEGACY_KERAS, path=path)
            held = dict(_walk(file, path))
            weights = {name: held[name] for name in held if not name.startswith("optimizer")}
    except InputError:
        raise
    except Exception as error:  # the HDF5 library fails in many ways on damaged files
        raise InputError(messages.damaged("HDF5", str(error)[:100]), path=path) from error
    require_shapes(path, weights, shapes, remedy)
    try:
        with h5py.File(path, "r", locking=False) as file:
            return {name: file[name][()] for name in shapes}
    except Exception as error:
        raise InputError(messages.damaged("HDF5", str(error)[:100]), path=path) from error


def _walk(group: Any, path: Path) -> list[tuple[str, Shape]]:
    import h5py

    arrays: list[tuple[str, Shape]] = []
    waiting, seen = [("", group, 0)], 0
    while waiting:
        prefix, parent, depth = waiting.pop()
        for name in parent:
            seen += 1
            full = f"{prefix}{name}"
            if seen > _MOST_OBJECTS or depth > _DEEPEST:
                raise InputError(messages.TOO_MANY_ENTRIES, path=path)
            if not isinstance(parent.get(name, getlink=True), h5py.HardLink):
                raise InputError(messages.link(full), path=path)
            item = parent[name]
            if isinstance(item, h5py.Group):
                waiting.append((f"{full}/", item, depth + 1))
            else:
                arrays.append((full, _checked_shape(item, full, path)))
    return arrays


def _checked_shape(item: Any, name: str, path: Path) -> Shape:
    import h5py

    if not isinstance(item, h5py.Dataset) or item.shape is None:
        raise InputError(messages.not_an_array(name), path=path)
    if item.external or item.is_virtual:
        raise InputError(messages.outside_data(name), path=path)
    if item.dtype.kind not in "fiu":
        raise InputError(messages.array_type(name, str(item.dtype)), path=path)
    if item.chunks and any(map(operator.gt, item.chunks, item.shape)):
        raise InputError(messages.large_chunks(name), path=path)
    filters = item.id.get_create_plist()
    if {filters.get_filter(n)[0] for n in range(filters.get_nfilters())} - _FILTERS:
        raise InputError(messages.compression(name), path=path)
    return tuple(item.shape)
