"""HoVer-Net's .mat files, the format of SNOW's masks; those of CoNSeP and Lizard too.

References
----------
.. [1] S. Graham et al., "Hover-Net: Simultaneous segmentation and classification of nuclei in
       multi-tissue histology images", Medical Image Analysis 58, 2019; the variables are those
       its published code writes per tile.
.. [2] K. Ding et al., "A large-scale synthetic pathological dataset for deep learning-enabled
       segmentation of breast cancer", Scientific Data 10:231, 2023.
.. [3] S. Graham et al., "Lizard: a large-scale dataset for colonic nuclear instance segmentation
       and classification", ICCV Workshops, 2021.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.data.formats import matlab5, messages
from napari_snow_unet.data.masks.labels import LARGEST_ID, as_labels
from napari_snow_unet.data.pixels.opening import Source, opened, source_name

_SNIFFED = 1 << 20  # bytes of a file of another version searched for the variable's name
_MOST_TYPES = 256
#: The columns of HoVer-Net's table, with Lizard's names of them.
_TABLE = {"inst_uid": "id", "inst_centroid": "centroid", "inst_type": "class"}


@dataclass(frozen=True)
class NucleusMap:
    """The nuclei of one tile, as a HoVer-Net file has them.

    Attributes
    ----------
    labels : ndarray of int32, shape (Y, X)
        The nucleus id of every pixel as stored, gaps in the numbering and all; 0 is background.
    index : ndarray of int32, shape (N,)
        The ids: those of the file's table in its order, then any that only the map has.
    centroid : ndarray of float64, shape (N, 2)
        Centre (y, x) in pixels per id; NaN where the file has none.
    type : ndarray of int32, shape (N,), or None
        Nucleus type per id, 0 ("no label") where the table lacks the id; None if the file has
        no types.
    """

    labels: npt.NDArray[np.int32]
    index: npt.NDArray[np.int32]
    centroid: npt.NDArray[np.float64]
    type: npt.NDArray[np.int32] | None


def is_hovernet_mat(path: str | os.PathLike[str]) -> bool:
    """Tell from the first bytes and variable names whether a file is for this reader.

    Never raises. True also for a file that begins as one but is cut short or damaged, for a
    MATLAB 7.3 or MATLAB 4 file with an ``inst_map``, and for a ``.mat`` file that is there
    and cannot be read: reading those says what is wrong with them.
    """
    try:
        with Path(path).open("rb") as stream:
            start = stream.read(matlab5.HEADER_SIZE)
            other = start.startswith((matlab5.HDF5_SIGNATURE, b"MATLAB 7.3"))
            if other or matlab5.is_matlab4(start):
                return b"inst_map" in start + stream.read(_SNIFFED)
            if len(start) < matlab5.HEADER_SIZE:
                return not start or start.startswith(b"MATLAB 5.0")
            stream.seek(0)
            return matlab5.has_variable(stream, "inst_map")
    except matlab5.NotMatlab5Error:
        return False
    except InputError:
        return True
    except ValueError:  # a path with a null character
        return False
    except OSError:  # a drive that fails; or a vanished file
        return Path(path).suffix.lower() == ".mat" and Path(path).is_file()


def read_instance_map(source: Source) -> npt.NDArray[np.int32]:
    """Read the label image of a HoVer-Net file, an open one forwards only, and nothing else."""
    return _labels(_variables(source)["inst_map"], source_name(source))


def read_hovernet_mat(source: Source) -> NucleusMap:
    """Read the label image of a HoVer-Net file with its table of nuclei.

    Parameters
    ----------
    source : path-like or binary file
        The file; an open one is read forwards only.

    Returns
    -------
    NucleusMap
        Labels, ids, centroids and, where the file has them, types.

    Raises
    ------
    InputError
        If the file is not a HoVer-Net .mat, is damaged, or its map does not hold ids.
    """
    path = source_name(source)
    stored = _variables(source, ["type_map", *_TABLE, *_TABLE.values()])
    stored = {ours: stored[name] for ours, name in _TABLE.items() if name in stored} | stored
    labels = _labels(stored["inst_map"], path)
    present = _ids(labels)
    listed = _listed(stored, present, path)
    extra = np.setdiff1d(present, listed)
    index = np.concatenate([listed, extra]).astype(np.int32)

    centroid = np.full((len(index), 2), np.nan)
    x_y = stored.get("inst_centroid")
    if x_y is not None and _fits(x_y, "inst_centroid", 2 * len(listed), path):
        centroid[: len(listed)] = x_y.reshape(-1, 2)[:, ::-1]
    kinds = stored.get("inst_type")
    if kinds is None or not _fits(kinds, "inst_type", len(listed), path):
        types = _types_of_map(labels, index, stored.get("type_map"))
        return NucleusMap(labels, index, centroid, types)
    types = np.zeros(len(index), np.int32)
    types[: len(listed)] = kinds.ravel()
    return NucleusMap(labels, index, centroid, types)


def write_hovernet_mat(
    path: str | os.PathLike[str],
    labels: npt.NDArray[np.integer[Any]],
    *,
    types: Mapping[int, int] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a label image as HoVer-Net does, with the ids and centroids of its nuclei.

    Parameters
    ----------
    path : path-like
        The file to write.
    labels : ndarray of int, shape (Y, X)
        Nucleus ids, 0 for background; at most 2,147,483,647.
    types : mapping from int to int, optional
        HoVer-Net's number of the type of a nucleus, where it has one; the others get 0.
    overwrite : bool, default: False
        Overwrite an existing file.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    InputError
        If `labels` is not a label image, or the file exists and may not be overwritten.
    """
    from scipy.io import savemat

    labels = _labels(np.asarray(labels), Path(path))
    rows, columns = np.nonzero(labels)
    ids, owner, counts = np.unique(labels[rows, columns], return_inverse=True, return_counts=True)
    sums = [np.bincount(owner, at, minlength=len(ids)) for at in (columns, rows)]
    variables = {
        "inst_map": labels,
        "inst_uid": ids.reshape(-1, 1) if len(ids) else np.zeros((0, 1), np.int32),
        "inst_centroid": np.stack(sums, 1) / counts[:, None] if len(ids) else np.zeros((0, 0)),
    }
    if types:
        kinds = [types.get(label, 0) for label in ids.tolist()]
        variables["inst_type"] = np.array(kinds, np.int32).reshape(-1, 1)
    with written_whole(path, overwrite=overwrite) as temporary, temporary.open("wb") as stream:
        savemat(stream, variables, do_compression=True)
    return Path(path)


