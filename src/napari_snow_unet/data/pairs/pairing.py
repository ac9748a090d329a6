"""Which image belongs to which mask, by name alone: for files in folders and in archives alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeAlias

from napari_snow_unet.data.names.file_names import LOOKED_INTO, Key, named, natural_key, root_name
from napari_snow_unet.data.names.folder_names import marks_of, subset_of_folders
from napari_snow_unet.data.pairs.entries import Access, Entry, File, Match
from napari_snow_unet.data.pairs.layouts import is_other_choice, layout_notes
from napari_snow_unet.data.pairs.matching import Matching
from napari_snow_unet.data.pairs.unmatched import why_left_over

#: A file, the chosen folder or archive it comes from, and the folders from there to it.
Listed: TypeAlias = tuple[File, str, tuple[str, ...]]


class Pair(NamedTuple, Generic[File]):
    """An image and its mask."""

    key: Key  # the tile
    folder: tuple[str, ...]  # of the image: the chosen folder or archive, then the folders in it
    image: File
    mask: File

    @property
    def source(self) -> str:
        """The chosen folder or archive in which the image lies."""
        return self.folder[0]

    @property
    def subset(self) -> str:
        """The subset that the image's folders name: train, val, test or ''."""
        return subset_of_folders(root_name(self.source), self.folder[1:])


@dataclass(frozen=True)
class Paired(Generic[File]):
    """The pairs, and the files that are left over."""

    pairs: list[Pair[File]] = field(default_factory=list)  # in natural order of the tiles' names
    # what is not used, and why; in natural order
    left: list[tuple[File, str]] = field(default_factory=list)
    # which layout was recognised, and what was chosen where there was a choice
    notes: list[str] = field(default_factory=list)
    unread: list[File] = field(default_factory=list)  # what can be neither image nor mask

    @property
    def names(self) -> list[str]:
        """Names of the tiles, as short as possible while unique."""
        return tile_names(self.pairs)


def pair_up(listed: Iterable[Listed[File]], access: Access[File]) -> Paired[File]:
    """Match images with masks.

    Files in folders whose names agree, apart from words such as images and masks, are paired if
    their names are equal, apart from words such as ``_mask``. Across other folders only
    unambiguous layouts are matched, see `pairs.matching.Matching`. Several folders or archives are
    matched separately; those with only images or only masks are matched with the others.
    """
    listed = list(listed)
    search = _Search(listed, access)
    if not search.matches and len(search.sources) == 1:  # maybe the chosen folder's name misleads
        again = _Search(listed, access, with_root=False)
        if again.matches and access.is_picture(again.matches[0].image.file):
            search = again
    taken = {id(entry) for match in search.matches for entry in (match.image, *match.masks)}
    repeats = [pair for pair in search.repeats if not is_other_choice(*pair)]
    gone = {id(other) for other, _ in search.repeats}
    left = [
        entry
        for entries in search.sources.values()
        for entry in entries
        if id(entry) not in taken and id(entry) not in gone
    ]
    return Paired(
        sorted((_pair(match, access) for match in search.matches), key=_order),
        why_left_over(left, repeats, search.unread, access),
        layout_notes(search.matches, search.repeats),
        [file for _, file in search.unread],
    )


def tile_names(pairs: Sequence[Pair[File]]) -> list[str]:
    """Name tiles by their files, or by these and as many of their folders as make them unique."""
    choices: list[Callable[[Pair[File]], tuple[str, ...]]] = [
        lambda pair: (pair.key.name,),
        lambda pair: (*pair.key.rest, pair.key.name),
        lambda pair: (*pair.key.rest, *pair.key.marks, pair.key.name),
        lambda pair: (root_name(pair.source), *pair.key.rest, *pair.key.marks, pair.key.name),
        lambda pair: (pair.source, *pair.key.rest, *pair.key.marks, pair.key.name),
    ]
    for choice in choices:
        names = ["/".join(choice(pair)) for pair in pairs]
        if len(set(names)) == len(names):
            break
    return names


class _Search(Generic[File]):
    """The files by source, and what belongs together."""

    def __init__(
        self,
        listed: Sequence[Listed[File]],
        access: Access[File],
        *,
        with_root: bool = True,
    ) -> None:
        self.sources: dict[str, list[Entry[File]]] = {}
        self.unread: list[tuple[Key, File]] = []
        self.matches: list[Match[File]] = []
        self.repeats: list[tuple[Entry[File], Entry[File]]] = []
        for file, source, folders in listed:
            entries, name = self.sources.setdefault(source, []), file.name
            what = named(root_name(source) if with_root else "", folders, name)
            if what is None:
                continue
            looked_into = name.lower().endswith(LOOKED_INTO)
            if what.kind == "other" or (looked_into and not access.holds_outlines(file)):
                self.unread.append((what.key, file))
            else:
                folder = (source, *folders)
                entries.append(Entry(file, name, what.kind, what.key, folder, what.place.rank))
        self._access = access
        self._match()

    def _match(self) -> None:
        """Match each source by itself, and then what has images or masks alone with the others."""
        kinds = {
            source: {entry.kind for entry in entries} for source, entries in self.sources.items()
        }
        left: dict[str, list[Entry[File]]] = {"image": [], "mask": []}
        alone: dict[str, list[Entry[File]]] = {"image": [], "mask": []}
        for source, entries in self.sources.items():
            if len(kinds[source]) == 1 and len(self.sources) > 1:
                alone[entries[0].kind] += entries
            else:
                for entry in self._run(entries):
                    left[entry.kind].append(entry)
        if len(self.sources) > 1:
            by_itself = {id(entry) for entry in alone["image"]}
            one_each = all(len({e.folder[0] for e in alone[kind]}) < 2 for kind in alone)
            pooled = list if one_each else _pooled
            rest = self._run(pooled(alone["image"] + left["image"] + alone["mask"]))
            images = [entry for entry in rest if id(entry) in by_itself]
            self._run(images + pooled(left["mask"]))

    def _run(self, entries: list[Entry[File]]) -> list[Entry[File]]:
        """Match some files and return what is left of them."""
        matching = Matching(entries, self._access)
        matching.run()
        self.matches += matching.matches
        self.repeats += matching.repeats
        groups = (*matching.images.values(), *matching.masks.values())
        return [entry for group in groups for entry in group]


def _pooled(entries: Iterable[Entry[File]]) -> list[Entry[File]]:
    """Let the names of chosen folders count as those in them do."""
    entries = list(entries)
    for entry in entries:
        mark = marks_of(root_name(entry.folder[0]))
        marks = tuple(dict.fromkeys(filter(None, (mark, *entry.key.marks))))
        entry.key = entry.key._replace(marks=marks)
    return entries


def _pair(match: Match[File], access: Access[File]) -> Pair[File]:
    image = match.image
    mask = match.masks[0].file
    if match.nuclei:
        masks = sorted(match.masks, key=lambda entry: natural_key(entry.name))
        mask = access.together([entry.file for entry in masks])
    return Pair(image.key, image.folder, image.file, mask)


def _order(pair: Pair[File]) -> list[list[tuple[int, str]]]:
    key = pair.key
    return [natural_key(part) for part in (key.name, *key.rest, *key.marks, pair.source)]
