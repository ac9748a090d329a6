"""Which predictions are compared with which ground truths, and how."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.dataset_info import masks_in
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.metrics.files import messages
from napari_snow_unet.metrics.files.matching import (
    Item,
    Truth,
    find_predictions,
    find_probabilities,
    find_truths,
    renamed_to_images,
    renamed_to_tiles,
    several_formats,
)


@dataclass(frozen=True)
class EvaluationTask:
    """The files that are compared, by the name of the tile, and how they are read."""

    name: str  # of the prediction
    predictions: Mapping[str, Path]
    truths: Mapping[str, Truth]
    probabilities: Mapping[str, Path] | None = None
    regions: Path | Mapping[str, Path] | None = None  # annotated: one for all tiles, or for each
    pixel_size_um: float | None = None  # None: distances in pixels
    predictions_are: MasksAre | None = None  # None: `judge_mask` decides
    truths_are: MasksAre | None = None
    notes: tuple[str, ...] = ()  # about files chosen among several


def make_task(
    prediction: Path,
    truth: Path,
    *,
    probability: Path | None = None,
    subset: str | None = None,
    region: Path | None = None,
    pixel_size_um: float | None = None,
    masks_are: MasksAre | None = None,
    predictions_are: MasksAre | None = None,
) -> EvaluationTask:
    """Find the files that belong together; two single files may have any names."""
    if region is not None and not region.exists():
        raise InputError(messages.NO_REGION, path=region)
    layout: list[str] = []
    predictions = find_predictions(prediction)
    truths = find_truths(truth, subset=subset, notes=layout)
    as_tiles = partial(renamed_to_tiles, dataset=truth, wanted=tuple(truths))
    predictions = as_tiles(predictions)
    maps = None if probability is None else as_tiles(find_probabilities(probability))
    regions: Path | dict[str, Path] | None = region
    if region is not None and region.is_dir():
        regions = as_tiles(find_predictions(region))
    if prediction.is_file() and truth.is_file() and len(predictions) == len(truths) == 1:
        (name,) = predictions
        truths = _renamed(name, truths)
        maps = maps if maps is None else _renamed(name, maps)
    elif prediction.is_file():
        truths = _with_names(truths, predictions)
    elif truth.is_file():
        predictions = _with_names(predictions, truths)
    predictions = renamed_to_images(predictions, truths)
    truths = renamed_to_images(truths, predictions)
    notes = filter(None, map(several_formats, dict.fromkeys([prediction, truth])))
    return EvaluationTask(
        prediction.stem if prediction.is_file() else prediction.resolve().name,
        predictions,
        truths,
        maps,
        regions,
        pixel_size_um,
        # The dataset.json of a prepared dataset takes precedence.
        masks_in(prediction) or predictions_are or masks_are,
        masks_in(truth) or masks_are,
        () if subset is not None else (*layout, *notes),
    )


def _renamed(name: str, items: dict[str, Item]) -> dict[str, Item]:
    """Give a single file the name of its counterpart; several files keep theirs."""
    return dict(zip([name], items.values(), strict=True)) if len(items) == 1 else items


def _with_names(items: dict[str, Item], names: Collection[str]) -> dict[str, Item]:
    """Return the items with one of these names, or all if there are none."""
    return {name: item for name, item in items.items() if name in names} or items
