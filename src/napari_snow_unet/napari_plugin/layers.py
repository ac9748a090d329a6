"""From a file to the layer that napari shows of it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from napari_snow_unet.data.annotations.annotation_files import is_annotation_path
from napari_snow_unet.data.datasets.dataset_info import masks_in
from napari_snow_unet.data.formats.hovernet import read_hovernet_mat
from napari_snow_unet.data.formats.label_images import read_labels, read_mask_file
from napari_snow_unet.data.formats.labels_of_outlines import read_outlined_nuclei
from napari_snow_unet.data.formats.origin import origin_of, read_own_labels
from napari_snow_unet.data.names.file_names import tile_name
from napari_snow_unet.data.pairs.partner import is_mask_path
from napari_snow_unet.data.pixels.images import read_image
from napari_snow_unet.data.pixels.orientation import UPRIGHT
from napari_snow_unet.data.slides.slide import LARGEST_WHOLE
from napari_snow_unet.napari_plugin import PLUGIN, LayerData

NO_LAYER: list[Any] = [(None,)]  # npe2's value for "read, and nothing to add"


def layer_of(path: Path) -> LayerData:
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
    """Read labels that this package has written, with their pixel size and how they came about."""
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
    """Read any file of labels, this package's or another's, or an OME-Zarr, as a labels layer."""
    if path.is_dir() or origin_of(path) is not None:
        return read_own(path)
    if path.suffix.lower() == ".mat" or is_annotation_path(path):
        return layer_of(path)
    facts = {"name": tile_name(path)} | _source(path, "label image")
    return _mask(path, stack=True), facts, "labels"


def _mask(path: Path, *, stack: bool = False) -> Any:
    """Read a label image, and warn of what is assumed."""
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
        warnings.warn(f"{path.name}: {' '.join(nuclei.notes)}", stacklevel=2)
    facts: dict[str, Any] = {"name": f"{tile_name(path)} mask", "features": features}
    return nuclei.labels, facts | _source(path, "outlines"), "labels"


def _source(path: Path, kind: str) -> dict[str, Any]:
    return {"metadata": {"source": str(path), "kind": kind}}