def _variables(source: Source, table: Collection[str] = ()) -> dict[str, npt.NDArray[np.generic]]:
    """Read the map and those variables of the table that exist; all errors name the file."""
    passed = list[str]()
    with opened(source, ()) as (_, stream):  # an archive's errors are its reader's
        arrays = matlab5.read_arrays(stream, ["inst_map"], table, passed)
        if "inst_map" not in arrays:
            raise InputError(messages.lacks_map((*arrays, *passed)))
    return arrays


def _labels(stored: npt.NDArray[Any], path: Path) -> npt.NDArray[np.int32]:
    return as_labels(stored, path=path, what="inst_map")


def _ids(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the sorted ids above 0; by counting where they are dense, which is faster."""
    if labels.max() <= labels.size:
        return np.flatnonzero(np.bincount(labels.ravel())[1:]).astype(np.int32) + np.int32(1)
    return np.setdiff1d(labels, [0]).astype(np.int32)


def _listed(
    stored: dict[str, npt.NDArray[Any]], present: npt.NDArray[np.int32], path: Path
) -> npt.NDArray[np.int32]:
    """Return the ids that the file's table is about, in its order."""
    uid = stored.get("inst_uid")
    if uid is None:  # some data sets number the table's rows as the map's sorted ids
        return present
    uid = uid.ravel()
    if uid.size and not (uid.min() >= 0 and uid.max() <= LARGEST_ID):
        raise InputError(messages.NO_IDS, path=path)
    return uid.astype(np.int32)


def _types_of_map(
    labels: npt.NDArray[np.int32], index: npt.NDArray[np.int32], kinds: npt.NDArray[Any] | None
) -> npt.NDArray[np.int32] | None:
    """Return the commonest type in each nucleus, from a map of them as CoNSeP has it."""
    if kinds is None or kinds.shape != labels.shape:
        return None
    if not (kinds.min() >= 0 and kinds.max() < _MOST_TYPES):
        return None
    inside = labels > 0
    owner = np.searchsorted(np.sort(index), labels[inside])
    counts = np.bincount(
        owner * _MOST_TYPES + kinds[inside].astype(np.intp), minlength=len(index) * _MOST_TYPES
    )
    commonest = counts.reshape(-1, _MOST_TYPES).argmax(axis=1).astype(np.int32)
    return commonest[np.argsort(np.argsort(index))]


def _fits(column: npt.NDArray[Any], name: str, expected: int, path: Path) -> bool:
    """Tell whether a column of the table has its length; warn if it has another."""
    if column.size == expected:
        return True
    text = messages.column_ignored(name, column.size, expected)
    warnings.warn(f"{path}: {text}", stacklevel=3)
    return False
