"""Arrays against arrays, plane by plane: scores, the error map and the table of nuclei."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.progress import Progress, passed_on
from napari_snow_unet.base.scratch import zeros
from napari_snow_unet.data.pixels.axes import Index, Region
from napari_snow_unet.metrics.planes.region import nothing_annotated
from napari_snow_unet.metrics.scores.objects import error_map, object_table
from napari_snow_unet.metrics.scores.score_names import KEYS
from napari_snow_unet.metrics.scores.summary import mean_scores
from napari_snow_unet.metrics.scores.tile import STEPS, Measures, Scores, measure_steps, pool


@dataclass(frozen=True)
class PlaneArrays:
    """The arrays of one plane, as `tile.measure` takes them."""

    prediction: NDArray[Any]
    truth: NDArray[Any]
    probability: NDArray[np.uint8] | None = None
    otsu_level: int | None = None


@dataclass(frozen=True)
class MeasuredPlanes:
    """What was measured in the planes of a stack, or in an image that is one plane."""

    measures: dict[Index, Measures]  # by the index in the leading axes, () for a single plane
    errors: NDArray[np.uint8]  # `error_map`, (..., Y, X), 0 in other planes; on disk above 1 GB
    objects: dict[str, NDArray[Any]]  # `object_table`, and "plane" of shape (rows, leading axes)
    without_region: int = 0  # planes left out because nothing was annotated in them
    assumed: str = ""  # of the values of the probability map, see `map_divisor`
    mask_notes: tuple[str, ...] = ()  # sentences that begin with the name of the mask

    @property
    def empty_predictions(self) -> int:
        """Number of planes that have nuclei in the truth and none in the prediction."""
        counts = [measures.instances for measures in self.measures.values()]
        return sum(count.n_truth > 0 and count.n_prediction == 0 for count in counts)


def measure_planes(
    read: Callable[[Index], PlaneArrays],
    planes: Sequence[Index],
    shape: tuple[int, ...],  # of the whole stack
    *,
    region: Region | None = None,
    spacing: Sequence[float] | float = 1.0,
) -> Generator[Progress, None, MeasuredPlanes]:
    """Measure planes, each by itself: the same id in two planes is not the same nucleus."""
    errors = zeros(shape, np.uint8)
    measures: dict[Index, Measures] = {}
    tables: list[dict[str, NDArray[Any]]] = []
    total = len(planes) * (STEPS + 1)
    for number, index in enumerate(planes):
        inside = None if region is None else region(index)
        if inside is not None and not inside.any():
            continue
        arrays = read(index)
        steps = measure_steps(
            arrays.prediction,
            arrays.truth,
            probability=arrays.probability,
            otsu_level=arrays.otsu_level,
            region=inside,
            spacing=spacing,
        )
        measures[index] = yield from _among(steps, number * (STEPS + 1), total, index)
        yield Progress(number * (STEPS + 1) + STEPS, total, _said(index, "errors"))
        errors[index] = error_map(arrays.prediction, arrays.truth, region=inside)
        table = object_table(arrays.prediction, arrays.truth, spacing=spacing, region=inside)
        plane = np.tile(np.array(index, np.int64), (table["id"].size, 1))
        tables.append({**table, "plane": plane})
    if not measures:
        raise nothing_annotated()
    yield Progress(total, total, "done")
    objects = {key: np.concatenate([table[key] for table in tables]) for key in tables[0]}
    return MeasuredPlanes(measures, errors, objects, len(planes) - len(measures))


def score_sets(measured: MeasuredPlanes, name: str) -> dict[str, Scores]:
    """Name the scores: of several slices the pooled ones, the mean and those of each."""
    tiles = {plane_name(index): each.scores() for index, each in measured.measures.items()}
    pooled = pool(measured.measures.values())
    at = {
        f"at {'Otsu' if level == 'otsu' else level}": {**dict.fromkeys(KEYS), **scores}
        for level, scores in pooled.scores_at().items()
    }
    if len(tiles) == 1:
        ((plane, scores),) = tiles.items()
        return {plane or name: scores, **at}  # an image that is no stack has no name for its plane
    means: Scores = {key: mean.value for key, mean in mean_scores(tiles).items()}
    return {
        "pooled": {**pooled.scores(), "average_hausdorff": None},
        **{f"pooled {level}": scores for level, scores in at.items()},
        "mean": means,
        **tiles,
    }


def measured_slices(measured: MeasuredPlanes) -> str:
    """Say of which slices the first of the `score_sets` is; empty for an image that is no stack."""
    if () in measured.measures:
        return ""
    if len(measured.measures) == 1:
        return plane_name(next(iter(measured.measures)))
    return f"{len(measured.measures):,} slices pooled"


def plane_name(index: Index) -> str:
    """Name a plane by the numbers that a viewer shows under it, from 0; empty for a single one."""
    return "slice " + ", ".join(map(str, index)) if index else ""


def _said(index: Index, text: str) -> str:
    return f"{plane_name(index)}: {text}" if index else text


def _among(
    steps: Generator[Progress, None, Measures], before: int, total: int, index: Index
) -> Generator[Progress, None, Measures]:
    """Pass on the progress of one plane as that of all."""
    return passed_on(
        steps, lambda step: Progress(before + step.done, total, _said(index, step.message))
    )
