"""Which image belongs to which mask, by name alone: for files in folders and in archives alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Generic, Protocol, TypeVar

from napari_snow_unet.data.naming import (
    GEOJSON_SUFFIXES,
    Key,
    natural_key,
    tile_name,
    without_mask_ending,
)
from napari_snow_unet.data.qupath import tile_region


class Named(Protocol):
    """A file with a name."""

    @property
    def name(self) -> str:
        """The name, with its suffix."""


File = TypeVar("File", bound=Named)


@dataclass(frozen=True)
class Paired(Generic[File]):
    """What belongs together, and what was left over.

    Attributes
    ----------
    pairs : list of tuple of Key, image and mask
        In natural order of the tiles' names.
    images, masks : list of File
        Without a partner.
    repeats : list of tuple of File
        A file, and the one of the same name and kind that goes before it.
    """

    pairs: list[tuple[Key, File, File]] = field(default_factory=list)
    images: list[File] = field(default_factory=list)
    masks: list[File] = field(default_factory=list)
    repeats: list[tuple[File, File]] = field(default_factory=list)


def pair_up(
    files: Iterable[tuple[File, str, Key]], names_in: Callable[[File], Sequence[str]] | None = None
) -> Paired[File]:
    """Match images with masks.

    Files with the same key belong together; of what is left, those whose name occurs once on
    either side, whatever folders they lie in; tiles that QuPath exported from a slide with the
    GeoJSON of that slide; images with the JSON that names them; and ``a.png`` with
    ``a_mask.png``, wherever these lie.

    Parameters
    ----------
    files : iterable of tuple
        A file, its kind and its key, see `naming.kind_and_key`.
    names_in : callable, optional
        Gives the names of the images that a file of JSON is about.

    Returns
    -------
    Paired
        Pairs and the rest.
    """
    found: dict[str, dict[Key, File]] = {"image": {}, "mask": {}}
    repeats = []
    for file, kind, key in files:
        first = found[kind].setdefault(key, file)
        if first is not file and not _is_label_beside(first, file, key, found):
            repeats.append((file, first))
    images, masks = found["image"], found["mask"]
    pairs = {key: (images.pop(key), masks.pop(key)) for key in list(images) if key in masks}
    pairs |= _by_name(images, masks)
    pairs |= _by_slide(images, masks)
    if names_in is not None:
        pairs |= _by_list(images, masks, names_in)
    pairs |= _by_ending(images, masks)
    ordered = sorted(pairs, key=lambda key: [natural_key(part) for part in (key[-1], *key[:-1])])
    return Paired([(key, *pairs[key]) for key in ordered], _sorted(images), _sorted(masks), repeats)


def tile_names(keys: Sequence[Key]) -> list[str]:
    """Name tiles by the last part of their keys, or by the whole where that is not unique."""
    last = [key[-1] for key in keys]
    if len(set(last)) == len(last):
        return last
    return ["/".join(key) for key in keys]


def _is_label_beside(
    first: File, second: File, key: Key, found: dict[str, dict[Key, File]]
) -> bool:
    """Sort out a tile and its labels that QuPath gave one name: the PNG holds the labels."""
    pngs = [file for file in (first, second) if file.name.lower().endswith(".png")]
    if len(pngs) != 1 or tile_region(key[-1]) is None or key in found["mask"]:
        return False
    found["mask"][key] = pngs[0]
    found["image"][key] = second if pngs[0] is first else first
    return True


def _by_name(images: dict[Key, File], masks: dict[Key, File]) -> dict[Key, tuple[File, File]]:
    """Match what is left, and take it out, where a name occurs once on either side."""
    by_name: dict[str, tuple[list[Key], list[Key]]] = {}
    for side, keys in enumerate((images, masks)):
        for key in keys:
            by_name.setdefault(key[-1], ([], []))[side].append(key)
    return {
        image_keys[0]: (images.pop(image_keys[0]), masks.pop(mask_keys[0]))
        for image_keys, mask_keys in by_name.values()
        if len(image_keys) == len(mask_keys) == 1
    }


def _by_slide(images: dict[Key, File], masks: dict[Key, File]) -> dict[Key, tuple[File, File]]:
    """Match tiles of a slide with the slide's GeoJSON, and take both out."""
    slides = {key[-1]: key for key in masks if masks[key].name.lower().endswith(GEOJSON_SUFFIXES)}
    regions = {key: tile_region(key[-1]) for key in images} if slides else {}
    pairs = {
        key: (images.pop(key), masks[slides[region.slide]])
        for key, region in regions.items()
        if region is not None and region.slide in slides
    }
    used = {id(mask) for _, mask in pairs.values()}
    for key in [key for key, mask in masks.items() if id(mask) in used]:
        del masks[key]
    return pairs


def _by_list(
    images: dict[Key, File], masks: dict[Key, File], names_in: Callable[[File], Sequence[str]]
) -> dict[Key, tuple[File, File]]:
    """Match images with the file that holds the outlines of several and names them.

    It lies beside them or beside their folder. Of two images of a name the one beside it is meant.
    """
    pairs: dict[Key, tuple[File, File]] = {}
    for key in [key for key, mask in masks.items() if mask.name.lower().endswith(".json")]:
        names = {tile_name(PurePosixPath(name)) for name in names_in(masks[key])}
        above = key[:-2]
        near = [image for image in images if image[-1] in names and image[: len(above)] == above]
        counts = Counter(image[-1] for image in near)
        meant = [i for i in near if counts[i[-1]] == 1 or i[:-1] == key[:-1]]
        pairs |= {image: (images.pop(image), masks[key]) for image in meant}
        if meant:
            del masks[key]
    return pairs


def _by_ending(images: dict[Key, File], masks: dict[Key, File]) -> dict[Key, tuple[File, File]]:
    """Match images with what is called after them and ends in ``_mask``, and take both out."""
    ended: dict[str, list[tuple[dict[Key, File], Key]]] = {}
    for files in (masks, images):
        for key in files:
            if (name := without_mask_ending(key[-1])) is not None:
                ended.setdefault(name, []).append((files, key))
    named = Counter(key[-1] for key in images) if ended else {}
    pairs = {}
    for key in list(images):
        found = ended.get(key[-1], [])
        if key in images and len(found) == named.get(key[-1]) == 1:
            files, mask = found[0]
            pairs[key] = (images.pop(key), files.pop(mask))
    return pairs


def _sorted(files: dict[Key, File]) -> list[File]:
    return [files[key] for key in sorted(files, key=lambda key: natural_key("/".join(key)))]
