"""Scores of predictions against ground truth, for the API."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.api import messages
from napari_snow_unet.api.calls import ShowProgress, blocks, finish, steps, takes
from napari_snow_unet.api.files import read_labels
from napari_snow_unet.api.inputs import data_of_layer, is_layer, refuse_folder
from napari_snow_unet.api.results import SegmentedImage
from napari_snow_unet.api.scores import FolderScores, ImageScores
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.annotations.annotation_files import is_annotation_path
from napari_snow_unet.data.formats.label_images import read_mask_file
from napari_snow_unet.data.masks.judgement import Judgement, MasksAre
from napari_snow_unet.data.masks.mask_kinds import judge_mask
from napari_snow_unet.data.pixels.channels import map_divisor, map_of_8_bits
from napari_snow_unet.metrics.files.evaluation import evaluate as evaluated
from napari_snow_unet.metrics.files.evaluation_task import make_task
from napari_snow_unet.metrics.files.reading import read_map
from napari_snow_unet.metrics.scores.tile import measure, pool
from napari_snow_unet.segmentation.plane.threshold import grey_histogram, otsu_level


@takes()
def evaluate(
    prediction: Any,
    truth: Any,
    *,
    probability: NDArray[Any] | str | os.PathLike[str] | None = None,
    region: NDArray[Any] | str | os.PathLike[str] | None = None,
    pixel_size_um: float | None = None,
    instances: bool = False,
) -> ImageScores:
    """Score predicted nuclei against the ground truth.

    Parameters
    ----------
    prediction, truth : ndarray of int or bool, path-like, SegmentedImage or napari layer
        Of one shape, (Y, X) or (..., Y, X). Every number above 0 is a nucleus; the connected
        components of a binary mask are its nuclei. Planes of a stack are pooled.
    probability : ndarray or path-like, optional
        Probability map of the prediction, for the ROC-AUC; a `SegmentedImage` brings its own.
    region : ndarray or path-like, optional
        What was annotated: pixels that are not 0 count. By default all.
    pixel_size_um : float, optional
        Micrometres per pixel, for the distance; in pixels without it.
    instances : bool, default: False
        Take a mask with a single value as one nucleus.

    Returns
    -------
    ImageScores
        A mapping: "dice", "iou", "precision", "recall", "pq", "aji" and the others of
        docs/metrics.md, with ``messages``.

    Raises
    ------
    InputError
        If the shapes differ, or one of them is not a label image or mask.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_snow_unet as snow
    >>> truth = np.zeros((20, 20), int)
    >>> truth[5:10, 5:10] = 1
    >>> snow.evaluate(truth, truth)["dice"]
    1.0
    """
    masks_are: MasksAre | None = "labels" if instances else None
    if _is_outlines(prediction):
        annotated = _judged(truth, None, masks_are)
        predicted = _judged(prediction, annotated.labels.shape[-2:], masks_are)
    else:
        predicted = _judged(prediction, _plane_of(truth), masks_are)
        annotated = _judged(truth, predicted.labels.shape[-2:], masks_are)
    labels, reference = predicted.nuclei(), annotated.nuclei()
    if labels.shape != reference.shape:
        raise InputError(messages.other_shapes(labels.shape, reference.shape))
    if probability is None and isinstance(prediction, SegmentedImage):
        probability = prediction.probability
    maps = None if probability is None else _map(probability, labels.shape)
    inside = annotated.region if region is None else _region(region, labels.shape[-2:])
    inside = None if inside is None else np.broadcast_to(inside, labels.shape)
    planes = [
        measure(
            labels[index],
            reference[index],
            probability=None if maps is None else maps[index],
            otsu_level=None if maps is None else otsu_level(grey_histogram(maps[index])),
            region=None if inside is None else inside[index],
            spacing=pixel_size_um or 1.0,
        )
        for index in np.ndindex(labels.shape[:-2])
    ]
    texts = [
        f"{side}: {str(note).rstrip('.')}."
        for side, judged in (("Prediction", predicted), ("Ground truth", annotated))
        for note in judged.notes
    ]
    return ImageScores(pool(planes).scores(), texts)


def _is_outlines(side: Any) -> bool:
    return isinstance(side, (str, os.PathLike)) and is_annotation_path(Path(side))


def _plane_of(side: Any) -> tuple[int, int] | None:
    """Return height and width of what is in memory; None of a file."""
    if isinstance(side, (str, os.PathLike)):
        return None
    height, width = np.shape(_array_of(side))[-2:]
    return height, width


def _array_of(side: Any) -> Any:
    if isinstance(side, SegmentedImage):
        return side.labels
    array = data_of_layer(side) if is_layer(side) else side
    array = array if hasattr(array, "dtype") else np.asarray(array)
    if array.dtype.kind in "OUSV":
        raise InputError(messages.NOT_LABELS)
    return array


def _judged(side: Any, shape: tuple[int, ...] | None, masks_are: MasksAre | None) -> Judgement:
    """Read labels or a mask, and decide what its numbers mean."""
    if isinstance(side, (str, os.PathLike)):
        refuse_folder(side)
        plane = None if shape is None else (shape[-2], shape[-1])
        return read_mask_file(side, plane, stack=True, masks_are=masks_are)
    if isinstance(side, SegmentedImage) and side.options.output == "nuclei":
        masks_are = "labels"
    return judge_mask(np.asarray(_array_of(side)), masks_are).taken()


def _map(
    probability: NDArray[Any] | str | os.PathLike[str], shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    if isinstance(probability, (str, os.PathLike)):
        return read_map(Path(probability), shape)[0]
    return map_of_8_bits(np.asarray(probability), map_divisor(probability)[0])


def _region(
    region: NDArray[Any] | str | os.PathLike[str], shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    if isinstance(region, (str, os.PathLike)):
        region = read_labels(region, (shape[-2], shape[-1]))
    return np.asarray(region) != 0


@steps()
def evaluate_folder_steps(
    prediction: str | os.PathLike[str],
    truth: str | os.PathLike[str],
    *,
    probability: str | os.PathLike[str] | None = None,
    region: str | os.PathLike[str] | None = None,
    subset: str | None = None,
    pixel_size_um: float | None = None,
    masks_are: MasksAre | None = None,
    predictions_are: MasksAre | None = None,
) -> Generator[Progress, None, FolderScores]:
    """Score a folder of predictions step by step.

    Parameters
    ----------
    prediction, truth, probability, region, subset, pixel_size_um, masks_are, predictions_are
        See `evaluate_folder`.

    Yields
    ------
    Progress
        Before every tile.

    Returns
    -------
    FolderScores
        As `evaluate_folder` returns it, when the generator ends.
    """
    task = make_task(
        Path(prediction),
        Path(truth),
        probability=None if probability is None else Path(probability),
        subset=subset,
        region=None if region is None else Path(region),
        pixel_size_um=pixel_size_um,
        masks_are=masks_are,
        predictions_are=predictions_are,
    )
    return FolderScores((yield from evaluated(task, otsu_level)))


@blocks(evaluate_folder_steps)
def evaluate_folder(
    prediction: str | os.PathLike[str],
    truth: str | os.PathLike[str],
    *,
    progress: ShowProgress = None,
    **options: Any,
) -> FolderScores:
    """Score a folder of predictions against the ground truth; files are matched by name.

    Parameters
    ----------
    prediction : path-like
        Folder (or file) of label images, masks, ``.mat`` or outlines, such as `segment_folder`
        writes.
    truth : path-like
        Prepared dataset, folder with masks, or file.
    progress : callable or True, optional
        Called with a `Progress` before every tile; True shows a progress bar.
    probability : path-like, optional
        Folder of the probability maps, for the ROC-AUC.
    region : path-like, optional
        Mask or GeoJSON of what was annotated, or a folder with one per tile.
    subset : {"train", "val", "test"}, optional
        Score only this subset of a prepared dataset.
    pixel_size_um : float, optional
        Micrometres per pixel, for the distance; in pixels without it.
    masks_are, predictions_are : {"labels", "binary", "classes"}, optional
        What masks hold; by default judged by their values.

    Returns
    -------
    FolderScores
        ``tiles``, ``pooled`` and ``mean`` scores, ``failed``, ``messages``, and ``write(folder)``
        for a report. Every slice of a stack counts as a tile.

    Raises
    ------
    InputError
        If nothing matches, or no tile can be scored.
    TypeError
        If there is no such option.
    """
    return finish(evaluate_folder_steps(prediction, truth, **options), progress)
