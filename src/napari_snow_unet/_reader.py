"""What napari calls when a mask (.mat, outlines) or a ``seed*.png`` is dropped: it and its partner.

Labels that this package has written are told by what their files say of them, whatever their name
is; napari asks for names only, so that all but these come through File > IO Utilities > Open
labels... and through the measuring dock.

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

import numpy as np

from napari_snow_unet.data.annotation_files import is_annotation_file, is_annotation_path
from napari_snow_unet.data.dataset_info import masks_in
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.hovernet_mat import is_hovernet_mat, read_hovernet_mat
from napari_snow_unet.data.images import read_header, read_image, read_labels, read_mask_file
from napari_snow_unet.data.label_origin import origin_of, read_own_labels
from napari_snow_unet.data.orientation import UPRIGHT, mask_as_shown
from napari_snow_unet.data.outlined import read_outlined_nuclei
from napari_snow_unet.data.slides import LARGEST_WHOLE
from napari_snow_unet.data.snow import is_mask_path, partner_of, tile_name

LayerData = tuple[Any, dict[str, Any], str]
NO_LAYER: list[Any] = [(None,)]  # npe2's word for "read, and nothing to add"
PLUGIN = "napari-snow-unet"
_CLAIMED = ("*.mat", "seed*.png", "*.geojson", "*.geojson.gz", "*.json", "*.xml")


def get_reader(path: str | Sequence[str]) -> Callable[[str | Sequence[str]], list[Any]] | None:
    """Return a function that reads `path`, or None if it is not for this plugin.

    Parameters
    ----------
    path : str or sequence of str
        A file, or files to be opened as one stack.

    Returns
    -------
    callable or None
        Takes `path` again and returns napari's layer data. It raises InputError for a damaged
        file; this function never raises.
    """
    paths = [path] if isinstance(path, str) else list(path)
    if not paths or not all(_is_ours(Path(each)) for each in paths):
        return None
    return read_file if isinstance(path, str) else read_files


def read_file(path: str | Sequence[str]) -> list[Any]:
    """Read an image or a mask, and its partner if there is one.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    list of tuple
        An image layer, a labels layer, or both, the labels on top; `NO_LAYER` if the partner is
        being opened in the same go and brings this file along.

    Raises
    ------
    InputError
        If the file is damaged or of another kind.
    """
    assert isinstance(path, str)
    file = Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)
    partner = partner_of(file)
    if origin_of(file) is not None and partner is not None and is_mask_path(partner):
        partner = None  # labels that were found beside the true ones
    if partner is None and file.suffix.lower() == ".mat":
        _say_alone(file)
    if partner is not None and partner in _opened_together():
        if not _left_to_us(file, partner):
            partner = None
        elif is_mask_path(file):
            return NO_LAYER
    own = _layer(file)
    pair = None if partner is None else _with_partner(own, partner)
    if pair is None:
        return [own]
    image, labels = pair
    known, unknown = (image, labels) if "scale" in image[1] else (labels, image)
    unknown[1].update({key: known[1][key] for key in ("scale", "units") if key in known[1]})
    return [image, labels]


def read_files(paths: str | Sequence[str]) -> list[LayerData]:
    """Read masks or images of one size as one lazy stack, with their partners if all have one.

    Parameters
    ----------
    paths : sequence of str
        Files of one kind.

    Returns
    -------
    list of tuple
        Image layer, labels layer, or both.

    Raises
    ------
    InputError
        If the first file cannot be read.
    """
    from napari_snow_unet.data.dataset import image_stack, label_stack

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


def _layer(path: Path) -> LayerData:
    """Read one file as the layer it is, or a folder of masks with one nucleus each."""
    facts: dict[str, Any]
    if path.is_dir() and origin_of(path) is None:  # no OME-Zarr of this package
        facts = {"name": f"{path.parent.name} mask"} | _source(path, "a label image per nucleus")
        return read_labels(path), facts, "labels"
    if path.suffix.lower() == ".mat":
        nuclei = read_hovernet_mat(path)
        features: dict[str, Any] = {"index": nuclei.index}
        features["centroid_y"], features["centroid_x"] = nuclei.centroid.T
        if nuclei.type is not None:
            features["type"] = nuclei.type
        facts = {"name": f"{tile_name(path)} mask", "features": features}
        return nuclei.labels, facts | _source(path, "HoVer-Net inst_map"), "labels"
    if is_annotation_path(path):
        return _outlined_layer(path)
    if origin_of(path) is not None:
        return read_own(path)
    if is_mask_path(path):
        facts = {"name": f"{tile_name(path)} mask"} | _source(path, "label image")
        return _mask(path), facts, "labels"
    image = read_image(path)
    facts = {"name": tile_name(path)} | _source(path, "image")
    if image.orientation != UPRIGHT:
        facts["metadata"]["orientation"] = image.orientation  # as which it was turned
    facts["rgb"] = image.array.ndim > 2 and image.array.shape[-1] in (3, 4)
    if image.pixel_size_um is not None and image.array.ndim - facts["rgb"] == 2:
        facts["metadata"]["pixel_size_um"] = image.pixel_size_um
        facts |= {"scale": (image.pixel_size_um,) * 2, "units": ("um", "um")}
    return image.array, facts, "image"


def read_own(path: Path) -> LayerData:
    """Read labels that this package has written, with their pixel size and how they came about.

    Parameters
    ----------
    path : pathlib.Path
        Of which `data.label_origin.origin_of` knows this.

    Returns
    -------
    tuple
        A labels layer; a multiscale one where the file is a pyramid.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    own = read_own_labels(path)
    options = own.facts.get("options")
    is_mask = isinstance(options, dict) and options.get("output") == "mask"
    facts: dict[str, Any] = {"name": f"{tile_name(path)} nuclei{' mask' if is_mask else ''}"}
    facts |= _source(path, "labels of this plugin")
    facts["metadata"][PLUGIN] = own.facts
    before = own.levels[0].ndim - 2
    if own.spacing_um is not None:
        facts["scale"] = (1.0,) * before + own.spacing_um
        facts["units"] = ("pixel",) * before + ("um", "um")
    facts["multiscale"] = len(own.levels) > 1
    if len(own.levels) > 1:
        return list(own.levels), facts, "labels"
    (labels,) = own.levels
    return labels if labels.size > LARGEST_WHOLE else np.asarray(labels), facts, "labels"


