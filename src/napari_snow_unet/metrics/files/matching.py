"""Matching of predictions with ground truths by the name of the image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.data.annotations.annotation_files import (
    images_named_in,
    is_annotation_path,
    may_hold_labels,
)
from napari_snow_unet.data.datasets.manifest import is_dataset, read_manifest, subset_pairs
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.masks.label_pictures import looks_like_labels
from napari_snow_unet.data.names.file_names import (
    LABEL_SUFFIXES,
    LOOKED_INTO,
    natural_key,
    without_mask_ending,
)
from napari_snow_unet.data.names.result_names import (
    CELLPOSE,
    DERIVED,
    OVERLAY,
    PROBABILITY,
    name_of,
)
from napari_snow_unet.data.pairs.folder import files_in, find_pairs
from napari_snow_unet.data.pairs.partner import is_mask_path, partner_of
from napari_snow_unet.data.pairs.unread_files import nothing_to_use
from napari_snow_unet.metrics.files import messages

MAP_SUFFIXES = (".png", ".tif", ".tiff")
MAPS = f"NAME{PROBABILITY}.png, NAME.png or NAME.tif for each image"
#: If an image has labels in several formats, the first is compared: the fastest to read.
KINDS = ("label image", ".mat", "GeoJSON", "JSON or XML")


@dataclass(frozen=True)
class Truth:
    """A ground truth and the image it was drawn on, None if unknown."""

    labels: Path
    image: Path | None = None


Item = TypeVar("Item", Path, Truth)


def _file_of(item: Path | Truth) -> Path:
    return item.labels if isinstance(item, Truth) else item


def kind_of(path: Path) -> str:
    """Return the kind of a file of labels, one of `KINDS`."""
    if is_annotation_path(path):
        return KINDS[3 if path.suffix.lower() in LOOKED_INTO else 2]
    return KINDS[1] if path.suffix.lower() == ".mat" else KINDS[0]


def renamed_to_images(items: Mapping[str, Item], wanted: Iterable[str]) -> dict[str, Item]:
    """Rename ``a_mask`` or ``a_labels`` to ``a`` if that is the name of an image without labels."""
    free = set(wanted) - set(items)
    named = {}
    for name, item in items.items():
        image = without_mask_ending(name)
        named[image if image in free and image not in named else name] = item
    return named


def renamed_to_tiles(
    items: Mapping[str, Item], dataset: Path, wanted: Iterable[str]
) -> dict[str, Item]:
    """Rename files named after the source of a tile to the tile in a prepared dataset."""
    free = set(wanted) - set(items)
    if not free or not set(items) - set(wanted) or not is_dataset(dataset):
        return dict(items)
    tiles = {tile.name: name_of(Path(tile.image)) for tile in read_manifest(dataset)}
    sources = {name: tile for name, tile in tiles.items() if tile in free}
    items = renamed_to_images(items, sources)
    return {sources.get(name, name): item for name, item in items.items()}


def find_truths(
    path: Path, *, subset: str | None = None, notes: list[str] | None = None
) -> dict[str, Truth]:
    """Find ground truths by the names of their images; notes on the layout go to `notes`."""
    if subset is not None:
        return _by_name(path, _named(subset_pairs(path, subset)))
    if path.is_file():
        if names := _images_in(path):
            return dict.fromkeys(names, Truth(path))
        partner = partner_of(path)
        image = None if partner is None or is_mask_path(partner) else partner
        return {name_of(path): Truth(path, image)}
    pairs = find_pairs(path)
    if notes is not None:
        notes += pairs.notes
    if pairs.images and _are_labels_too(pairs.images[0], pairs.masks[0]):
        return _by_name(path, [(name_of(f), Truth(f)) for f in _label_files(path)])
    truths = _named(zip(pairs.images, pairs.masks, strict=True))
    used = {(mask.parent, name_of(mask)) for mask in pairs.masks}
    alone = [mask for mask in pairs.orphans if (mask.parent, name_of(mask)) not in used]
    truths += [(name_of(mask), Truth(mask)) for mask in alone if is_mask_path(mask)]
    if not truths:
        truths = [(name_of(file), Truth(file)) for file in _label_files(path)]
    return _by_name(path, truths)


def _images_in(path: Path) -> list[str]:
    """Return the images whose outlines one file holds; empty for a file of one image."""
    if path.suffix.lower() not in LOOKED_INTO:
        return []
    return [name_of(Path(name)) for name in images_named_in(path)]


def _are_labels_too(image: Path, mask: Path) -> bool:
    """Return whether the file beside a mask holds the same labels, in another format."""
    if image.parent != mask.parent:
        return False
    try:
        return looks_like_labels(read_labels(image))
    except InputError:  # colours
        return False


def _named(pairs: Iterable[tuple[Path, Path]]) -> list[tuple[str, Truth]]:
    return [(name_of(image), Truth(mask, image)) for image, mask in pairs]


def find_predictions(path: Path) -> dict[str, Path]:
    """Find predicted labels by the names of their images, as `segment` or HoVer-Net writes them."""
    if path.is_file():
        return dict.fromkeys(_images_in(path) or [name_of(path)], path)
    files = _label_files(path)
    if not files:
        pairs = find_pairs(path)
        files = [*pairs.masks, *(file for file in pairs.orphans if is_mask_path(file))]
    return _by_name(path, [(name_of(file), file) for file in files])


def several_formats(path: Path) -> str | None:
    """Return a note if a folder holds labels of one image in several formats."""
    if not path.is_dir():
        return None
    kinds: dict[str, set[str]] = {}
    for file in filter(_is_labels, _files(path)):
        kinds.setdefault(name_of(file), set()).add(kind_of(file))
    several = max(kinds.values(), key=len, default=set())
    if len(several) < 2:
        return None
    first, *others = sorted(several, key=KINDS.index)
    return messages.several_formats(str(path), first, tuple(others))


def find_probabilities(path: Path) -> dict[str, Path]:
    """Find maps: files called ``NAME_probability``, or all images if there are none."""
    if path.is_file():
        return {_map_name(path): path}
    images = [
        file
        for file in _files(path, messages.no_maps(MAPS))
        if file.suffix.lower() in MAP_SUFFIXES and not name_of(file).endswith(OVERLAY)
    ]
    maps = [file for file in images if is_named_map(file)] or images
    items = [(_map_name(file), file) for file in maps]
    return _by_name(path, items)


def is_named_map(path: Path) -> bool:
    """Return whether a file is a probability map by its name."""
    return name_of(path).endswith(PROBABILITY)


def _map_name(path: Path) -> str:
    return name_of(path).removesuffix(PROBABILITY).removesuffix(".ome")


def _label_files(folder: Path) -> list[Path]:
    """List files of labels, without the images beside masks saved by Cellpose."""
    files = [file for file in _files(folder) if _is_labels(file)]
    masked = {name_of(file) for file in files if _is_of_cellpose(file)}
    return [file for file in files if _is_of_cellpose(file) or name_of(file) not in masked]


def _is_labels(file: Path) -> bool:
    readable = file.suffix.lower() in LABEL_SUFFIXES or is_annotation_path(file)
    return readable and may_hold_labels(file) and not name_of(file).endswith(DERIVED)


def _is_of_cellpose(file: Path) -> bool:
    return Path(file.name).stem.endswith(CELLPOSE)


def _files(folder: Path, refusal: Message = messages.NOT_THERE) -> list[Path]:
    if not folder.is_dir():
        raise InputError(refusal, path=folder)
    files = (file for file in folder.iterdir() if file.is_file() and file.name[0] != ".")
    return sorted(files, key=natural_key)


def _by_name(folder: Path, items: Iterable[tuple[str, Item]]) -> dict[str, Item]:
    """Return one file for each name, the first of `KINDS` if there are several formats."""
    files: dict[str, Item] = {}
    for name, item in sorted(items, key=lambda pair: natural_key(pair[0])):
        kinds = [KINDS.index(kind_of(_file_of(it))) for it in (files.get(name, item), item)]
        if name in files and kinds[0] == kinds[1]:
            two = str(_file_of(files[name])), str(_file_of(item))
            raise InputError(messages.same_name(name, *two), path=folder)
        if name not in files or kinds[1] < kinds[0]:
            files[name] = item
    if not files:
        error = nothing_to_use("there is nothing to compare", files_in(folder), "labels", folder)
        raise InputError(error.message, path=folder)
    return files
