"""One tile of a dataset: from an image and a mask as they come to two files of one kind."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from napari_snow_unet.data.annotation_files import is_annotation_path
from napari_snow_unet.data.channels import to_rgb8
from napari_snow_unet.data.dataset_range import range_of
from napari_snow_unet.data.files import InputError, written_whole
from napari_snow_unet.data.hovernet_mat import read_instance_map
from napari_snow_unet.data.images import ImageFile, read_image, read_mask_file
from napari_snow_unet.data.manifest import Tile
from napari_snow_unet.data.mask_kinds import MasksAre, labels_by_definition
from napari_snow_unet.data.naming import tile_name
from napari_snow_unet.data.nucleus_files import merge_nuclei
from napari_snow_unet.data.orientation import MASK_IN_DOUBT, UPRIGHT
from napari_snow_unet.data.pixel_size import check_pixel_size
from napari_snow_unet.data.png import encode, plain_rgb
from napari_snow_unet.data.problems import Problem
from napari_snow_unet.data.qupath import tile_region
from napari_snow_unet.data.sources import Member, open_member, read_member
from napari_snow_unet.data.value_range import NEARLY_BLACK, is_nearly_black

_LARGEST_ID = 65535
_COMPRESSED = 15  # what stands before a compressed variable of a .mat


@dataclass(frozen=True)
class TileTask:
    """What to make of which files.

    Attributes
    ----------
    index : int
        Number of the tile.
    name : str
        What it is called.
    image, mask : Member
        Where it comes from.
    folder : str
        The dataset's folder.
    image_file, mask_file, region_file : str
        Where it goes, relative to the folder; the last one where only a part was annotated.
    had_region : bool
        The tile that it takes the place of had one.
    binary : bool
        0 and 255 in place of ids.
    um_per_px : float or None
        Micrometres per pixel at full resolution, where the image does not say.
    verify : bool
        Read what comes from an archive to its end, to check the archive's checksum.
    white : mapping from str to float
        Which value is white in images of a data type, once for the dataset.
    masks_are : {"labels", "binary", "classes"} or None
        What label images hold, where a person says so.
    """

    index: int
    name: str
    image: Member
    mask: Member
    folder: str
    image_file: str
    mask_file: str
    region_file: str = ""
    had_region: bool = False
    binary: bool = False
    um_per_px: float | None = None
    verify: bool = False
    white: Mapping[str, float] = field(default_factory=dict)
    masks_are: MasksAre | None = None


class WriteError(Exception):
    """The target cannot be written: nothing that another tile would not meet too."""


def make_tile(task: TileTask) -> Tile | Problem:
    """Read a pair, check it, and write its two files whole.

    Parameters
    ----------
    task : TileTask
        The pair and the files to make of it.

    Returns
    -------
    Tile or Problem
        The row of the manifest; or what is wrong with the sources, then nothing is written.

    Raises
    ------
    WriteError
        If a file cannot be written.
    """
    part = task.image
    try:
        image = _image(task)
        part = task.mask
        labels, notes, region = _labels(task, image)
    except InputError as error:
        reason = f"{error.received}; expected {error.expected}. {error.remedy}"
        return Problem(part.label, reason)
    except MemoryError:
        return Problem(part.label, "it does not fit into memory. Cut it into smaller tiles.")
    nuclei = count_ids(labels)
    foreground = float(np.count_nonzero(labels) / labels.size)
    pixels = (labels > 0).astype(np.uint8) * 255 if task.binary else labels.astype(np.uint16)
    mask = encode(pixels)
    _write(Path(task.folder, task.mask_file), mask)
    _write(Path(task.folder, task.image_file), image.png)
    if region is not None:
        _write(Path(task.folder, task.region_file), encode(region.astype(np.uint8) * 255))
    elif task.had_region:
        Path(task.folder, task.region_file).unlink(missing_ok=True)
    return Tile(
        index=task.index,
        image=task.image_file,
        mask=task.mask_file,
        name=task.name,
        source_image=task.image.label,
        source_mask=task.mask.label,
        height=image.size[0],
        width=image.size[1],
        nuclei=nuclei,
        foreground=round(foreground, 6),
        um_per_px=None if image.um_per_px is None else round(image.um_per_px, 6),
        note="; ".join(note.rstrip(".") for note in (*image.notes, *notes)),
        image_bytes=len(image.png),
        mask_bytes=len(mask),
        image_sha256=hashlib.sha256(image.png).hexdigest(),
        mask_sha256=hashlib.sha256(mask).hexdigest(),
        source_state=source_state(task.image, task.mask),
    )


def source_state(image: Member, mask: Member) -> str:
    """Return what changes when either source changes."""
    return f"{image.state} {mask.state}"


@dataclass(frozen=True)
class TileImage:
    """An image as 8-bit RGB, and what is known of it.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (Y, X, 3)
        The image.
    notes : tuple of str
        How it was read, and what was assumed.
    """

    pixels: npt.NDArray[np.uint8]
    notes: tuple[str, ...]


def tile_image(image: ImageFile, white: Mapping[str, float]) -> TileImage:
    """Bring an image as its file shows it to 8-bit RGB, see `channels.to_rgb8`.

    Parameters
    ----------
    image : ImageFile
        Of one plane.
    white : mapping from str to float
        Which value is white in images of a data type, once for the dataset.

    Returns
    -------
    TileImage
        The image.

    Raises
    ------
    InputError
        If it is a stack, or its values are negative, not finite or too large.
    """
    array = image.array
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise InputError(
            f"it has the shape {' x '.join(map(str, array.shape))}",
            expected="one plane, grey or RGB",
            remedy="Save the planes of a stack as files of their own.",
            path=image.path,
        )
    values = range_of(image, white)
    dark = (NEARLY_BLACK,) if is_nearly_black(array, values) else ()
    said = (values.said,) if values.said else ()
    return TileImage(to_rgb8(array, values), (*image.notes, *said, *dark))


def sixteen_bit(labels: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], int]:
    """Give ids above 65,535 the smallest ids that are free, in their order.

    Parameters
    ----------
    labels : ndarray of int32, shape (Y, X)
        Any ids from 0.

    Returns
    -------
    labels : ndarray of int32, shape (Y, X)
        No id above 65,535.
    renumbered : int
        How many ids were changed.

    Raises
    ------
    InputError
        If there are more than 65,535 nuclei.
    """
    if labels.max(initial=0) <= _LARGEST_ID:
        return labels, 0
    ids, places = np.unique(labels, return_inverse=True)
    high = ids > _LARGEST_ID
    free = np.setdiff1d(np.arange(1, _LARGEST_ID + 1), ids)[: np.count_nonzero(high)]
    if len(free) < np.count_nonzero(high):
        raise InputError(
            f"it has {len(ids):,} nuclei",
            expected="at most 65,535, which 16 bits can hold",
            remedy="Cut the image into smaller tiles.",
        )
    ids[high] = free
    return ids[places.reshape(labels.shape)].astype(np.int32), len(free)


@dataclass(frozen=True)
class _Image:
    """The PNG to write, and what is known of it."""

    png: bytes
    size: tuple[int, int]
    um_per_px: float | None
    orientation: int = UPRIGHT
    notes: tuple[str, ...] = ()


def _image(task: TileTask) -> _Image:
    content = read_member(task.image)
    data = content.getvalue()
    if plain := plain_rgb(data):
        return _Image(data, (plain.height, plain.width), plain.um_per_px or _stated_um(task))
    image = read_image(content)
    tile, um_per_px = tile_image(image, task.white), image.pixel_size_um or _stated_um(task)
    height, width = tile.pixels.shape[:2]
    png = encode(tile.pixels, um_per_px)
    return _Image(png, (height, width), um_per_px, image.orientation, tile.notes)


def _stated_um(task: TileTask) -> float | None:
    """Return the pixel size the person stated, times the tile's downsampling."""
    if task.um_per_px is None:
        return None
    region = tile_region(tile_name(PurePosixPath(task.image.name)))
    side = task.um_per_px * (1.0 if region is None else region.downsample)
    return check_pixel_size(side, task.image.label)


