"""How SNOW and datasets like it are laid out: which image belongs to which mask.

Known layouts, at any depth below the chosen folder: ``Image/seed0000.png`` with
``Mask/seed0000.mat``; ``SNOW_Image/`` with ``mask_0_5000/mat/`` (whose ``json/`` and ``overlay/``
hold no masks, though overlays may carry the images' names); ``images/000000.png`` with
``masks/000000.png``, in numbered folders or not; an image and its .mat side by side.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.images import IMAGE_SUFFIXES, LABEL_SUFFIXES

_IMAGE_WORDS = {"image", "images", "img", "imgs", "tile", "tiles"}
_MASK_WORDS = {"mask", "masks", "label", "labels", "mat", "mats"}
_IGNORED_FOLDER = re.compile(r"\..*|__macosx|json|overlays?|regions", re.IGNORECASE)


@dataclass(frozen=True)
class Pairs:
    """The images and masks of a folder.

    Attributes
    ----------
    images, masks : list of pathlib.Path
        Of equal length; ``masks[i]`` belongs to ``images[i]``. In natural order of the names.
    orphans : list of pathlib.Path
        Images without a mask and masks without an image, in natural order.
    """

    images: list[Path]
    masks: list[Path]
    orphans: list[Path]


def natural_key(text: str | PurePath) -> list[tuple[int, str]]:
    """Return a sort key by which ``seed2`` comes before ``seed10``."""
    parts = re.split(r"(\d+)", str(text).lower())
    return [(int(part), "") if i % 2 else (-1, part) for i, part in enumerate(parts)]


def find_pairs(folder: str | os.PathLike[str]) -> Pairs:
    """Find all images of a folder and the mask of each, by name.

    Parameters
    ----------
    folder : path-like
        A folder in one of the layouts above; its image folder or its mask folder alone will do.
        Hidden files and anything else that is no image or mask are passed over.

    Returns
    -------
    Pairs
        What belongs together, and what was left alone.

    Raises
    ------
    InputError
        If `folder` is no folder that can be read.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 (resolve() would follow links)
    if not folder.is_dir():
        raise InputError(
            "there is no such folder",
            expected="a folder with images and masks",
            remedy="Choose another folder.",
            path=folder,
        )
    found = _match([folder])
    role = _role(folder.name)
    if found.images or role is None:
        return found
    others = (child for child in _folders(folder.parent) if _role(child.name) not in (None, role))
    found = _match([folder, *others])
    inside = [path for path in found.orphans if path.is_relative_to(folder)]
    return Pairs(found.images, found.masks, inside)


def partner_of(path: str | os.PathLike[str]) -> Path | None:
    """Find the mask of an image or the image of a mask, beside it or in the sibling folder.

    Parameters
    ----------
    path : path-like
        An image or mask; it need not exist.

    Returns
    -------
    pathlib.Path or None
        The partner, if there is one.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100
    is_mask = is_mask_path(path)
    suffixes = _ordered(IMAGE_SUFFIXES if is_mask else LABEL_SUFFIXES, first=_first(is_mask))
    if path.suffix.lower() == ".mat":
        beside: Iterable[str] = suffixes
    else:
        beside = () if is_mask else (".mat",)
    places = [(path.parent, beside)] + [(place, suffixes) for place in _siblings(path, is_mask)]
    for place, endings in places:
        for ending in endings:
            candidate = place / (tile_name(path) + ending)
            if candidate != path and candidate.is_file():
                return candidate
    return None


def is_mask_path(path: PurePath) -> bool:
    """Tell from its name and the folders it lies in whether a file is a mask."""
    if path.suffix.lower() == ".mat":
        return True
    for name in path.parts[-2:-5:-1]:
        if _IGNORED_FOLDER.fullmatch(name):
            return False
        if role := _role(name):
            return role == "mask"
    return False


def tile_name(path: PurePath) -> str:
    """Return what a tile is called, without its suffix: ``a`` for ``a.png`` and ``a.ome.tif``."""
    return path.stem.removesuffix(".ome")


def _match(roots: Iterable[Path]) -> Pairs:
    """Match all images and masks below some folders."""
    images: dict[tuple[str, ...], Path] = {}
    masks: dict[tuple[str, ...], Path] = {}
    orphans: list[Path] = []
    for root in roots:
        for path, is_mask, key in _files(root):
            known = masks if is_mask else images
            if known.setdefault(key, path) is not path:
                orphans.append(path)
    pairs = {key: (images.pop(key), masks.pop(key)) for key in list(images) if key in masks}
    pairs |= _by_name_alone(images, masks)
    ordered = sorted(pairs, key=lambda key: [natural_key(part) for part in (key[-1], *key[:-1])])
    return Pairs(
        [pairs[key][0] for key in ordered],
        [pairs[key][1] for key in ordered],
        sorted([*orphans, *images.values(), *masks.values()], key=natural_key),
    )


def _first(is_mask: bool) -> str:
    return ".png" if is_mask else ".mat"


def _ordered(suffixes: Iterable[str], *, first: str) -> list[str]:
    return sorted(suffixes, key=lambda suffix: (suffix != first, suffix))


def _role(folder: str) -> str | None:
    """Return 'mask' or 'image' if a folder's name says what lies in it."""
    words = set(re.split(r"[\W_]+", folder.lower()))
    is_mask, is_image = bool(words & _MASK_WORDS), bool(words & _IMAGE_WORDS)
    if is_mask == is_image:
        return None
    return "mask" if is_mask else "image"


