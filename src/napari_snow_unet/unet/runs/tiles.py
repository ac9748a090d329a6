"""The tiles that train and validate, each with its files."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.names.file_names import IMAGE_SUFFIXES
from napari_snow_unet.data.names.folder_names import folder_role
from napari_snow_unet.data.pairs.file_per_nucleus import nucleus_files
from napari_snow_unet.data.pixels.images import read_header

REGIONS = "regions"


@dataclass(frozen=True)
class TrainingTile:
    """An image, its mask, and what is known of them."""

    name: str  # in the manifest, else the stem of its files; no two alike
    image: Path
    mask: Path
    region: Path | None  # an image that is zero where nobody has annotated
    height: int
    width: int
    um_per_px: float | None = None
    # How many times as many crops as its area gives it are cut out of it in an epoch: the column
    # of the manifest with which a few tiles count as much as many others.
    weight: float = 1.0
    masks_are: MasksAre | None = None  # where somebody says so


@dataclass(frozen=True)
class TrainingSet:
    """A dataset divided for training: no subset is empty, no tile in both."""

    folder: Path
    train: tuple[TrainingTile, ...]
    validation: tuple[TrainingTile, ...]
    notes: tuple[str, ...] = ()  # what was passed over, and how the tiles were divided
    # The value that is white, by data type of images: once for all tiles, and of a prepared dataset
    # in those that it was made from.
    white: Mapping[str, float] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over names, subsets and sizes of all files: it changes with the dataset."""
        known = hashlib.sha256()
        for subset in (self.train, self.validation):
            for tile in subset:
                paths = (tile.image, tile.mask, *((tile.region,) if tile.region else ()))
                known.update(repr((tile.name, [_bytes_of(path) for path in paths])).encode())
                if tile.weight != 1:
                    known.update(repr(tile.weight).encode())
            known.update(b"|")
        return known.hexdigest()


def checked(
    folder: Path, train: list[TrainingTile], validation: list[TrainingTile], notes: list[str]
) -> TrainingSet:
    """Refuse what is missing or does not fit before anything is computed."""
    for tile in (*train, *validation):
        for path in (tile.image, tile.mask):
            if not path.exists():
                raise InputError(
                    "the file is missing",
                    expected="every image and its mask",
                    remedy="Restore it, or check the dataset.",
                    helps=("check_dataset",),
                    path=path,
                )
    return TrainingSet(folder, tuple(train), tuple(validation), tuple(notes))


def check_same_size(
    found: tuple[int, ...], wanted: tuple[int, ...], path: Path, image: Path
) -> None:
    """Refuse a mask or region that has another height and width than its image."""
    if found != wanted:
        raise InputError(
            f"a mask or region of {found[0]} x {found[1]} pixels (height x width)",
            expected=f"{wanted[0]} x {wanted[1]} as in {image.name}",
            remedy="Check the dataset.",
            helps=("check_dataset",),
            path=path,
        )


def tile_of(folder: Path, name: str, image: Path, mask: Path) -> TrainingTile:
    """Return a tile by its two files, of which the sizes agree."""
    header = read_header(image)
    height, width = header.size
    if mask.suffix.lower() in IMAGE_SUFFIXES and mask.is_file():  # of others the training will tell
        size = read_header(mask).size
        if size != header.stored_size:  # a mask may be stored as its image is, see `mask_as_shown`
            check_same_size(size, header.size, mask, image)
    region = region_file_of(folder, image)
    return TrainingTile(name, image, mask, region, height, width, header.pixel_size_um)


def region_file_of(folder: Path, image: Path) -> Path | None:
    """Find ``regions/a.png`` of ``images/a.png``, at the top or beside the images' folder."""
    if not image.is_relative_to(folder):
        return None
    inner = image.parent.relative_to(folder).parts
    rest = [name for name in inner if folder_role(name) is None]
    beside = [REGIONS if folder_role(name) == "image" else name for name in inner]
    for place in (folder.joinpath(REGIONS, *rest), folder.joinpath(*beside)):
        path = place / f"{image.stem}.png"
        if REGIONS in path.parts and path.is_file():
            return path
    return None


def _bytes_of(path: Path) -> int | list[int]:
    try:
        if path.is_dir():  # a mask for each nucleus
            return [file.stat().st_size for file in nucleus_files(path)]
        return path.stat().st_size
    except OSError:
        return -1


def unusable(folder: Path, received: str) -> InputError:
    """Return the error for a folder that is no dataset."""
    return InputError(
        received,
        expected="a prepared dataset, or a folder with images/ and masks/ of equal names",
        remedy="Choose another folder, or prepare one.",
        helps=("prepare_dataset",),
        path=folder,
    )
