"""The files of a folder that may be paired: facts about each, and their order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from napari_snow_unet.data.names.file_names import (
    IMAGE_SUFFIXES,
    MASK_SUFFIXES,
    Key,
    Kind,
    suffix_of,
    suffix_rank,
    without_ending,
    without_mask_ending,
)
from napari_snow_unet.data.names.folder_names import are_numbered, may_be_patients


class HasName(Protocol):
    """A file with a name."""

    @property
    def name(self) -> str:
        """The name, with its suffix."""


File = TypeVar("File", bound=HasName)
KINDS: tuple[Kind, Kind] = ("image", "mask")


@dataclass(frozen=True)
class Access(Generic[File]):
    """What names do not reveal: looked up only if needed."""

    label: Callable[[File], str]  # the name of a file in texts
    together: Callable[[list[File]], File]  # joins the files of a mask, with one nucleus each
    # whether a file is a picture in colour, by its pixels
    is_picture: Callable[[File], bool]
    holds_outlines: Callable[[File], bool]  # whether a file of JSON or XML does
    names_in: Callable[[File], Sequence[str]]  # of the images in a file of JSON
    # why JSON or XML without outlines is not read, with the remedy; or ''
    why_foreign: Callable[[File], str]


@dataclass(eq=False, slots=True)
class Entry(Generic[File]):
    """A file with what its path reveals."""

    file: File
    name: str  # with its suffix
    kind: Kind
    key: Key  # its tile
    folder: tuple[str, ...]  # where it lies: the source, then the folders in it
    rank: int  # of its folder among several with masks for the same images

    @property
    def suffix(self) -> str:
        """The file's suffix, in lower case."""
        return suffix_of(self.name)


@dataclass(eq=False, slots=True)
class Match(Generic[File]):
    """An image and its mask, which may be one file for each nucleus."""

    image: Entry[File]
    masks: list[Entry[File]]
    nuclei: bool = False


Groups = dict[Key, list[Entry[File]]]
Rest: TypeAlias = tuple[str, ...]
Marks: TypeAlias = tuple[str, ...]


def own_name(name: str, kind: Kind) -> str:
    """Return a name as it is."""
    return name


def mask_order(entry: Entry[File]) -> tuple[int, int]:
    """Order the masks of one image: the likeliest first."""
    return entry.rank, suffix_rank(entry.name, "mask")


def image_order(entry: Entry[File], mask: Entry[File]) -> tuple[bool, bool, int]:
    """Order the images of one mask: the likeliest first."""
    beside = mask.name.startswith(entry.name)  # a.png.geojson
    return not beside, entry.suffix != mask.suffix, suffix_rank(entry.name, "image")


def are_nuclei(image: Key, names: list[Key], masks: list[Entry[File]]) -> bool:
    """Tell files of one nucleus each: images of a kind in one folder, none named after the tile."""
    return (
        bool(masks)
        and all(entry.suffix in IMAGE_SUFFIXES for entry in masks)
        and len({entry.folder for entry in masks}) == 1
        and all(image.name not in (key.name, without_ending(key.name)) for key in names)
    )


def may_belong(images: set[Marks], masks: set[Marks]) -> bool:
    """Tell whether folders of images and masks whose names differ can belong together.

    One image folder and one mask folder do, and one of the one beside numbered ones of the other.
    If their names are patients, ``A`` here and ``B`` there, they do not.
    """
    if not images or not masks or (images & masks) - {()}:
        return False
    if any(may_be_patients(image, mask) for image in images for mask in masks):
        return False
    few, many = sorted((images, masks), key=len)
    some = next(iter(many))
    return len(few) == 1 and all(are_numbered(one, some) for one in many)


def has_twice(keys: list[Key]) -> bool:
    """Tell whether a name occurs twice."""
    return len({key.name for key in keys}) < len(keys)


def unique(keys: Iterable[tuple[object | None, str, Key]]) -> dict[object, Key | None]:
    """Return the key of each name in a place; None if the name occurs there twice."""
    keys_at: dict[object, Key | None] = {}
    for place, name, key in keys:
        if place is not None:
            keys_at[place, name] = None if (place, name) in keys_at else key
    return keys_at


def by_name(keys: Iterable[Key]) -> dict[str, list[Key]]:
    """Group keys by the name in them."""
    groups: dict[str, list[Key]] = defaultdict(list)
    for key in keys:
        groups[key.name].append(key)
    return groups


def is_in(image: Key, mask: Key) -> bool:
    """Tell whether an image lies in the folder of a mask or in one within."""
    return image.rest[: len(mask.rest)] == mask.rest


def is_prefix(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Tell whether of two folders one lies in the other."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


def are_beside(masks: Groups[File]) -> Iterator[tuple[Entry[File], Entry[File]]]:
    """Go through pairs of files in one folder of masks of which the first may be an image."""
    stems: dict[tuple[tuple[str, ...], str], list[Entry[File]]] = defaultdict(list)
    for key, entries in masks.items():
        for entry in entries:
            stem = without_mask_ending(key.name)
            if entry.suffix in MASK_SUFFIXES:
                stem = stem or key.name
            if stem is not None:
                stems[entry.folder, stem].append(entry)
    for key, entries in masks.items():
        for entry in entries:
            partners = stems.get((entry.folder, key.name), [])
            if entry.suffix not in MASK_SUFFIXES and len(partners) == 1:
                yield entry, partners[0]
