"""The facts about one tile that the check uses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.check.near_duplicates import EDGE, thumbnail
from napari_snow_unet.data.datasets.members import NamedBytes
from napari_snow_unet.data.datasets.tile_arrays import count_ids, tile_image
from napari_snow_unet.data.formats.label_images import read_mask_file
from napari_snow_unet.data.masks.doubts import cover_of
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.masks.notes import Note
from napari_snow_unet.data.pairs.file_per_nucleus import nucleus_files
from napari_snow_unet.data.pixels import decoding
from napari_snow_unet.data.pixels.images import read_image
from napari_snow_unet.data.pixels.opening import opened
from napari_snow_unet.data.pixels.tiff_header import main_series

_MODES = {"1": "1 bit", "I": "int32", "F": "float32", "P": "palette"}


@dataclass(frozen=True)
class FactTask:
    """A pair to read."""

    image: Path
    mask: Path
    white: Mapping[str, float] = field(default_factory=dict)
    masks_are: MasksAre | None = None


@dataclass(frozen=True)
class TileFacts:
    """Facts about a pair of files."""

    error: str = ""  # why a file cannot be read; then everything else is empty
    shape: tuple[int, ...] = ()  # pixels, and channels
    mask_shape: tuple[int, ...] = ()
    dtype: str = ""  # as stored
    mask_dtype: str = ""
    image_sha256: str = ""
    mask_sha256: str = ""
    pixels_sha256: str = ""  # of the pixels, independent of the file format
    thumbnail: npt.NDArray[np.float32] = field(
        default_factory=lambda: np.zeros((EDGE, EDGE), np.float32)
    )
    ids: int = 0
    nuclei: int = 0  # ids, or connected components of a binary mask or class map
    largest_id: int = 0
    foreground: float = 0.0  # fraction of the mask that is not 0
    unconnected: int = 0  # ids with more than one connected component
    binary: bool = False  # one value besides 0: 255, or any with several connected components
    notes: tuple[Note, ...] = ()
    darker: float = 0.0  # see `masks.doubts.Cover`


def read_facts(task: FactTask) -> TileFacts:
    """Read a pair and return its facts; of an unreadable file its error."""
    try:
        data = task.image.read_bytes()
        image = read_image(NamedBytes(data, str(task.image)))
        tile, array = tile_image(image, task.white), image.array
        rgb, size = tile.pixels, (tile.pixels.shape[0], tile.pixels.shape[1])
        judged = read_mask_file(task.mask, size, image=task.image, masks_are=task.masks_are)
        judged = judged.as_shown(size, image.orientation)
        mask_sha256 = _checksum(task.mask)
        mask_dtype = _stored_type(task.mask)
    except InputError as error:
        return TileFacts(error=error.text())
    except OSError as error:
        problem = messages.not_read(str(error.strerror))
        return TileFacts(error=InputError(problem, path=error.filename or None).text())
    labels, nuclei = judged.labels, judged.nuclei()
    largest, ids = int(labels.max()), count_ids(labels)
    unconnected = _unconnected(labels)
    same_size = labels.shape == rgb.shape[:2]
    return TileFacts(
        shape=array.shape,
        mask_shape=labels.shape,
        dtype=str(array.dtype),
        mask_dtype=mask_dtype,
        image_sha256=hashlib.sha256(data).hexdigest(),
        mask_sha256=mask_sha256,
        pixels_sha256=hashlib.sha256(str(rgb.shape).encode() + rgb.tobytes()).hexdigest(),
        thumbnail=thumbnail(rgb),
        ids=ids,
        nuclei=count_ids(nuclei),
        largest_id=largest,
        foreground=float(np.count_nonzero(labels) / labels.size),
        unconnected=unconnected,
        binary=ids == 1 and (largest == 255 or unconnected == 1),
        notes=(*map(Note, tile.notes), *(judged.notes if same_size else ())),
        darker=cover_of(rgb, labels > 0).darker if same_size else 0.0,
    )


def _unconnected(labels: npt.NDArray[np.int32]) -> int:
    """Count the ids with more than one 8-connected component."""
    from skimage.measure import label

    components = label(labels, connectivity=2)
    first = np.unique(components, return_index=True)[1]
    owners = np.unique(labels.ravel()[first], return_counts=True)
    return int(np.count_nonzero(owners[1][owners[0] > 0] > 1))


def _checksum(mask: Path) -> str:
    """Return the checksum of a mask, or of all files of a folder with one per nucleus."""
    files = nucleus_files(mask) if mask.is_dir() else [mask]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def _stored_type(path: Path) -> str:
    """Return the data type of a label image as stored."""
    if path.suffix.lower() not in (".png", ".tif", ".tiff", ".bmp"):
        return path.suffix.lower().lstrip(".")
    with opened(path) as (_, stream):
        if decoding.is_tiff(stream):
            with decoding.open_tiff(stream) as tif:
                return str(main_series(tif).dtype)
        image = decoding.open_pillow(stream)
        mode = "" if image is None else image.mode
    return _MODES.get(mode, "uint16" if mode.startswith("I;16") else "uint8")