def _labels(
    task: TileTask, image: _Image
) -> tuple[npt.NDArray[np.int32], list[str], npt.NDArray[np.bool_] | None]:
    """Read the mask, check its size, and return it, what was changed in it and its region."""
    labels, notes, region = read_mask(
        task.mask,
        image.size,
        image=task.image.name,
        verify=task.verify,
        orientation=image.orientation,
        masks_are=task.masks_are,
    )
    if region is not None and not region.any():
        raise InputError(
            "it lies outside the annotated region",
            expected="a tile in which something was annotated",
            remedy="Leave it out, or annotate it.",
            path=task.mask.label,
        )
    labels, renumbered = sixteen_bit(labels)
    if renumbered:
        notes.append(f"{renumbered} ids above 65,535 renumbered")
    return labels, notes, region


def read_mask(
    mask: Member,
    size: tuple[int, int],
    *,
    image: str = "",
    verify: bool = False,
    orientation: int = UPRIGHT,
    masks_are: MasksAre | None = None,
) -> tuple[npt.NDArray[np.int32], list[str], npt.NDArray[np.bool_] | None]:
    """Read a mask of any kind, with an id for every nucleus, and check its size.

    Parameters
    ----------
    mask : Member
        A .mat, a label image, a binary mask, outlines, or a mask for each nucleus.
    size : tuple of int
        Height and width of its image in pixels.
    image : str, default: ""
        Name of the image; QuPath's say where a tile lies in its slide.
    verify : bool, default: False
        Read what comes from an archive to its end, to check the archive's checksum.
    orientation : int, default: 1
        How the image's file asks to be turned.
    masks_are : {"labels", "binary", "classes"}, optional
        What label images hold, where a person says so.

    Returns
    -------
    labels : ndarray of int32, shape (Y, X)
        0 is background.
    notes : list of str
        What was changed or assumed.
    region : ndarray of bool, shape (Y, X), or None
        What was annotated; None for all.

    Raises
    ------
    InputError
        If it cannot be read or has another size.
    """
    if mask.parts:
        files = ((part.name, read_mask_file(read_member(part)).labels) for part in mask.parts)
        merged = merge_nuclei(files, mask.label)
        judged = labels_by_definition(merged.labels, merged.notes)
    elif mask.name.lower().endswith(".mat"):
        judged = labels_by_definition(_read_mat(mask, verify=verify))
    else:
        content = read_member(mask)
        judged = read_mask_file(content, size, image=image, masks_are=masks_are)
    judged = judged.as_shown(size, orientation)
    labels, notes = judged.nuclei(), [str(note) for note in judged.notes]
    if judged.kind in ("binary", "soft binary") and (count := count_ids(labels)) > 1:
        notes.insert(0, f"binary mask, {count} connected parts numbered")
    if orientation != UPRIGHT and is_annotation_path(mask.name):
        notes.append(MASK_IN_DOUBT.format(orientation))
    if labels.shape != size:
        there, wanted = (" x ".join(map(str, shape)) for shape in (labels.shape, size))
        raise InputError(
            f"the mask has {there} pixels, the image {wanted}",
            expected="the same size",
            remedy="Check that they belong together.",
            path=mask.label,
        )
    return labels, notes, judged.region


