"""Files against files: tiles are read, measured and let go in turn; each slice counts as a tile."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.masks.notes import Note
from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.metrics.files.evaluation_task import EvaluationTask
from napari_snow_unet.metrics.files.reading import ComparedArrays, read_map, read_tile
from napari_snow_unet.metrics.planes.measuring import plane_name
from napari_snow_unet.metrics.scores.tile import Measures, Scores, measure

OtsuLevel = Callable[[NDArray[np.int64]], int]  # of a histogram of 256 values


@dataclass
class Evaluation:
    """What came out, by tile; a stack has a name for each slice in which anything counts."""

    task: EvaluationTask
    tiles: dict[str, Scores] = field(default_factory=dict)
    # Name of the files, and the index in a stack, else ().
    planes: dict[str, tuple[str, Index]] = field(default_factory=dict)
    # Of the probability map, at Otsu's level ("otsu") and at "0.5".
    tiles_at: dict[str, dict[str, Scores]] = field(default_factory=dict)
    pooled: Measures = field(default_factory=Measures)
    missing: list[str] = field(default_factory=list)  # truths without a prediction
    without_truth: list[str] = field(default_factory=list)  # predictions that are not looked at
    without_probability: list[str] = field(default_factory=list)  # where maps were given
    assumed: dict[str, str] = field(default_factory=dict)  # of the values of probability maps
    # What was left out of prediction and truth or assumed of them.
    noted: dict[str, tuple[Note, ...]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)  # with the reason

    @property
    def pooled_scores(self) -> Scores:
        """Scores of all tiles together; a distance does not pool, not even of one tile."""
        return {**self.pooled.scores(), "average_hausdorff": None}

    @property
    def complete(self) -> bool:
        """Whether every truth was measured, with its probability map where maps were given."""
        return not (self.missing or self.failed or self.without_probability)

    @property
    def has_pixels(self) -> bool:
        """Whether anything was measured; nothing is where a region leaves no pixel inside."""
        return self.pooled.pixels.total > 0


def evaluate(task: EvaluationTask, otsu_level: OtsuLevel) -> Generator[Progress, None, Evaluation]:
    """Measure what has prediction and truth; a tile that fails is named, the others are done."""
    names = [name for name in task.truths if name in task.predictions]
    result = Evaluation(task)
    result.missing = [name for name in task.truths if name not in task.predictions]
    result.without_truth = [name for name in task.predictions if name not in task.truths]
    if not names:
        raise _nothing_matches(task)
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
            _add(result, name, index, _measure(task, tile.plane(index), grey, otsu_level))
    measured = len(names) - len(result.failed)
    yield Progress(len(names), len(names), f"{measured} of {len(names)} tiles")
    if not result.tiles:
        raise InputError(
            f"none of the {len(names)} tiles of {task.name} could be measured",
            expected="a prediction, a truth and, if asked for, a region for each",
            remedy="The first says: " + next(iter(result.failed.values())),
            helps=helps,
        )
    return result


def _read(result: Evaluation, name: str) -> tuple[ComparedArrays, NDArray[np.uint8] | None]:
    """Read a tile and its probability map; note what is assumed of them, or that it lacks one."""
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


def _measure(
    task: EvaluationTask,
    plane: ComparedArrays,
    probability: NDArray[np.uint8] | None,
    otsu_level: OtsuLevel,
) -> Measures:
    level = None
    if probability is not None:
        level = otsu_level(np.bincount(probability.ravel(), minlength=256))
    return measure(
        plane.prediction,
        plane.truth,
        probability=probability,
        otsu_level=level,
        region=plane.region,
        spacing=task.pixel_size_um or 1.0,
    )


def _add(result: Evaluation, name: str, index: Index, measures: Measures) -> None:
    row = _row_name(name, index)
    result.pooled = result.pooled + measures if result.tiles else measures
    result.tiles[row] = measures.scores()
    result.planes[row] = name, index
    if measures.probability is not None:
        result.tiles_at[row] = measures.scores_at()


def _row_name(name: str, index: Index) -> str:
    return f"{name}: {plane_name(index)}" if index else name


def _nothing_matches(task: EvaluationTask) -> InputError:
    some = ", ".join(list(task.predictions)[:3])
    others = ", ".join(list(task.truths)[:3])
    return InputError(
        f"no prediction of {task.name} has the name of a truth (it has {some})",
        expected=f"names such as {others}",
        remedy="Give prediction and truth the name of their image, or compare two single files.",
    )
