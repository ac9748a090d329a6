"""Training and validation tiles with their files."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.names.file_names import IMAGE_SUFFIXES
from napari_snow_unet.data.names.folder_names import folder_role
from napari_snow_unet.data.pairs.file_per_nucleus import nucleus_files
from napari_snow_unet.data.pixels.images import read_header
from napari_snow_unet.unet.runs import messages

REGIONS = "regions"


@dataclass(frozen=True)
class TrainingTile:
    """An image, its mask, and facts about them."""

    name: str  # in the manifest, else the stem of its files; unique
    image: Path
    mask: Path
    region: Path | None  # an image that is zero where nothing is annotated
    height: int
    width: int
    um_per_px: float | None = None
    # Factor for its number of crops per epoch, from a column of the manifest: with it a few tiles
    # can count as much as many others.
    weight: float = 1.0
    masks_are: MasksAre | None = None  # if stated
    truth_model: str = ""  # whose prediction its mask began as, with its checksum


@dataclass(frozen=True)
class TrainingSet:
    """A dataset split for training: no subset is empty, and no tile is in both."""

    folder: Path
    train: tuple[TrainingTile, ...]
    validation: tuple[TrainingTile, ...]
    notes: tuple[str, ...] = ()  # skipped files, the split, doubts
    # Value of white by data type of the images, the same for all tiles; for a prepared dataset that
    # of its source images.
    white: Mapping[str, float] = field(default_factory=dict)

    @property
    def corrected(self) -> dict[str, int]:
        """How many masks began as a prediction, by model."""
        models = (tile.truth_model for tile in (*self.train, *self.validation))
        return dict(Counter(filter(None, models)))

    @property
    def fingerprint(self) -> str:
        """SHA-256 over names, subsets and file sizes: it changes with the dataset."""
        digest = hashlib.sha256()
        for subset in (self.train, self.validation):
            for tile in subset:
                paths = (tile.image, tile.mask, *((tile.region,) if tile.region else ()))
                digest.update(repr((tile.name, [_bytes_of(path) for path in paths])).encode())
                if tile.weight != 1:
                    digest.update(repr(tile.weight).encode())
            digest.update(b"|")
        return digest.hexdigest()


def checked(
    folder: Path, train: list[TrainingTile], validation: list[TrainingTile], notes: list[str]
) -> TrainingSet:
    """Return a set of tiles; refuse missing files before anything is computed."""
    for tile in (*train, *validation):
        for path in (tile.image, tile.mask):
            if not path.exists():
                raise InputError(messages.MISSING_FILE, path=path)
    return TrainingSet(folder, tuple(train), tuple(validation), tuple(notes))


def check_same_size(
    size: tuple[int, ...], wanted: tuple[int, ...], path: Path, image: Path
) -> None:
    """Refuse a mask or region that differs from its image in height or width."""
    if size != wanted:
        message = messages.other_size((size[0], size[1]), (wanted[0], wanted[1]), image.name)
        raise InputError(message, path=path)


def tile_of(folder: Path, name: str, image: Path, mask: Path) -> TrainingTile:
    """Return a tile from its two files; refuse other sizes."""
    header = read_header(image)
    height, width = header.size
    if mask.suffix.lower() in IMAGE_SUFFIXES and mask.is_file():  # others are checked when read
        size = read_header(mask).size
        if size != header.stored_size:  # a mask may be rotated like its image, see `mask_as_shown`
            check_same_size(size, header.size, mask, image)
    region = region_file_of(folder, image)
    return TrainingTile(name, image, mask, region, height, width, header.pixel_size_um)


def region_file_of(folder: Path, image: Path) -> Path | None:
    """Find ``regions/a.png`` for ``images/a.png``, at the top or beside the folder of images."""
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