def read_as_labels(path: Path) -> LayerData:
    """Read any file of labels as a labels layer: one that this package has written, or another.

    Parameters
    ----------
    path : pathlib.Path
        A PNG, TIFF, BMP, ``.mat`` or outlines; the folder of an OME-Zarr.

    Returns
    -------
    tuple
        A labels layer.

    Raises
    ------
    InputError
        If it holds no labels.
    """
    if path.is_dir() or origin_of(path) is not None:
        return read_own(path)
    if path.suffix.lower() == ".mat" or is_annotation_path(path):
        return _layer(path)
    facts = {"name": tile_name(path)} | _source(path, "label image")
    return _mask(path, stack=True), facts, "labels"


def _mask(path: Path, *, stack: bool = False) -> Any:
    """Read a label image, and say what is assumed of it."""
    judged = read_mask_file(path, stack=stack, masks_are=masks_in(path))
    for note in judged.notes:
        warnings.warn(f"{path.name}: {note}.", stacklevel=2)
    return judged.labels


def _outlined_layer(path: Path) -> LayerData:
    """Read outlines as labels, with the class of each in its row."""
    nuclei = read_outlined_nuclei(path)
    index = [number for number in np.unique(nuclei.labels).tolist() if number]
    features = {"index": index, "class": [nuclei.classes[number - 1] for number in index]}
    if nuclei.types is not None:
        features["type"] = [nuclei.types[number - 1] for number in index]
    if nuclei.notes:
        warnings.warn(f"{path.name}: {'; '.join(nuclei.notes)}.", stacklevel=2)
    facts: dict[str, Any] = {"name": f"{tile_name(path)} mask", "features": features}
    return nuclei.labels, facts | _source(path, "outlines"), "labels"


def _with_partner(own: LayerData, path: Path) -> tuple[LayerData, LayerData] | None:
    """Read the file that nobody dropped; if that fails the dropped one opens alone.

    Returns
    -------
    tuple of layer data or None
        Image and labels, which are turned along with an image that its file asks to turn.
    """
    try:
        other = _layer(path)
    except InputError as error:
        warnings.warn(f"{error} It stays closed.", stacklevel=2)
        return None
    image, labels = (other, own) if own[2] == "labels" else (own, other)
    size = image[0].shape[:2]
    turned, notes = mask_as_shown(labels[0], size, image[1]["metadata"].get("orientation", UPRIGHT))
    if turned.shape[:2] != size:
        found, wanted = (" x ".join(map(str, each[0].shape[:2])) for each in (other, own))
        warnings.warn(f"{path} has {found} pixels, not {wanted}; it stays closed.", stacklevel=2)
        return None
    for note in notes:
        warnings.warn(f"{image[1]['name']}: {note}", stacklevel=2)
    return image, (turned, *labels[1:])


def _say_alone(mask: Path) -> None:
    """Tell somebody who would see nothing but labels why there is no image."""
    from napari import current_viewer
    from napari.utils.notifications import show_info

    viewer = current_viewer()
    if viewer is not None and not viewer.layers:
        show_info(
            f"{mask.name} opens without its image: none of the name {tile_name(mask)} lies beside "
            "it or in the sibling folder of SNOW's layout. Drop the image too."
        )


def _source(path: Path, kind: str) -> dict[str, Any]:
    return {"metadata": {"source": str(path), "kind": kind}}


def _sources(paths: Sequence[Path]) -> dict[str, Any]:
    return {"sources": [str(path) for path in paths], "names": [tile_name(path) for path in paths]}


def _opened_together() -> set[Path]:
    """Return all files that napari is opening in the call that brought us here.

    napari shows a progress bar while it goes through the files of one drop, and the bar knows
    them. Where it cannot be asked, every file is taken to be opened by itself.
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
