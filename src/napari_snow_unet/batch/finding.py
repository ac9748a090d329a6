"""The images that a person means by files, folders, patterns or prepared datasets."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from napari_snow_unet.base.errors import InputError
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

IMAGE_FOLDERS = ("images", "image")  # in small or capital letters
#: In folders; a DICOM file is one level of a slide, so these are taken only by name.
SUFFIXES = IMAGE_SUFFIXES | SCANNER_SUFFIXES - {".dcm"}


@dataclass(frozen=True)
class FoundImages:
    """Images to segment."""

    images: list[Path]  # in natural order, without repeats
    skipped: list[Path]  # files in the folders that are no images
    folders: list[Path] = field(default_factory=list)  # in the folders: not looked into
    pixel_sizes: dict[Path, float] = field(default_factory=dict)  # um, by a dataset's manifest

    def folders_but(self, results: Path) -> list[Path]:
        """Return the folders without that of the results, which often lies beside the images."""
        return [folder for folder in self.folders if folder.resolve() != results.resolve()]


def find_images(inputs: Iterable[str | Path], subset: str | None = None) -> FoundImages:
    """Find the images that a person means by files, folders, patterns or prepared datasets.

    Of a folder those directly inside are taken, or those in its ``images`` or ``Image`` folder if
    it has one. What exists under its exact name is never taken for a pattern. `subset` is one of a
    prepared dataset, by the column ``split`` of its manifest.
    """
    images: dict[Path, None] = {}
    skipped: list[Path] = []
    folders: list[Path] = []
    pixel_sizes: dict[Path, float] = {}
    inputs = list(inputs)
    for name in inputs:
        for path in _existing(name):
            if path.suffix.lower() == ".zip" and path.is_file():
                raise InputError(
                    "this is an archive",
                    expected="images, or a folder of images",
                    remedy="Unpack it, or prepare a dataset from it.",
                    helps=("prepare_dataset",),
                    path=path,
                )
            if path.is_dir() and not is_slide(path):
                found = _images_in(path, subset)
                images.update(dict.fromkeys(found.images))
                skipped += found.skipped
                folders += found.folders
                pixel_sizes |= found.pixel_sizes
            elif subset is not None:
                raise InputError(
                    f"a subset ({subset!r}) of what is not a folder",
                    expected="a prepared dataset, which has subsets",
                    remedy="Name the folder of the dataset, or leave the subset out.",
                    path=path,
                )
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
        raise InputError(
            "no such file or folder, and no file matches it as a pattern",
            expected="an image, a folder of images or a pattern",
            remedy="Check the spelling.",
            path=path,
        )
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
    """Sort naturally, and of images of one name that first which a dataset would have."""
    return natural_key(tile_name(path)), suffix_rank(path.name, "image"), path.name


def _pixel_sizes(dataset: Path) -> dict[Path, float]:
    """Return what the manifest of a prepared dataset says; nothing where there is none."""
    from napari_snow_unet.data.datasets.manifest import MANIFEST, read_manifest

    if not (dataset / MANIFEST).is_file():
        return {}
    try:
        tiles = read_manifest(dataset)
    except InputError:  # some other table
        return {}
    return {dataset / tile.image: tile.um_per_px for tile in tiles if tile.um_per_px}


def _is_image(path: Path) -> bool:
    name = path.name.lower()
    return (
        path.suffix.lower() in SUFFIXES
        and not name.startswith(".")
        and not path.stem.endswith(DERIVED)
    )
