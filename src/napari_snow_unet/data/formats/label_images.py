"""Labels in image files, and the one way to read labels of any format."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
from tifffile import PHOTOMETRIC

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations.annotation_files import is_annotation_path
from napari_snow_unet.data.formats import messages
from napari_snow_unet.data.formats.hovernet import read_instance_map
from napari_snow_unet.data.formats.labels_of_outlines import read_outlined_nuclei
from napari_snow_unet.data.masks.judgement import Judgement, MasksAre, labels_by_definition
from napari_snow_unet.data.masks.labels import as_labels
from napari_snow_unet.data.masks.mask_kinds import judge_mask
from napari_snow_unet.data.masks.messages import JPEG
from napari_snow_unet.data.masks.notes import OPAQUE, Note
from napari_snow_unet.data.pairs.file_per_nucleus import Merged, merge_nuclei, nucleus_files
from napari_snow_unet.data.pixels import decoding
from napari_snow_unet.data.pixels.colour_tables import palette_of_tiff, values_of_palette
from napari_snow_unet.data.pixels.decoding import alpha_of
from napari_snow_unet.data.pixels.images import ABOUT, write_pixels
from napari_snow_unet.data.pixels.opening import Source, opened, source_name
from napari_snow_unet.data.pixels.orientation import turned
from napari_snow_unet.data.pixels.tiff import tiff_values
from napari_snow_unet.data.pixels.tiff_header import main_series

_MOST_OF_16_BITS = np.iinfo(np.uint16).max


def read_labels(
    source: Source,
    shape: tuple[int, int] | None = None,
    *,
    image: str | os.PathLike[str] | None = None,
    stack: bool = False,
) -> npt.NDArray[np.int32]:
    """Read the numbers in a file of labels, whatever they mean; see `read_mask_file`.

    Parameters
    ----------
    source : path-like or binary file
        PNG of up to 16 bits, TIFF, BMP, HoVer-Net .mat, outlines, or a folder with a mask for each
        nucleus; an open file must be able to seek, but for a .mat.
    shape : tuple of int, optional
        Height and width of the image that outlines belong to. By default they are those of the
        image beside the file.
    image : path-like, optional
        What that image is called, where outlines are for several.
    stack : bool, default: False
        Take a TIFF of several planes too.

    Returns
    -------
    ndarray of int32, shape (Y, X), or (N, Y, X) of a stack
        The values as they are: ids with their gaps, or 0 and 255 of a binary mask.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged, is in colour, is a JPEG (whose compression
        changes ids), or holds anything but whole numbers from 0.
    """
    by_definition = _read_by_definition(source, shape, image)
    if by_definition is not None:
        return by_definition.labels
    with opened(source) as (path, stream):
        return as_labels(_stored_values(stream).values, path=path, stack=stack)


def read_mask_file(
    source: Source,
    shape: tuple[int, int] | None = None,
    *,
    image: str | os.PathLike[str] | None = None,
    stack: bool = False,
    masks_are: MasksAre | None = None,
) -> Judgement:
    """Read a mask of any kind, as `read_labels` does, and tell what it is.

    `masks_are` does not count for files whose format or whose writer says what they hold: .mat,
    outlines, and labels that this package has written. InputError also if `judge_mask` refuses it.
    """
    by_definition = _read_by_definition(source, shape, image)
    if by_definition is not None:
        return by_definition
    with opened(source) as (path, stream):
        stored = _stored_values(stream)
        output = _output_of(stored.description)
        if stored.values.ndim > (3 if stack else 2) or output == "nuclei":
            return labels_by_definition(as_labels(stored.values, path=path, stack=stack))
        if output == "mask" and masks_are is None:
            masks_are = "binary"
        judged = judge_mask(stored.values, masks_are, path=path).taken(path)
        return replace(judged, notes=(*stored.notes, *judged.notes))


def _read_by_definition(
    source: Source, shape: tuple[int, int] | None, image: str | os.PathLike[str] | None
) -> Judgement | None:
    """Read a file whose format holds nuclei and nothing else; None if it is an image."""
    name = source_name(source)
    if isinstance(source, (str, os.PathLike)) and name.is_dir():
        merged = read_nuclei(name)
        return labels_by_definition(merged.labels, merged.notes)
    if name.suffix.lower() == ".mat":
        return labels_by_definition(read_instance_map(source))
    if not is_annotation_path(name):
        return None
    outlined = read_outlined_nuclei(source, shape, image)
    return labels_by_definition(outlined.labels, outlined.notes, outlined.region)


def read_nuclei(folder: Path) -> Merged:
    """Read a folder of masks with one nucleus each as one label image."""
    masks = ((path.name, read_mask_file(path).labels) for path in nucleus_files(folder))
    return merge_nuclei(masks, folder)


class _Stored(NamedTuple):
    """The numbers in a label image, how they were read, and the description in their file."""

    values: npt.NDArray[Any]
    notes: tuple[Note, ...]
    description: str


def _stored_values(stream: BinaryIO) -> _Stored:
    if decoding.is_tiff(stream):
        with decoding.open_tiff(stream) as tif:
            page = main_series(tif).keyframe
            if page.photometric == PHOTOMETRIC.SEPARATED:
                raise InputError(messages.IN_COLOUR)
            values, colours = tiff_values(tif, stream), palette_of_tiff(page)
            if colours is not None:
                return _Stored(values_of_palette(values, colours), (), page.description)
            return _Stored(*_one_band(values), page.description)
    picture = decoding.open_pillow(stream)
    if picture is None or picture.format == "JPEG":
        raise InputError(JPEG) if picture else decoding.other_format(stream)
    values, notes = _one_band(decoding.pillow_values(picture))
    values = turned(values, decoding.pillow_facts(picture, stream).orientation)
    return _Stored(values, notes, str(picture.info.get(ABOUT, "")))


def _output_of(description: str) -> str:
    """Return the kind of output, nuclei or mask, of a file of this package, or ''."""
    try:
        facts = json.loads(description)
        output = facts.get(ABOUT, facts)["options"]["output"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ""
    return output if output in ("nuclei", "mask") else ""


def write_labels(
    path: str | os.PathLike[str],
    labels: npt.NDArray[np.integer[Any]],
    *,
    about: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> Path:
    """Write labels as a 16-bit PNG, or as a 32-bit TIFF when an id is above 65,535.

    Parameters
    ----------
    path : path-like
        The file to write. ``.tif`` and ``.tiff`` are kept; ``.png`` becomes ``.tif`` when the
        ids need it.
    labels : ndarray of int, shape (Y, X)
        Ids, 0 for background.
    about : mapping, optional
        Their provenance, see `formats.origin`; it is written into the file.
    overwrite : bool, default: False
        Overwrite an existing file.

    Returns
    -------
    pathlib.Path
        The file that was written.

    Raises
    ------
    InputError
        If `labels` is not a label image, the suffix is not supported, or the file exists.
    """
    path = Path(path)
    ids = as_labels(np.asarray(labels), path=path, what="array")
    path = image_that_holds(ids, path)
    size = np.uint32 if ids.max() > _MOST_OF_16_BITS else np.uint16
    write_pixels(path, ids.astype(size), about, overwrite=overwrite)
    return path


def image_that_holds(labels: npt.NDArray[Any], path: Path) -> Path:
    """Return the file for labels: ``.tif`` for a stack and for ids that ``.png`` cannot hold."""
    too_much = labels.ndim > 2 or labels.max(initial=0) > _MOST_OF_16_BITS
    return path.with_suffix(".tif") if path.suffix.lower() == ".png" and too_much else path


def _one_band(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], tuple[Note, ...]]:
    """Take the numbers of a label image: grey saved as colour counts as such, clear is background.

    Where all that is seen has one colour, the mask is what is seen.
    """
    if values.ndim != 3 or values.shape[2] not in (2, 3, 4):
        return values, ()
    bands = values if values.shape[2] == 3 else values[..., :-1]
    alpha = np.ones(values.shape[:2]) if bands is values else values[..., -1]
    opaque = alpha == (1 if bands is values else alpha_of(values.dtype))
    if not alpha.all() and not bands[alpha > 0].any():
        raise InputError(messages.BLACK_AND_TRANSPARENT)
    if not (opaque | (alpha == 0)).all():
        raise InputError(messages.HALF_TRANSPARENT)
    seen = bands[opaque]
    if (seen != seen[:, :1]).any():
        if not opaque.all() and (seen == seen[0]).all():
            return opaque.astype(np.uint8), (OPAQUE,)
        raise InputError(messages.IN_COLOUR)
    return np.where(opaque, bands[..., 0], 0), ()
