"""HoVer-Net's .mat files, which is what SNOW's masks are; those of CoNSeP and Lizard too.

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
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.data.formats import matlab5
from napari_snow_unet.data.masks.labels import LARGEST_ID, as_labels

Source: TypeAlias = "str | os.PathLike[str] | BinaryIO"
_EXPECTED = "a HoVer-Net .mat file (MATLAB 5 with a label image inst_map)"
_SNIFFED = 1 << 20  # bytes of a file of another version searched for the variable's name
_NAMED = 6  # variables that an error names
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
    """Tell from a file's first bytes and variable names whether it is for this reader.

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
    except matlab5.Matlab5Error:
        return True
    except ValueError:  # a path with a null character
        return False
    except OSError:  # a drive that fails; or a vanished file
        return Path(path).suffix.lower() == ".mat" and Path(path).is_file()


def read_instance_map(source: Source) -> npt.NDArray[np.int32]:
    """Read the label image of a HoVer-Net file, an open one forwards only, and nothing else."""
    return _labels(_variables(source)["inst_map"], _name(source))


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
        If the file is no HoVer-Net .mat, is damaged, or its map holds no ids.
    """
    name = _name(source)
    stored = _variables(source, ["type_map", *_TABLE, *_TABLE.values()])
    stored = {ours: stored[name] for ours, name in _TABLE.items() if name in stored} | stored
    labels = _labels(stored["inst_map"], name)
    present = _ids(labels)
    listed = _listed(stored, present, name)
    extra = np.setdiff1d(present, listed)
    index = np.concatenate([listed, extra]).astype(np.int32)

    centroid = np.full((len(index), 2), np.nan)
    x_y = stored.get("inst_centroid")
    if x_y is not None and _fits(x_y, "inst_centroid", 2 * len(listed), name):
        centroid[: len(listed)] = x_y.reshape(-1, 2)[:, ::-1]
    kinds = stored.get("inst_type")
    if kinds is None or not _fits(kinds, "inst_type", len(listed), name):
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
        Replace a file that is already there.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    InputError
        If `labels` is no label image, or the file exists and may not be overwritten.
    """
    from scipy.io import savemat

    labels = _labels(np.asarray(labels), os.fspath(path))
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
    """Read the map and what there is of a table; whatever is wrong becomes one clear error."""
    name, passed = _name(source), list[str]()
    try:
        with _opened(source) as stream:
            found = matlab5.read_arrays(stream, ["inst_map"], table, passed)
    except matlab5.Matlab5Error as error:
        known = error.remedy if isinstance(error, matlab5.NotMatlab5Error) else ""
        remedy = known or "Copy or download the file again."
        raise _error(str(error), name, remedy) from error
    except MemoryError as error:
        raise _error("it does not fit into memory", name, "Cut it into smaller tiles.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise _error(f"the file cannot be read ({reason})", name, "Check the path.") from error
    if "inst_map" not in found:
        raise _lacks_map([*found, *passed], name)
    return found


def _lacks_map(there: Sequence[str], name: str) -> InputError:
    """Return the error about a file with other variables, which are named."""
    more = ", ..." if len(there) > _NAMED else ""
    holds = f"; it holds {', '.join(there[:_NAMED])}{more}" if there else ""
    remedy = "Choose a file that HoVer-Net wrote, or save its label image under the name inst_map."
    return _error(f"there is no inst_map in it{holds}", name, remedy)


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    if isinstance(source, (str, os.PathLike)):
        with Path(source).open("rb") as stream:
            yield stream
    else:
        yield source


def _name(source: Source) -> str:
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    return str(getattr(source, "name", "the .mat file"))


def _error(received: str, name: str, remedy: str) -> InputError:
    return InputError(
        received,
        expected=_EXPECTED,
        remedy=remedy,
        path=name,
    )


def _labels(stored: npt.NDArray[Any], name: str) -> npt.NDArray[np.int32]:
    return as_labels(stored, path=name, what="inst_map", expected=_EXPECTED)


def _ids(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return the sorted ids above 0; by counting where they are dense, which is faster."""
    if labels.max() <= labels.size:
        return np.flatnonzero(np.bincount(labels.ravel())[1:]).astype(np.int32) + np.int32(1)
    return np.setdiff1d(labels, [0]).astype(np.int32)


def _listed(
    stored: dict[str, npt.NDArray[Any]], present: npt.NDArray[np.int32], name: str
) -> npt.NDArray[np.int32]:
    """Return the ids that the file's table is about, in its order."""
    uid = stored.get("inst_uid")
    if uid is None:  # some data sets number the table's rows as the map's sorted ids
        return present
    uid = uid.ravel()
    if uid.size and not (uid.min() >= 0 and uid.max() <= LARGEST_ID):
        raise _error("inst_uid holds values that are no ids", name, "Check how it was written.")
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


def _fits(column: npt.NDArray[Any], what: str, expected: int, name: str) -> bool:
    """Say whether a column of the table has its length, and warn when it is left out."""
    if column.size == expected:
        return True
    message = f"{name}: {what} has {column.size} values where {expected} are needed; left out."
    warnings.warn(message, stacklevel=3)
    return False
