"""The reader that napari calls for a mask (.mat, outlines) or a ``seed*.png``, and its partner.

Labels that this package has written are recognised by their metadata, whatever their names are.
napari chooses a reader by name alone, so others come through File > IO Utilities > Open labels...
and through the docks.

Dropping either half of a pair opens both. When both halves are dropped together napari calls the
reader once per file, so one of the two calls leaves the pair to the other. Nothing is remembered
from one call to the next: a file that is opened again later gives new layers, as in napari.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations.annotation_files import (
    is_annotation_file,
    is_annotation_path,
)
from napari_snow_unet.data.datasets.dataset_info import masks_in
from napari_snow_unet.data.formats.hovernet import is_hovernet_mat
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.formats.origin import origin_of
from napari_snow_unet.data.names.file_names import tile_name
from napari_snow_unet.data.pairs.partner import is_mask_path, partner_of
from napari_snow_unet.data.pixels.images import read_header
from napari_snow_unet.data.pixels.orientation import UPRIGHT, mask_as_shown
from napari_snow_unet.napari_plugin import PLUGIN, LayerData, messages
from napari_snow_unet.napari_plugin.layers import NO_LAYER, layer_of

_CLAIMED = ("*.mat", "seed*.png", "*.geojson", "*.geojson.gz", "*.json", "*.xml")


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[Any]] | None:
    """Return a function that reads `path`, or None if it is not for this plugin; never raises."""
    paths = [path] if isinstance(path, str) else list(path)
    if not paths or not all(_is_ours(Path(each)) for each in paths):
        return None
    return read_file if isinstance(path, str) else read_files


def read_file(path: str | Sequence[str]) -> list[Any]:
    """Read an image or a mask, and its partner if there is one; the labels come on top.

    Returns `NO_LAYER` if the partner is being opened in the same go and brings this file along.
    """
    assert isinstance(path, str)
    file = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
    partner = partner_of(file)
    if origin_of(file) is not None and partner is not None and is_mask_path(partner):
        partner = None  # labels that were found beside the true ones
    if partner is None and file.suffix.lower() == ".mat":
        _notify_alone(file)
    if partner is not None and partner in _opened_together():
        if not _left_to_us(file, partner):
            partner = None
        elif is_mask_path(file):
            return NO_LAYER
    own = layer_of(file)
    pair = None if partner is None else _with_partner(own, partner)
    if pair is None:
        return [own]
    image, labels = pair
    scaled, unscaled = (image, labels) if "scale" in image[1] else (labels, image)
    unscaled[1].update({key: scaled[1][key] for key in ("scale", "units") if key in scaled[1]})
    return [image, labels]


def read_files(paths: str | Sequence[str]) -> list[LayerData]:
    """Read masks or images of one size as one lazy stack, with their partners if all have one."""
    from napari_snow_unet.data.datasets.stack import image_stack, label_stack

    files = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100
    own = origin_of(files[0]) is not None
    kind = "labels" if own or is_mask_path(files[0]) else "image"
    size = read_labels(files[0]).shape if kind == "labels" else read_header(files[0]).size
    partners = [partner for partner in map(partner_of, files) if partner is not None]
    if own:
        partners = [partner for partner in partners if not is_mask_path(partner)]
    images, masks = (partners, files) if kind == "labels" else (files, partners)
    name = f"{tile_name(files[0])} to {tile_name(files[-1])}"
    layers: list[LayerData] = []
    if len(images) == len(files):
        facts = {
            "name": name,
            "rgb": True,
            "contrast_limits": (0, 255),
            "metadata": _sources(images),
        }
        layers.append((image_stack(images, size), facts, "image"))
    if len(masks) == len(files):
        facts = {"name": f"{name} mask", "metadata": _sources(masks)}
        layers.append((label_stack(masks, size, images, masks_in(masks[0])), facts, "labels"))
    return layers


def _is_ours(path: Path) -> bool:
    if path.suffix.lower() == ".mat":
        return is_hovernet_mat(path)
    if is_annotation_path(path):
        return is_annotation_file(path)
    if path.suffix.lower() == ".png":
        return path.is_file()
    return origin_of(path) is not None


def _with_partner(own: LayerData, path: Path) -> tuple[LayerData, LayerData] | None:
    """Read the file that was not dropped and return image and labels; None leaves it closed.

    Labels are turned along with an image that its file asks to turn.
    """
    try:
        other = layer_of(path)
    except InputError as error:
        warnings.warn(messages.stays_closed(str(error)), stacklevel=2)
        return None
    image, labels = (other, own) if own[2] == "labels" else (own, other)
    size = image[0].shape[:2]
    turned, notes = mask_as_shown(labels[0], size, image[1]["metadata"].get("orientation", UPRIGHT))
    if turned.shape[:2] != size:
        sizes = (each[0].shape[:2] for each in (other, own))
        warnings.warn(messages.of_other_size(str(path), *sizes), stacklevel=2)
        return None
    for note in notes:
        warnings.warn(f"{image[1]['name']}: {note}", stacklevel=2)
    return image, (turned, *labels[1:])


def _notify_alone(mask: Path) -> None:
    """Notify the user why a mask opens without its image, if no other layer is open."""
    from napari import current_viewer
    from napari.utils.notifications import show_info

    viewer = current_viewer()
    if viewer is not None and not viewer.layers:
        show_info(messages.opened_alone(mask.name, tile_name(mask)))


def _sources(paths: Sequence[Path]) -> dict[str, Any]:
    return {"sources": [str(path) for path in paths], "names": [tile_name(path) for path in paths]}


def _opened_together() -> set[Path]:
    """Return all files that napari is opening in the call that brought us here.

    napari shows a progress bar while it goes through the files of one drop, and the bar knows
    them. If it is not available, every file counts as opened by itself.
    """
    progress = getattr(sys.modules.get("napari.utils.progress"), "progress", None)
    bars = list(getattr(progress, "_all_instances", ()))
    listed = [getattr(bar, "iterable", None) for bar in bars]
    names = (name for names in listed if isinstance(names, list) for name in names)
    return {Path(os.path.abspath(name)) for name in names if isinstance(name, str)}  # noqa: PTH100


def _left_to_us(*pair: Path) -> bool:
    """Tell whether napari will hand both files to this reader.

    It does so where the names are claimed and the user has not settled on another reader. If
    several could read a PNG napari stops there, asks, and opens all files of the drop once more:
    so the pair must come with the PNG, not before it.
    """
    if not all(any(fnmatch(path.name.lower(), claim) for claim in _CLAIMED) for path in pair):
        return False
    from napari.plugins.utils import get_preferred_reader

    return all(get_preferred_reader(path) in (None, PLUGIN) for path in pair)
