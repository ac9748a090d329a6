"""Weights in HDF5, as Keras writes them and version 0.1 did: looked into, then read without Keras.

HDF5 can point into other files (external and soft links, external and virtual data sets) and
declare arrays of any size; neither has a place in weights. Groups are walked without following a
link, and an array is read only once all names and shapes are known to be those of the network.
"""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.models.array_file import OF_ONE_MODEL, Arrays, refused, require_shapes
from napari_snow_unet.unet.network.arrays import NORM_ARRAYS, Shape

_MOST_OBJECTS = 5000
_DEEPEST = 12
_FILTERS = {1, 2, 3}  # of HDF5: deflate, shuffle, checksum
_PLACES = {name: n for names in (("kernel", "bias"), NORM_ARRAYS) for n, name in enumerate(names)}
_LEGACY = (
    "Its config can hold code; save the weights alone with model.save_weights('model.weights.h5')."
)


def keras_places(names: Iterable[str]) -> dict[str, str]:
    """Return where Keras' ``save_weights`` puts each array of a network, in order of its layers."""
    # Keras counts layers of a class: layers/conv2d_1/vars/0 is the kernel of the second
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


def read_hdf5(path: Path, shapes: Mapping[str, Shape], remedy: str = OF_ONE_MODEL) -> Arrays:
    """Read the arrays of an HDF5 file by their places; what is of an optimizer is ignored."""
    import h5py

    try:
        with h5py.File(path, "r", locking=False) as file:
            if "model_config" in file.attrs or "layer_names" in file.attrs:
                raise refused(path, "a legacy Keras .h5 file", _LEGACY)
            held = dict(_walk(file, path))
            found = {name: held[name] for name in held if not name.startswith("optimizer")}
    except InputError:
        raise
    except Exception as error:  # the HDF5 library fails in many ways on damaged files
        raise refused(path, f"a file that is damaged or no HDF5 ({error})") from error
    require_shapes(path, found, shapes, remedy)
    try:
        with h5py.File(path, "r", locking=False) as file:
            return {name: file[name][()] for name in shapes}
    except Exception as error:
        raise refused(path, f"a file that is damaged ({error})") from error


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
                raise refused(path, "a file with far too many entries")
            if not isinstance(parent.get(name, getlink=True), h5py.HardLink):
                raise refused(path, f"a link to elsewhere in {full!r}")
            item = parent[name]
            if isinstance(item, h5py.Group):
                waiting.append((f"{full}/", item, depth + 1))
            else:
                found.append((full, _checked_shape(item, full, path)))
    return found


def _checked_shape(item: Any, name: str, path: Path) -> Shape:
    import h5py

    if not isinstance(item, h5py.Dataset) or item.shape is None:
        raise refused(path, f"something that is no array in {name!r}")
    if item.external or item.is_virtual:
        raise refused(path, f"data from another file in {name!r}")
    if item.dtype.kind not in "fiu":
        raise refused(path, f"an array of type {item.dtype} in {name!r}")
    if item.chunks and any(map(operator.gt, item.chunks, item.shape)):
        raise refused(path, f"blocks larger than their array in {name!r}")
    filters = item.id.get_create_plist()
    if {filters.get_filter(n)[0] for n in range(filters.get_nfilters())} - _FILTERS:
        raise refused(path, f"an unusual compression in {name!r}")
    return tuple(item.shape)
