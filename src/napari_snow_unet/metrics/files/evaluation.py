"""Scores of files against files, tile by tile; each slice of a stack counts as a tile."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.masks.notes import Note
from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.metrics.files import messages
from napari_snow_unet.metrics.files.evaluation_task import EvaluationTask
from napari_snow_unet.metrics.files.reading import ComparedArrays, read_map, read_tile
from napari_snow_unet.metrics.planes.scoring import plane_name
from napari_snow_unet.metrics.scores.tile import Scores, TileCounts, compare

OtsuLevel = Callable[[NDArray[np.int64]], int]  # of a histogram of 256 values


@dataclass
class Evaluation:
    """Scores by tile; a stack has an entry for each slice with annotated pixels."""

    task: EvaluationTask
    tiles: dict[str, Scores] = field(default_factory=dict)
    # By tile: the name of its files, and the index in a stack, else ().
    planes: dict[str, tuple[str, Index]] = field(default_factory=dict)
    # Of the probability map, at the thresholds "otsu" and "0.5".
    tiles_at: dict[str, dict[str, Scores]] = field(default_factory=dict)
    pooled: TileCounts = field(default_factory=TileCounts)
    missing: list[str] = field(default_factory=list)  # truths without a prediction
    without_truth: list[str] = field(default_factory=list)  # predictions left out
    without_probability: list[str] = field(default_factory=list)  # only if maps were given
    assumed: dict[str, str] = field(default_factory=dict)  # about values of probability maps
    # About prediction and ground truth: assumptions, pixels left out, origin.
    noted: dict[str, tuple[Note, ...]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)  # the reason by tile

    @property
    def pooled_scores(self) -> Scores:
        """Scores of all tiles pooled, without the distance, which cannot be pooled."""
        return {**self.pooled.scores(), "average_hausdorff": None}

    @property
    def complete(self) -> bool:
        """Whether every ground truth was scored, with its probability map if maps were given."""
        return not (self.missing or self.failed or self.without_probability)

    @property
    def has_pixels(self) -> bool:
        """Whether any pixel was scored; a region may contain none."""
        return self.pooled.pixels.total > 0


def evaluate(task: EvaluationTask, otsu_level: OtsuLevel) -> Generator[Progress, None, Evaluation]:
    """Score tiles with prediction and ground truth; failures are recorded, the others scored."""
    names = [name for name in task.truths if name in task.predictions]
    result = Evaluation(task)
    result.missing = [name for name in task.truths if name not in task.predictions]
    result.without_truth = [name for name in task.predictions if name not in task.truths]
    if not names:
        some, others = tuple(task.predictions)[:3], tuple(task.truths)[:3]
        raise InputError(messages.no_common_name(task.name, some, others))
    helps: tuple[str, ...] = ()
    for done, name in enumerate(names):
        yield Progress(done, len(names), name)
        try:
            tile, probability = _read(result, name)
        except InputError as error:
            result.failed[name] = error.text()
            helps = error.helps if len(result.failed) == 1 else helps
            continue
        for index in tile.planes:
            if index:
                yield Progress(done, len(names), _row_name(name, index))
            grey = None if probability is None else probability[index]
            _add(result, name, index, _compare(task, tile.plane(index), grey, otsu_level))
    scored = len(names) - len(result.failed)
    yield Progress(len(names), len(names), f"{scored} of {len(names)} tiles")
    if not result.tiles:
        reason = next(iter(result.failed.values()))
        raise InputError(messages.nothing_scored(len(names), task.name, reason, helps))
    return result


def _read(result: Evaluation, name: str) -> tuple[ComparedArrays, NDArray[np.uint8] | None]:
    """Read a tile and its probability map, and record notes, assumptions and missing maps."""
    tile, maps = read_tile(result.task, name), result.task.probabilities
    if tile.notes:
        result.noted[name] = tile.notes
    if maps is None:
        return tile, None
    if name not in maps:
        result.without_probability.append(name)
        return tile, None
    probability, assumed = read_map(maps[name], tile.truth.shape)
    if assumed:
        result.assumed[name] = assumed
    return tile, probability


def _compare(
    task: EvaluationTask,
    plane: ComparedArrays,
    probability: NDArray[np.uint8] | None,
    otsu_level: OtsuLevel,
) -> TileCounts:
    level = None
    if probability is not None:
        level = otsu_level(np.bincount(probability.ravel(), minlength=256))
    return compare(
        plane.prediction,
        plane.truth,
        probability=probability,
        otsu_level=level,
        region=plane.region,
        spacing=task.pixel_size_um or 1.0,
    )


def _add(result: Evaluation, name: str, index: Index, counts: TileCounts) -> None:
    row = _row_name(name, index)
    result.pooled = result.pooled + counts if result.tiles else counts
    result.tiles[row] = counts.scores()
    result.planes[row] = name, index
    if counts.probability is not None:
        result.tiles_at[row] = counts.scores_at()


def _row_name(name: str, index: Index) -> str:
    return f"{name}: {plane_name(index)}" if index else name
