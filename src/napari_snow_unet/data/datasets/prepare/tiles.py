"""Make one tile of a dataset from an image and a mask."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.data.datasets.manifest import Tile
from napari_snow_unet.data.datasets.members import Member, read_member
from napari_snow_unet.data.datasets.messages import renumbered
from napari_snow_unet.data.datasets.prepare import messages
from napari_snow_unet.data.datasets.problems import Problem
from napari_snow_unet.data.datasets.tile_arrays import count_ids, read_mask, sixteen_bit, tile_image
from napari_snow_unet.data.datasets.truth_origin import region_of_tile, truth_origin
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.formats.messages import region_counts
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.names.file_names import tile_name
from napari_snow_unet.data.names.qupath import tile_region
from napari_snow_unet.data.pixels.images import read_image
from napari_snow_unet.data.pixels.orientation import UPRIGHT
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size
from napari_snow_unet.data.pixels.png import encode, plain_rgb


@dataclass(frozen=True)
class TileTask:
    """A tile to make: sources, targets and options."""

    index: int
    name: str
    image: Member
    mask: Member
    folder: str
    image_file: str  # target, relative to the folder
    mask_file: str
    region_file: str = ""  # written if only a region was annotated
    had_region: bool = False  # whether the tile that it replaces had one
    binary: bool = False  # write 0 and 255 instead of ids
    um_per_px: float | None = None  # at full resolution, if the image does not state it
    verify: bool = False  # read archives completely, to verify checksums
    white: Mapping[str, float] = field(
        default_factory=dict
    )  # white values of the dataset by data type
    masks_are: MasksAre | None = None  # how the user overrides the judgement of masks


class WriteError(Exception):
    """The dataset cannot be written, which would affect every other tile too."""


def make_tile(task: TileTask) -> Tile | Problem:
    """Write the files of a tile and return its row, or a Problem if its sources are unusable."""
    source = task.image
    try:
        image = _image(task)
        source = task.mask
        labels, notes, region = _labels(task, image)
    except InputError as error:
        return Problem(source.label, error.message.text(), error.helps)
    except MemoryError:
        return Problem(source.label, messages.TOO_LARGE_FOR_MEMORY)
    tile, contents = encoded(
        planned_row(task),
        TilePixels(image, labels, region, tuple(notes)),
        task.region_file,
        binary=task.binary,
    )
    for file, content in contents.items():
        _write(Path(task.folder, file), content)
    if region is None and task.had_region:
        Path(task.folder, task.region_file).unlink(missing_ok=True)
    if task.mask.offset < 0 and not task.mask.files:
        tile = truth_origin(Path(task.mask.source, task.mask.path)).row(tile)
    return replace(tile, source_state=source_state(task.image, task.mask))


def planned_row(task: TileTask) -> Tile:
    """Return the row of a tile that is not made yet, as far as it is known."""
    files, sources = (task.image_file, task.mask_file), (task.image.label, task.mask.label)
    return Tile(task.index, *files, task.name, *sources, 0, 0, 0, 0.0)


class TileFiles(NamedTuple):
    """The files of a tile, relative to the dataset."""

    image: str
    mask: str
    region: str  # not there if all of the tile counts

    @classmethod
    def of(cls, index: int, shard: int | None) -> TileFiles:
        """Return ``images/000007.png``, or ``images/005000/005007.png`` with subfolders, etc."""
        name = f"{index:06d}.png"
        file = name if shard is None else f"{index // shard * shard:06d}/{name}"
        return cls(f"images/{file}", f"masks/{file}", f"regions/{file}")


class TilePixels(NamedTuple):
    """What a tile is made of."""

    image: TilePng
    labels: npt.NDArray[np.int32]  # ids up to 65,535
    region: npt.NDArray[np.bool_] | None  # None: all of it counts
    notes: tuple[str, ...]


def encoded(
    tile: Tile, pixels: TilePixels, region_file: str, *, binary: bool
) -> tuple[Tile, dict[str, bytes]]:
    """Return the row of a tile with the facts about its pixels, and the content of its files."""
    image, labels, region, notes = pixels
    mask = encode((labels > 0).astype(np.uint8) * 255 if binary else labels.astype(np.uint16))
    contents = {tile.mask: mask, tile.image: image.png}
    if region is not None:
        contents[region_file] = encode(region.astype(np.uint8) * 255)
    row = replace(
        tile,
        height=image.size[0],
        width=image.size[1],
        nuclei=count_ids(labels),
        foreground=round(float(np.count_nonzero(labels) / labels.size), 6),
        um_per_px=None if image.um_per_px is None else round(image.um_per_px, 6),
        note="; ".join(note.rstrip(".") for note in (*image.notes, *notes)),
        image_bytes=len(image.png),
        mask_bytes=len(mask),
        image_sha256=hashlib.sha256(image.png).hexdigest(),
        mask_sha256=hashlib.sha256(mask).hexdigest(),
    )
    return row, contents


def source_state(image: Member, mask: Member) -> str:
    """Return a text that changes when either source does."""
    return f"{image.state} {mask.state}"


@dataclass(frozen=True)
class TilePng:
    """The PNG to write, and facts about it."""

    png: bytes
    size: tuple[int, int]
    um_per_px: float | None
    orientation: int = UPRIGHT
    notes: tuple[str, ...] = ()


def _image(task: TileTask) -> TilePng:
    content = read_member(task.image)
    data = content.getvalue()
    if plain := plain_rgb(data):
        return TilePng(data, (plain.height, plain.width), plain.um_per_px or _stated_um(task))
    image = read_image(content)
    tile, um_per_px = tile_image(image, task.white), image.pixel_size_um or _stated_um(task)
    height, width = tile.pixels.shape[:2]
    png = encode(tile.pixels, um_per_px)
    return TilePng(png, (height, width), um_per_px, image.orientation, tile.notes)


def _stated_um(task: TileTask) -> float | None:
    """Return the user's pixel size times the downsampling of the tile."""
    if task.um_per_px is None:
        return None
    region = tile_region(tile_name(PurePosixPath(task.image.name)))
    side = task.um_per_px * (1.0 if region is None else region.downsample)
    return check_pixel_size(side, task.image.label)


def _labels(
    task: TileTask, image: TilePng
) -> tuple[npt.NDArray[np.int32], list[str], npt.NDArray[np.bool_] | None]:
    """Read and check the mask; return it with notes and its annotated region."""
    labels, notes, region = read_mask(
        task.mask,
        image.size,
        image=task.image.name,
        verify=task.verify,
        orientation=image.orientation,
        masks_are=task.masks_are,
    )
    if region is None and task.mask.offset < 0:  # a tile of another dataset may have one
        file = region_of_tile(Path(task.mask.source, task.mask.path))
        if file is not None:
            region = read_labels(file) != 0
            notes.append(region_counts(float(region.mean())))
    if region is not None and not region.any():
        raise InputError(messages.OUTSIDE_REGION, path=task.mask.label)
    labels, high_ids = sixteen_bit(labels)
    if high_ids:
        notes.append(renumbered(high_ids))
    return labels, notes, region


def _write(path: Path, content: bytes) -> None:
    try:
        with written_whole(path, overwrite=True) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise WriteError(f"{path.name}: {os.strerror(error.errno or 0)}", error.errno) from error
