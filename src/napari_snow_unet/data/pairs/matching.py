"""Match images with masks among the files of one folder, step by step, by name alone.

Files whose names or folders leave more than one possibility stay unpaired.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import PurePath
from typing import Generic

from napari_snow_unet.data.names.file_names import (
    GEOJSON_SUFFIXES,
    IMAGE_SUFFIXES,
    Key,
    Kind,
    bare_name,
    root_name,
    says_mask,
    starts_as_mask,
    stem_of,
    tile_name,
)
from napari_snow_unet.data.names.qupath import tile_region
from napari_snow_unet.data.pairs.entries import (
    KINDS,
    Access,
    Entry,
    File,
    Groups,
    Marks,
    Match,
    Rest,
    are_beside,
    are_nuclei,
    by_name,
    has_twice,
    image_order,
    is_in,
    is_prefix,
    mask_order,
    may_belong,
    own_name,
    unique,
)


class Matching(Generic[File]):
    """Match the files of one folder: `matches` belong together, `images` and `masks` are left."""

    def __init__(self, entries: Iterable[Entry[File]], access: Access[File]) -> None:
        self.images: Groups[File] = {}
        self.masks: Groups[File] = {}
        for entry in entries:
            groups = self.images if entry.kind == "image" else self.masks
            groups.setdefault(entry.key, []).append(entry)
        self.matches: list[Match[File]] = []
        # a file that is not used, and the one that is
        self.repeats: list[tuple[Entry[File], Entry[File]]] = []
        # looks into files, where names leave open what they are
        self._access = access

    def run(self) -> None:
        """Go through all steps, the strictest first."""
        self._separate_qupath_labels()
        self._all: dict[Kind, list[Key]] = {"image": [*self.images], "mask": [*self.masks]}
        self._nuclei_in_files_of_their_own()
        for name in (own_name, stem_of, bare_name):
            self._same_folders(name)
            self._other_role_folder(name)
        self._one_kind_in_one_folder()
        self._seeds_of_snow()
        self._tiles_of_a_slide()
        self._images_of_a_list()
        self._side_by_side_in_a_mask_folder()

    def _pair(self, image: Key, mask: Key) -> None:
        """Take an image and a mask out; of several of one name the nearest to each other."""
        masks, images = self.masks.pop(mask), self.images.pop(image)
        if len(masks) > 1:
            masks.sort(key=mask_order)
        if len(images) > 1:
            images.sort(key=lambda entry: image_order(entry, masks[0]))
        self.matches.append(Match(images[0], [masks[0]]))
        for used, *others in (images, masks):
            self.repeats += [(other, used) for other in others]

    def _separate_qupath_labels(self) -> None:
        """Sort out a tile and its labels that QuPath gave one name: the PNG holds the labels."""
        for key, entries in self.images.items():
            pngs = [entry for entry in entries if entry.suffix == ".png"]
            is_open = len(entries) > 1 and len(pngs) == 1 and key not in self.masks
            if is_open and tile_region(key.name):
                entries.remove(pngs[0])
                self.masks[key] = pngs

    def _nuclei_in_files_of_their_own(self) -> None:
        """Match ``ID/images/ID.png`` with ``ID/masks/*.png``, a nucleus in each."""
        folders: dict[tuple[str, ...], list[Key]] = defaultdict(list)
        for key in self.masks:
            folders[key.rest].append(key)
        tiles = []
        for key in self.images:
            if key in self.masks:
                continue
            inside = folders.get((*key.rest, key.name), [])
            folder = key.rest[-1] if key.rest else root_name(self.images[key][0].folder[0])
            if not inside and folder == key.name:
                inside = folders.get(key.rest, [])
            entries = [entry for mask in inside for entry in self.masks[mask]]
            if are_nuclei(key, inside, entries):
                tiles.append((key, inside, entries))
        if all(len(entries) < 2 for _, _, entries in tiles):
            return
        for key, inside, entries in tiles:
            for mask in inside:
                del self.masks[mask]
            image, *others = self.images.pop(key)
            self.matches.append(Match(image, entries, nuclei=True))
            self.repeats += [(other, image) for other in others]

    def _same_folders(self, name: Callable[[str, Kind], str]) -> None:
        """Match what has the same name in folders whose names agree but for images and masks."""
        self._unambiguous(name, lambda key: (key.rest, key.marks))

    def _other_role_folder(self, name: Callable[[str, Kind], str]) -> None:
        """Match ``SNOW_Image/a.png`` with ``mask_0_5000/a.mat``, whose folders differ in more."""
        marks: dict[Kind, dict[Rest, set[Marks]]] = {"image": {}, "mask": {}}
        for kind, of_kind in marks.items():
            for key in self._all[kind]:
                of_kind.setdefault(key.rest, set()).add(key.marks)
        belong = {
            rest
            for rest, of_images in marks["image"].items()
            if may_belong(of_images, marks["mask"].get(rest, set()))
        }
        self._unambiguous(name, lambda key: key.rest if key.rest in belong else None)

    def _unambiguous(
        self, name: Callable[[str, Kind], str], where: Callable[[Key], object | None]
    ) -> None:
        """Match what has one image and one mask of a name in one place."""
        images = unique((where(key), name(key.name, "image"), key) for key in self.images)
        masks = unique((where(key), name(key.name, "mask"), key) for key in self.masks)
        rivals: dict[object, Key | None] = {}  # 1.png and image_1.png may each be of mask_1.png
        if name is not own_name:
            self._add_masks_among_images(images, masks, name, where)
            rivals = unique((where(k), bare_name(k.name, "image"), k) for k in self.images)
        for place, image in images.items():
            mask = masks.get(place)
            if image is None or mask is None or image not in self.images:
                continue
            of_name = where(mask), bare_name(mask.name, "mask")
            if starts_as_mask(mask.name) and rivals.get(of_name, image) is None:
                continue
            if mask not in self.masks:
                if mask == image:
                    continue
                self.masks[mask] = self.images.pop(mask)
            self._pair(image, mask)

    def _add_masks_among_images(
        self,
        images: dict[object, Key | None],
        masks: dict[object, Key | None],
        name: Callable[[str, Kind], str],
        where: Callable[[Key], object | None],
    ) -> None:
        """Let ``a_mask.png`` beside ``a.png`` be a mask, though no folder says so."""
        for key in self.images:
            place = where(key), name(key.name, "mask")
            if says_mask(key.name) and place in images and key not in self.masks:
                masks[place] = None if place in masks else key

    def _one_kind_in_one_folder(self) -> None:
        """Match ``Images/train/a.png`` with ``Labels/a.mat``, where all masks lie in ``Labels``.

        The same below any folder: ``p1/HE/a.png`` with ``p1/masks/a.png``. No name may occur
        twice, and masks lie in one folder: ``masks/0`` and ``masks/1`` may be two classes.
        """
        left = {key.rest for key in (*self.images, *self.masks)} if self.masks else set()
        for rest in sorted(left, key=len, reverse=True):
            images, masks = (
                [key for key in self._all[kind] if key.rest[: len(rest)] == rest] for kind in KINDS
            )
            if has_twice(images) or has_twice(masks) or len({key.rest for key in masks}) != 1:
                continue
            flat = [all(key.rest == rest for key in keys) for keys in (images, masks)]
            mask_of = {key.name: key for key in masks if key in self.masks}
            for image in images:
                mask = mask_of.get(image.name)
                if mask is None or image not in self.images or mask.rest == image.rest:
                    continue
                if (flat[0] and not image.marks) or (flat[1] and not mask.marks):
                    self._pair(image, mask)

    def _seeds_of_snow(self) -> None:
        """Match ``seed1234.png`` with ``seed1234.mat``, names that occur once in all of SNOW."""
        images, masks = (by_name(self._all[kind]) for kind in KINDS)
        for image in list(self.images):
            numbered = image.name.startswith("seed") and image.name[4:].isdecimal()
            candidates = masks.get(image.name, [])
            if not numbered or len(candidates) != 1 or len(images[image.name]) != 1:
                continue
            if any(entry.suffix == ".mat" for entry in self.masks.get(candidates[0], [])):
                self._pair(image, candidates[0])

    def _tiles_of_a_slide(self) -> None:
        """Match tiles that QuPath exported from a slide with the GeoJSON of that slide."""
        slides = by_name(
            key
            for key, entries in self.masks.items()
            if any(entry.suffix in GEOJSON_SUFFIXES for entry in entries)
        )
        used = set()
        for key in list(self.images) if slides else ():
            region = tile_region(key.name)
            masks = slides.get(region.slide, []) if region else []
            near = [mask for mask in masks if is_prefix(mask.rest, key.rest)]
            if len(near) == 1:
                image, *others = self.images.pop(key)
                self.matches.append(Match(image, self.masks[near[0]][:1]))
                self.repeats += [(other, image) for other in others]
                used.add(near[0])
        for key in used:
            mask, *others = self.masks.pop(key)
            self.repeats += [(other, mask) for other in others]

    def _images_of_a_list(self) -> None:
        """Match images with the JSON beside them or their folder that holds outlines of several."""
        for mask in [key for key, entries in self.masks.items() if entries[0].suffix == ".json"]:
            entry = self.masks[mask][0]
            names = {tile_name(PurePath(name)) for name in self._access.names_in(entry.file)}
            near = [key for key in self.images if key.name in names and is_in(key, mask)]
            counts = Counter(key.name for key in near)
            meant = [key for key in near if counts[key.name] == 1 or key.rest == mask.rest]
            for key in meant:
                image, *others = self.images.pop(key)
                self.matches.append(Match(image, [entry]))
                self.repeats += [(other, image) for other in others]
            if meant:
                del self.masks[mask]

    def _side_by_side_in_a_mask_folder(self) -> None:
        """Match ``masks/a.png`` with ``masks/a.mat`` where the folder's name means both."""
        taken = {mask.folder for match in self.matches for mask in match.masks}
        pictures: dict[tuple[str, ...], bool] = {}

        def is_image(entry: Entry[File]) -> bool:
            if entry.folder in taken or entry.suffix not in IMAGE_SUFFIXES:
                return False
            if entry.folder not in pictures:
                pictures[entry.folder] = self._access.is_picture(entry.file)
            return pictures[entry.folder]

        for image, mask in list(are_beside(self.masks)):
            if is_image(image):
                for key, entry in ((image.key, image), (mask.key, mask)):
                    self.masks[key].remove(entry)
                    if not self.masks[key]:
                        del self.masks[key]
                self.matches.append(Match(image, [mask]))