def _files(root: Path) -> Iterator[tuple[Path, bool, tuple[str, ...]]]:
    """Go through all files below `root` that can be an image or a mask.

    Yields the path, whether it is a mask, and what it shares with its partner: the folders
    without a role, and the tile's name. Nothing is worked out twice for the files of one folder:
    there may be 20,000 of them.
    """
    seen = set()
    for place, folders, names in os.walk(root, followlinks=True):
        try:
            status = os.stat(place)  # noqa: PTH116
        except OSError:  # gone meanwhile
            continue
        if (status.st_dev, status.st_ino) in seen:  # a link back to a folder above
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not _IGNORED_FOLDER.fullmatch(name))
        here, inner = Path(place), Path(place).relative_to(root)
        in_masks = is_mask_path(Path(root.name, inner, "x"))
        shared = tuple(name for name in inner.parts if _role(name) is None)
        for name in sorted(names):
            stem, suffix = os.path.splitext(name)  # noqa: PTH122
            suffix = suffix.lower()
            is_mask = in_masks or suffix == ".mat"
            known = LABEL_SUFFIXES if is_mask else IMAGE_SUFFIXES
            if suffix in known and not name.startswith("."):
                yield here / name, is_mask, (*shared, stem.removesuffix(".ome"))


def _by_name_alone(
    images: dict[tuple[str, ...], Path], masks: dict[tuple[str, ...], Path]
) -> dict[tuple[str, ...], tuple[Path, Path]]:
    """Match what is left, and take it out, where a name occurs once on either side."""
    by_name: dict[str, tuple[list[tuple[str, ...]], list[tuple[str, ...]]]] = {}
    for side, keys in enumerate((images, masks)):
        for key in keys:
            by_name.setdefault(key[-1], ([], []))[side].append(key)
    return {
        image_keys[0]: (images.pop(image_keys[0]), masks.pop(mask_keys[0]))
        for image_keys, mask_keys in by_name.values()
        if len(image_keys) == len(mask_keys) == 1
    }


def _siblings(path: Path, is_mask: bool) -> Iterator[Path]:
    """Go through the folders in which a partner in a parallel folder would lie."""
    own, other = ("mask", "image") if is_mask else ("image", "mask")
    tail: tuple[str, ...] = ()
    for place in path.parents[:4]:
        if _role(place.name) != own:
            tail = (place.name, *tail)
            continue
        inner = Path(*(name for name in tail if _role(name) is None))
        for sibling in sorted(_folders(place.parent), key=natural_key):
            if _role(sibling.name) == other:
                yield sibling / inner
                deeper = (child for child in _folders(sibling) if _role(child.name) == other)
                for child in deeper:
                    yield child / inner
        tail = (place.name, *tail)


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries if entry.is_dir()]
    except OSError:
        return []
