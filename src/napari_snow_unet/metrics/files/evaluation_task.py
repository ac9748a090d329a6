"""What is compared with what."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.dataset_info import masks_in
from napari_snow_unet.data.masks.judgement import MasksAre
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
    """What is compared, by the name of the tile, and how."""

    name: str  # of the prediction
    predictions: Mapping[str, Path]
    truths: Mapping[str, Truth]
    probabilities: Mapping[str, Path] | None = None
    regions: Path | Mapping[str, Path] | None = None  # annotated: for all tiles, or for each
    pixel_size_um: float | None = None  # distances are in pixels without it
    predictions_are: MasksAre | None = None  # None: `judge_mask` tells
    truths_are: MasksAre | None = None
    notes: tuple[str, ...] = ()  # what was chosen where there was a choice


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
    """Find the files that belong together; of two single files the names do not matter."""
    if region is not None and not region.exists():
        raise InputError(
            "there is no such file or folder",
            expected="a mask or GeoJSON of what was annotated, or a folder of them",
            remedy="Check the spelling.",
            helps=("region",),
            path=region,
        )
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
        truths = _called(name, truths)
        maps = maps if maps is None else _called(name, maps)
    elif prediction.is_file():
        truths = _those_of(truths, predictions)
    elif truth.is_file():
        predictions = _those_of(predictions, truths)
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
        # What the dataset.json of a prepared dataset says goes first.
        masks_in(prediction) or predictions_are or masks_are,
        masks_in(truth) or masks_are,
        () if subset is not None else (*layout, *notes),
    )


def _called(name: str, found: dict[str, Item]) -> dict[str, Item]:
    """Give a single file the name of what it is compared with; several keep theirs."""
    return dict(zip([name], found.values(), strict=True)) if len(found) == 1 else found


def _those_of(found: dict[str, Item], names: Collection[str]) -> dict[str, Item]:
    """Return what has one of these names; all, if nothing has."""
    return {name: item for name, item in found.items() if name in names} or found
