"""Image and mask of one tile, from any file to 8-bit RGB and ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations.annotation_files import is_annotation_path
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.members import Member, open_member, read_member
from napari_snow_unet.data.datasets.white_value import range_of
from napari_snow_unet.data.formats.hovernet import read_instance_map
from napari_snow_unet.data.formats.label_images import read_mask_file
from napari_snow_unet.data.masks.judgement import MasksAre, labels_by_definition
from napari_snow_unet.data.pairs.file_per_nucleus import merge_nuclei
from napari_snow_unet.data.pixels.channels import to_rgb8
from napari_snow_unet.data.pixels.images import ImageFile
from napari_snow_unet.data.pixels.messages import NEARLY_BLACK, mask_in_doubt
from napari_snow_unet.data.pixels.orientation import UPRIGHT
from napari_snow_unet.data.pixels.value_range import is_nearly_black

_LARGEST_ID = 65535
_COMPRESSED = 15  # type of a compressed variable in a .mat


@dataclass(frozen=True)
class TileImage:
    """An image as 8-bit RGB, with notes on how it was read."""

    pixels: npt.NDArray[np.uint8]  # (Y, X, 3)
    notes: tuple[str, ...]


def tile_image(image: ImageFile, white: Mapping[str, float]) -> TileImage:
    """Convert one plane to 8-bit RGB, scaled by the dataset's white value of its data type."""
    array = image.array
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise InputError(messages.not_one_plane(array.shape), path=image.path)
    values = range_of(image, white)
    dark = (NEARLY_BLACK,) if is_nearly_black(array, values) else ()
    assumed = (values.note,) if values.note else ()
    return TileImage(to_rgb8(array, values), (*image.notes, *assumed, *dark))


def sixteen_bit(labels: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int32], int]:
    """Replace ids above 65,535 by the smallest free ones, in order, and count them."""
    if labels.max(initial=0) <= _LARGEST_ID:
        return labels, 0
    ids, places = np.unique(labels, return_inverse=True)
    high = ids > _LARGEST_ID
    free = np.setdiff1d(np.arange(1, _LARGEST_ID + 1), ids)[: np.count_nonzero(high)]
    if len(free) < np.count_nonzero(high):
        raise InputError(messages.too_many_nuclei(len(ids)))
    ids[high] = free
    return ids[places.reshape(labels.shape)].astype(np.int32), len(free)


def read_mask(
    mask: Member,
    size: tuple[int, int],
    *,
    image: str = "",
    verify: bool = False,
    orientation: int = UPRIGHT,
    masks_are: MasksAre | None = None,
) -> tuple[npt.NDArray[np.int32], list[str], npt.NDArray[np.bool_] | None]:
    """Read a mask of any kind: its ids, the notes, and the annotated region (None: all).

    `image` is the name of its image: QuPath's names contain the place of a tile in its slide.
    With `verify` archives are read completely, to verify their checksums.
    """
    if mask.files:
        files = ((file.name, read_mask_file(read_member(file)).labels) for file in mask.files)
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
        notes.insert(0, messages.components_numbered(count))
    if orientation != UPRIGHT and is_annotation_path(mask.name):
        notes.append(mask_in_doubt(orientation))
    if labels.shape != size:
        raise InputError(messages.sizes_differ(labels.shape, size), path=mask.label)
    return labels, notes, judged.region


def _read_mat(member: Member, *, verify: bool) -> npt.NDArray[np.int32]:
    """Read the label image of a .mat, and no more of an archive than needed.

    The archive's checksum covers the whole member, most of which is of no use here. A compressed
    variable of the .mat has a checksum of its own, and a member compressed by the archive fails to
    unpack if damaged. Only uncompressed members, or all with `verify`, are read to the end.
    """
    if member.offset < 0:
        return read_instance_map(Path(member.source, member.path))
    with open_member(member) as stream:
        kind = _peek(stream)[128:132]
        try:
            labels = read_instance_map(stream)
        except InputError:
            _read_to_end(stream)  # a wrong checksum is the better explanation
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
    begins = np.flatnonzero(flat[1:] != flat[:-1]) + 1  # runs of equal ids
    return int(np.count_nonzero(np.unique(np.append(flat[begins], flat[0]))))
