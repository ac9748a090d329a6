"""The files of one tile to arrays of one shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.channels import map_divisor, map_of_8_bits
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.images import read_image, read_labels
from napari_snow_unet.data.labels import count_values, looks_like_labels
from napari_snow_unet.metrics.instance import as_instances
from napari_snow_unet.metrics.sources import is_geojson, is_named_map
from napari_snow_unet.metrics.task import Task

_FEW_LEVELS = 32  # labels of fewer values than this may be classes, each in many places
_REGIONS_PER_LEVEL = 5


@dataclass(frozen=True)
class TileArrays:
    """The arrays of one tile, all of one shape."""

    prediction: NDArray[Any]
    truth: NDArray[Any]
    region: NDArray[np.bool_] | None


def read_tile(task: Task, name: str) -> TileArrays:
    """Read prediction, truth and region of one tile, masks split into their components.

    Parameters
    ----------
    task : Task
        What is compared.
    name : str
        The tile.

    Raises
    ------
    InputError
        If a file cannot be read, the sizes differ, or a label image looks like a probability map.
    """
    files = [task.predictions[name], task.truths[name].labels]
    if task.regions is not None:
        files.append(_region_file(task.regions, name))
    images = {file: read_labels(file) for file in files if not is_geojson(file)}
    shape = _common_shape(task, name, files, images)
    arrays = [images[file] if file in images else read_labels(file, shape) for file in files]
    for file, array in zip(files, arrays, strict=True):
        if array.shape != shape:
            raise InputError(
                f"it has {array.shape[0]} x {array.shape[1]} pixels (height x width)",
                expected=f"{shape[0]} x {shape[1]} as in {task.truths[name].labels}",
                remedy="Compare images of the same size, pixel for pixel.",
                path=file,
            )
    prediction, truth = arrays[:2]
    for file, array in zip(files, (prediction, truth), strict=False):
        _refuse_map(file, array)
    if not task.instances:
        prediction, truth = as_instances(prediction), as_instances(truth)
    return TileArrays(prediction, truth, arrays[2] != 0 if len(arrays) > 2 else None)


def _refuse_map(path: Path, labels: NDArray[np.int32]) -> None:
    """Refuse a probability map of 8 bits, whose grey levels would be scored as nuclei."""
    if not _FEW_LEVELS <= labels.max() <= np.iinfo(np.uint8).max:
        return
    levels, regions = count_values(labels)
    if levels >= _FEW_LEVELS and regions > _REGIONS_PER_LEVEL * levels:
        raise InputError(
            f"it looks like a probability map ({levels} grey levels in {regions:,} regions)",
            expected="a label image",
            remedy="Give maps with --probability, or cut them at a threshold first.",
            path=path,
        )


def _region_file(regions: Path | Mapping[str, Path], name: str) -> Path:
    if isinstance(regions, Path):
        return regions
    if name in regions:
        return regions[name]
    raise InputError(
        "no region has its name",
        expected="a region for each tile",
        remedy="Add its mask or outline, an empty one if nothing was annotated.",
    )


def _common_shape(
    task: Task, name: str, files: list[Path], images: Mapping[Path, NDArray[Any]]
) -> tuple[int, int]:
    """Return the shape all must have; outlines have none of their own and follow the others."""
    truth = task.truths[name]
    if truth.labels in images:
        shape = images[truth.labels].shape
    elif truth.image is not None:
        shape = read_image(truth.image).array.shape
    elif images:
        shape = next(iter(images.values())).shape
    else:
        shape = tuple(np.max([read_labels(file).shape for file in files], axis=0))
    return int(shape[0]), int(shape[1])


def read_map(path: Path, shape: tuple[int, ...]) -> tuple[NDArray[np.uint8], str]:
    """Read a probability map as one of 8 bits.

    Parameters
    ----------
    path : Path
        A grey image of whole numbers or of fractions, in a range that `map_divisor` knows.
    shape : tuple of int
        The shape it must have.

    Returns
    -------
    probability : array of uint8
        The map.
    assumed : str
        What was assumed of its values, see `map_divisor`.

    Raises
    ------
    InputError
        If it cannot be read, is of another type, range or shape, or holds labels.
    """
    array = read_image(path).array
    if array.shape != shape:
        raise _no_map(f"it has the shape {_said(array.shape)}", path, shape)
    if not is_named_map(path) and np.unique(array).size > 2 and looks_like_labels(array):
        raise _no_map("it holds labels", path, shape)
    try:
        divisor, assumed = map_divisor(array)
    except InputError as error:
        raise _no_map(f"it is {error.received}", path, shape) from None
    return map_of_8_bits(array, divisor), assumed


def _no_map(received: str, path: Path, shape: tuple[int, ...]) -> InputError:
    return InputError(
        received,
        expected=f"a grey image of shape {_said(shape)} with whole numbers of 8 or 16 bits or "
        "fractions from 0 to 1",
        remedy="Take the map of this image, such as `segment --probability` writes it.",
        path=path,
    )


def _said(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
