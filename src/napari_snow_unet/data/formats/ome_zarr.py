"""Label images as OME-Zarr: a pyramid in chunks, with the pixel size.

Version 0.4 of the format, on Zarr 2, is what programs read today, QuPath among them.

References
----------
.. [1] J. Moore et al., "OME-Zarr: a cloud-optimized bioimaging file format with international
       community support", Histochemistry and Cell Biology 160:223-251, 2023; version 0.4 of the
       specification, https://ngff.openmicroscopy.org/0.4/.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.files import folder_written_whole
from napari_snow_unet.data.pixels.images import ABOUT

VERSION = "0.4"
CHUNK = 1024  # pixels
SMALLEST_LEVEL = 512  # pixels; a level no larger than this is the last one
_LEADING = ((), ("z",), ("t", "z"), ("t", "c", "z"))  # what axes before the plane are called


def write_ome_zarr_labels(
    path: str | os.PathLike[str],
    labels: npt.NDArray[np.integer[Any]],
    *,
    spacing_um: tuple[float, float] | None = None,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write labels, with up to three axes before the plane, as an OME-Zarr folder."""
    path, labels = Path(path), np.asarray(labels)
    with ome_zarr_labels(
        path, labels.shape, dtype=labels.dtype, spacing_um=spacing_um, overwrite=overwrite
    ) as written:
        written.write(slice(0, labels.shape[-2]), slice(0, labels.shape[-1]), labels)
        written.say(about or {})
    return path


@dataclass(frozen=True)
class Pyramid:
    """Labels on disk, to be written block by block; the full resolution is the first level."""

    # each takes every second pixel of the one before: the mean of two ids is not an id
    levels: tuple[Any, ...]
    group: Any

    def say(self, about: Mapping[str, Any]) -> None:
        """Record the provenance of the labels, if there is any."""
        if about:
            self.group.attrs.update({ABOUT: dict(about)})

    def write(self, rows: slice, columns: slice, labels: npt.NDArray[np.integer[Any]]) -> None:
        """Write a block of the full resolution, and what the other levels take of it."""
        for number, level in enumerate(self.levels):
            step = 2**number
            skip = [-part.start % step for part in (rows, columns)]
            taken = labels[..., skip[0] :: step, skip[1] :: step]
            y, x = (
                (part.start + before) // step
                for part, before in zip((rows, columns), skip, strict=True)
            )
            if taken.size:
                level[..., y : y + taken.shape[-2], x : x + taken.shape[-1]] = taken


@contextmanager
def ome_zarr_labels(
    path: Path,
    shape: tuple[int, ...],
    *,
    dtype: npt.DTypeLike = np.int32,
    spacing_um: tuple[float, float] | None = None,
    overwrite: bool = False,
) -> Iterator[Pyramid]:
    """Make an OME-Zarr folder of zeros to fill; it is there once the block has ended well."""
    import zarr

    leading = shape[:-2]
    with folder_written_whole(path, overwrite=overwrite, ours=_is_zarr) as folder:
        group = zarr.open_group(folder, mode="w", zarr_format=2)
        shapes = _shapes(shape)
        levels = [
            group.create_array(
                str(number),
                shape=level,
                chunks=(1,) * len(leading) + tuple(min(CHUNK, n) for n in level[-2:]),
                dtype=np.dtype(dtype),
                fill_value=0,
                chunk_key_encoding={"name": "v2", "separator": "/"},
            )
            for number, level in enumerate(shapes)
        ]
        group.attrs.update(_metadata(path.stem, len(shape), len(levels), spacing_um))
        yield Pyramid(tuple(levels), group)


def _is_zarr(folder: Path) -> bool:
    return (folder / ".zgroup").is_file() or (folder / "zarr.json").is_file()


def _shapes(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    shapes = [tuple(int(length) for length in shape)]
    while max(shapes[-1][-2:]) > SMALLEST_LEVEL:
        shapes.append(shapes[-1][:-2] + tuple(-(-length // 2) for length in shapes[-1][-2:]))
    return shapes


def _metadata(
    name: str, ndim: int, levels: int, spacing_um: tuple[float, float] | None
) -> dict[str, Any]:
    """Return the attributes that make a Zarr group OME-Zarr labels."""
    unit = {} if spacing_um is None else {"unit": "micrometer"}
    kinds = {"t": "time", "c": "channel", "z": "space"}
    axes = [{"name": axis, "type": kinds[axis]} for axis in _LEADING[ndim - 2]]
    axes += [{"name": axis, "type": "space", **unit} for axis in "yx"]
    height, width = spacing_um or (1.0, 1.0)
    datasets = []
    for number in range(levels):
        scale = [1.0] * (ndim - 2) + [height * 2**number, width * 2**number]
        transforms = [{"type": "scale", "scale": scale}]
        datasets.append({"path": str(number), "coordinateTransformations": transforms})
    image = {"version": VERSION, "name": name, "axes": axes, "datasets": datasets}
    return {
        "multiscales": [image | {"type": "nearest"}],
        "image-label": {"version": VERSION},
    }
