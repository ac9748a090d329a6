"""One more tile for a dataset, for the API."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.api import messages
from napari_snow_unet.api.inputs import data_of_layer, is_layer, pixels_of, refuse_folder
from napari_snow_unet.api.results import SegmentedImage
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.adding import AddedTile, NewTile, add_tile
from napari_snow_unet.data.datasets.truth_origin import EditedNucleus, TruthOrigin, truth_origin
from napari_snow_unet.data.formats.label_images import read_mask_file
from napari_snow_unet.data.names.file_names import tile_name
from napari_snow_unet.data.pixels.images import ABOUT, ImageFile
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size
from napari_snow_unet.segmentation.corrections.tally import compare_labels, places_of


def add_to_dataset(
    dataset: str | os.PathLike[str],
    image: Any,
    labels: Any,
    *,
    prediction: Any = None,
    drawn: bool = False,
    region: Any = None,
    name: str | None = None,
    pixel_size_um: float | None = None,
    draw_without_prediction: bool | None = None,
    replace: bool = False,
) -> AddedTile:
    """Copy an image and its ground truth, such as corrected labels, into a dataset.

    The new tile joins the subset that lacks most tiles, or that of its group; no other tile
    changes its subset.

    Parameters
    ----------
    dataset : path-like
        A dataset that `prepare` or this function made, or a folder that is new or empty.
    image : path-like, array, layer or ImageFile
        One plane, grey or RGB, as `segment` takes it.
    labels : array of int, path-like, layer or SegmentedImage
        Its ground truth, shape (Y, X): 0 is background, every other number a nucleus.
    prediction : SegmentedImage, path-like or layer, optional
        What the labels began as. The dataset then records its model, the checksum of the model, and
        which nuclei were added, deleted, separated, merged and reshaped. By default the provenance
        of `labels` is used, if they have any.
    drawn : bool, default: False
        Record that the labels were drawn from scratch.
    region : array of bool or path-like, optional
        The annotated part, shape (Y, X); the rest is ignored in training and scores.
    name : str, optional
        Name of the tile; by default that of the image's file.
    pixel_size_um : float, optional
        Micrometres per pixel; by default that of the image.
    draw_without_prediction : bool, optional
        Mark the tile, so that no corrected prediction can replace its ground truth, or remove the
        mark. By default drawn tiles of the validation and test subsets are marked.
    replace : bool, default: False
        Replace the tile of the same image, if there is one.

    Returns
    -------
    AddedTile
        ``folder``, ``tile`` (its row of the table), ``tiles`` (their number) and ``replaced``.

    Raises
    ------
    InputError
        If the folder holds something else, the dataset has the image already, its tile is marked,
        image and labels do not fit, or the disk is full.

    Examples
    --------
    >>> import napari_snow_unet as snow
    >>> result = snow.segment("tile.png")                          # doctest: +SKIP
    >>> labels = result.labels.copy()                              # doctest: +SKIP
    >>> labels[labels == 7] = 0                                    # doctest: +SKIP
    >>> snow.add_to_dataset("mine", "tile.png", labels, prediction=result)  # doctest: +SKIP
    """
    pixels = pixels_of(image)
    array, file = np.asarray(pixels.array), pixels.path or Path("image")
    size = (array.shape[0], array.shape[1]) if array.ndim > 1 else (0, 0)
    now, inside = _labels(labels, size, file)
    edits = None
    if prediction is not None:
        began, _ = _labels(prediction, size, file)
        if began.shape != now.shape:
            raise InputError(messages.other_shapes(began.shape, now.shape))
        changes = compare_labels(began, now)
        edits = [EditedNucleus(*edit) for edit in places_of(changes, began, now)]
    origin = _origin(labels if prediction is None else prediction)
    if region is not None:
        inside = _labels(region, size, file)[0] != 0
    new = NewTile(
        name or tile_name(file),
        ImageFile(
            array, check_pixel_size(pixel_size_um) or pixels.pixel_size_um, file, white=pixels.white
        ),
        now,
        inside,
        TruthOrigin("drawn") if drawn else origin,
        edits,
    )
    return add_tile(
        dataset, new, replace_tile=replace, draw_without_prediction=draw_without_prediction
    )


def _labels(
    side: Any, size: tuple[int, int], image: Path
) -> tuple[NDArray[np.int32], NDArray[np.bool_] | None]:
    """Return ids, and the annotated region if a file states one."""
    if isinstance(side, SegmentedImage):
        return side.labels, None
    if isinstance(side, (str, os.PathLike)):
        refuse_folder(side)
        judged = read_mask_file(Path(side), size, image=image)
        return judged.nuclei(), judged.region
    array = np.asarray(data_of_layer(side) if is_layer(side) else side)
    if array.dtype.kind not in "biu":
        raise InputError(messages.NOT_LABELS)
    return array.astype(np.int32), None


def _origin(side: Any) -> TruthOrigin:
    """Return where labels came from, as they or their file state it."""
    if isinstance(side, SegmentedImage):
        return TruthOrigin.of_facts(side.provenance)
    if isinstance(side, (str, os.PathLike)):
        return truth_origin(Path(side))
    facts = side.metadata.get(ABOUT) if is_layer(side) else None
    return TruthOrigin.of_facts(facts if isinstance(facts, dict) else {})