def _read_mat(member: Member, *, verify: bool) -> npt.NDArray[np.int32]:
    """Read the label image of a .mat, and no more of an archive than is needed.

    The archive's checksum is over the whole member, most of which is of no use here. A variable
    that the .mat itself compressed has a checksum of its own, and damage in what the archive
    compressed shows when it is unpacked. What nobody compressed is read to its end, for its
    checksum; so is all when `verify` is true.
    """
    if member.offset < 0:
        return read_instance_map(Path(member.source, member.path))
    with open_member(member) as stream:
        kind = _peek(stream)[128:132]
        try:
            labels = read_instance_map(stream)
        except InputError:
            _read_to_end(stream)  # where the checksum differs, that is what is wrong
            raise
        compressed = _COMPRESSED in (int.from_bytes(kind, "little"), int.from_bytes(kind, "big"))
        if verify or not (compressed or member.packed):
            _read_to_end(stream)
    return labels


def _read_to_end(stream: BinaryIO) -> None:
    while stream.read(1 << 20):
        pass


def _peek(stream: BinaryIO) -> bytes:
    peek: Callable[[int], bytes] = stream.peek  # type: ignore[attr-defined]
    return peek(132)


def count_ids(labels: npt.NDArray[np.int32]) -> int:
    """Count the ids above 0 of a label image."""
    flat = labels.ravel()
    begins = np.flatnonzero(flat[1:] != flat[:-1]) + 1  # an id is where it begins, or comes first
    return int(np.count_nonzero(np.unique(np.append(flat[begins], flat[0]))))


def _write(path: Path, content: bytes) -> None:
    try:
        with written_whole(path, overwrite=True) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise WriteError(f"{path}: {os.strerror(error.errno or 0)}", error.errno) from error
