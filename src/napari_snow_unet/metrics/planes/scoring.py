"""Scores, error map and table of nuclei, plane by plane."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress, passed_on
from napari_snow_unet.base.scratch import zeros
from napari_snow_unet.data.pixels.axes import Index, Region
from napari_snow_unet.metrics.planes import messages
from napari_snow_unet.metrics.scores.objects import error_map, object_table
from napari_snow_unet.metrics.scores.score_names import KEYS
from napari_snow_unet.metrics.scores.summary import mean_scores
from napari_snow_unet.metrics.scores.tile import STEPS, Scores, TileCounts, compare_steps, pool


@dataclass(frozen=True)
class PlaneArrays:
    """The arrays of one plane, as `tile.compare` takes them."""

    prediction: NDArray[Any]
    truth: NDArray[Any]
    probability: NDArray[np.uint8] | None = None
    otsu_level: int | None = None


@dataclass(frozen=True)
class ScoredPlanes:
    """The comparison of the planes of a stack, or of a single plane."""

    counts: dict[Index, TileCounts]  # by the index in the leading axes, () for a single plane
    errors: NDArray[np.uint8]  # `error_map`, (..., Y, X), 0 in planes left out; on disk above 1 GB
    objects: dict[str, NDArray[Any]]  # `object_table`, and "plane" of shape (rows, leading axes)
    without_region: int = 0  # planes left out because the region is empty there
    assumed: str = ""  # about the values of the probability map, see `map_divisor`
    mask_notes: tuple[str, ...] = ()  # sentences that start with the name of the mask

    @property
    def empty_predictions(self) -> int:
        """Number of planes with nuclei in the truth and none in the prediction."""
        planes = [counts.instances for counts in self.counts.values()]
        return sum(plane.n_truth > 0 and plane.n_prediction == 0 for plane in planes)


def score_planes(
    read: Callable[[Index], PlaneArrays],
    planes: Sequence[Index],
    shape: tuple[int, ...],  # of the whole stack
    *,
    region: Region | None = None,
    spacing: Sequence[float] | float = 1.0,
) -> Generator[Progress, None, ScoredPlanes]:
    """Compare planes separately: the same id in two planes is not the same nucleus."""
    errors = zeros(shape, np.uint8)
    counts: dict[Index, TileCounts] = {}
    tables: list[dict[str, NDArray[Any]]] = []
    total = len(planes) * (STEPS + 1)
    for number, index in enumerate(planes):
        inside = None if region is None else region(index)
        if inside is not None and not inside.any():
            continue
        arrays = read(index)
        steps = compare_steps(
            arrays.prediction,
            arrays.truth,
            probability=arrays.probability,
            otsu_level=arrays.otsu_level,
            region=inside,
            spacing=spacing,
        )
        counts[index] = yield from _among(steps, number * (STEPS + 1), total, index)
        yield Progress(number * (STEPS + 1) + STEPS, total, _step(index, messages.ERRORS_LABEL))
        errors[index] = error_map(arrays.prediction, arrays.truth, region=inside)
        table = object_table(arrays.prediction, arrays.truth, spacing=spacing, region=inside)
        plane = np.tile(np.array(index, np.int64), (table["id"].size, 1))
        tables.append({**table, "plane": plane})
    if not counts:
        raise InputError(messages.NO_PIXEL_INSIDE)
    yield Progress(total, total, messages.DONE_LABEL)
    objects = {key: np.concatenate([table[key] for table in tables]) for key in tables[0]}
    return ScoredPlanes(counts, errors, objects, len(planes) - len(counts))


def score_sets(scored: ScoredPlanes, name: str) -> dict[str, Scores]:
    """Return scores by name; for several slices pooled, mean and the scores of each."""
    tiles = {plane_name(index): each.scores() for index, each in scored.counts.items()}
    pooled = pool(scored.counts.values())
    at = {
        f"at {'Otsu' if level == 'otsu' else level}": {**dict.fromkeys(KEYS), **scores}
        for level, scores in pooled.scores_at().items()
    }
    if len(tiles) == 1:
        ((plane, scores),) = tiles.items()
        return {plane or name: scores, **at}  # a single image has no name for its plane
    means: Scores = {key: mean.value for key, mean in mean_scores(tiles).items()}
    return {
        "pooled": {**pooled.scores(), "average_hausdorff": None},
        **{f"pooled {level}": scores for level, scores in at.items()},
        "mean": means,
        **tiles,
    }


def scored_slices(scored: ScoredPlanes) -> str:
    """Return the slices of the first of the `score_sets` in words; empty for a single image."""
    if () in scored.counts:
        return ""
    if len(scored.counts) == 1:
        return plane_name(next(iter(scored.counts)))
    return f"{len(scored.counts):,} slices pooled"


def plane_name(index: Index) -> str:
    """Return the name of a plane, counted from 0 as in the viewer; empty for a single image."""
    return "slice " + ", ".join(map(str, index)) if index else ""


def _step(index: Index, text: str) -> str:
    return f"{text}, {plane_name(index)}" if index else text


def _among(
    steps: Generator[Progress, None, TileCounts], before: int, total: int, index: Index
) -> Generator[Progress, None, TileCounts]:
    """Report the progress of one plane as a part of all."""
    return passed_on(
        steps, lambda step: Progress(before + step.done, total, _step(index, step.message))
    )
