"""Find images by files, folders, patterns or prepared datasets."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.batch import messages
from napari_snow_unet.data.names.file_names import (
    IMAGE_SUFFIXES,
    natural_key,
    suffix_rank,
    tile_name,
)
from napari_snow_unet.data.names.result_names import DERIVED
from napari_snow_unet.data.pairs.folder import files_in, masks_among
from napari_snow_unet.data.pairs.unread_files import nothing_to_use
from napari_snow_unet.data.slides.slide import SCANNER_SUFFIXES, is_slide

IMAGE_FOLDERS = ("images", "image")  # in any case
#: In folders; a DICOM file is one level of a slide, so it is used only if named.
SUFFIXES = IMAGE_SUFFIXES | SCANNER_SUFFIXES - {".dcm"}


@dataclass(frozen=True)
class FoundImages:
    """Images to segment."""

    images: list[Path]  # in natural order, without duplicates
    skipped: list[Path]  # files in the folders that are not images
    folders: list[Path] = field(default_factory=list)  # sub-folders, which are not searched
    pixel_sizes: dict[Path, float] = field(
        default_factory=dict
    )  # um, from the manifest of a dataset

    def folders_but(self, results: Path) -> list[Path]:
        """Return the sub-folders without that of the results."""
        return [folder for folder in self.folders if folder.resolve() != results.resolve()]


def find_images(inputs: Iterable[str | Path], subset: str | None = None) -> FoundImages:
    """Find images by files, folders, patterns or prepared datasets.

    In a folder only images directly inside are found, or those in its ``images`` or ``Image``
    folder. An existing name is not a pattern. `subset` is that of a prepared dataset, the column
    ``split`` of its manifest.
    """
    images: dict[Path, None] = {}
    skipped: list[Path] = []
    folders: list[Path] = []
    pixel_sizes: dict[Path, float] = {}
    inputs = list(inputs)
    for name in inputs:
        for path in _existing(name):
            if path.suffix.lower() == ".zip" and path.is_file():
                raise InputError(messages.ARCHIVE, path=path)
            if path.is_dir() and not is_slide(path):
                inside = _images_in(path, subset)
                images.update(dict.fromkeys(inside.images))
                skipped += inside.skipped
                folders += inside.folders
                pixel_sizes |= inside.pixel_sizes
            elif subset is not None:
                raise InputError(messages.NO_SUBSETS, path=path)
            else:
                images[path] = None
    if not images:
        files = [file for folder in inputs if Path(folder).is_dir() for file in files_in(folder)]
        where = ", ".join(map(str, inputs))
        raise nothing_to_use("there is no image directly in it", files, "images", where)
    return FoundImages(list(images), skipped, folders, pixel_sizes)


def _existing(name: str | Path) -> list[Path]:
    path = Path(name)
    if path.exists():
        return [path]
    matches = sorted(Path(match) for match in glob.glob(str(name), recursive=True))  # noqa: PTH207 (absolute patterns)
    if not matches:
        raise InputError(messages.NOT_FOUND, path=path)
    return matches


def _images_in(folder: Path, subset: str | None) -> FoundImages:
    if subset is not None:
        from napari_snow_unet.data.datasets.manifest import subset_images

        return FoundImages(subset_images(folder, subset), [], [], _pixel_sizes(folder))
    dataset = folder
    beside = {path.name.lower(): path for path in sorted(folder.iterdir()) if path.is_dir()}
    folder = next((beside[name] for name in IMAGE_FOLDERS if name in beside), folder)
    entries = sorted(folder.iterdir(), key=_order)
    files = [path for path in entries if path.is_file()]
    masks = masks_among(files)
    images = [path for path in files if _is_image(path) and path not in masks]
    skipped = [path for path in files if path not in set(images)]
    folders = [path for path in entries if path.is_dir() and not path.name.startswith(".")]
    return FoundImages(images, skipped, folders, _pixel_sizes(dataset))


def _order(path: Path) -> tuple[list[tuple[int, str]], int, str]:
    """Return the sort key: natural order, and preferred formats first among equal names."""
    return natural_key(tile_name(path)), suffix_rank(path.name, "image"), path.name


def _pixel_sizes(dataset: Path) -> dict[Path, float]:
    """Return the pixel sizes in the manifest of a prepared dataset; empty without one."""
    from napari_snow_unet.data.datasets.manifest import MANIFEST, read_manifest

    if not (dataset / MANIFEST).is_file():
        return {}
    try:
        tiles = read_manifest(dataset)
    except InputError:  # another table
        return {}
    return {dataset / tile.image: tile.um_per_px for tile in tiles if tile.um_per_px}


def _is_image(path: Path) -> bool:
    name = path.name.lower()
    return (
        path.suffix.lower() in SUFFIXES
        and not name.startswith(".")
        and not path.stem.endswith(DERIVED)
    )
