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
    """What was measured in the planes of a stack, or in an image that is one plane.

    Parameters
    ----------
    measures : dict from tuple of int to Measures
        By the index in the leading axes.
    errors : array of uint8, shape (..., Y, X)
        `scores.objects.error_map` of these planes, 0 in others. On disk when larger than 1 GB.
    objects : dict of str to array
        `scores.objects.object_table` of all planes, and ``plane`` of shape (rows, leading axes).
    without_region : int
        Planes that were left out because nothing was annotated in them.
    assumed : str
        What was assumed of the values of the probability map, see `pixels.channels.map_divisor`.
    mask_notes : tuple of str
        What was assumed of masks, each a sentence that begins with the name.
    """

    measures: dict[Index, Measures]
    errors: NDArray[np.uint8]
    objects: dict[str, NDArray[Any]]
    without_region: int = 0
    assumed: str = ""
    mask_notes: tuple[str, ...] = ()

    @property
    def empty_predictions(self) -> int:
        """Number of planes that have nuclei in the truth and none in the prediction."""
        counts = [measures.instances for measures in self.measures.values()]
        return sum(count.n_truth > 0 and count.n_prediction == 0 for count in counts)


def measure_planes(
    read: Callable[[Index], PlaneArrays],
    planes: Sequence[Index],
    shape: tuple[int, ...],
    *,
    region: Region | None = None,
    spacing: Sequence[float] | float = 1.0,
) -> Generator[Progress, None, MeasuredPlanes]:
    """Measure planes, each by itself: the same id in two planes is not the same nucleus.

    Parameters
    ----------
    read : callable
        Gives the arrays of a plane.
    planes : sequence of tuple of int
        Indices into the leading axes; ``()`` for an image that is one plane.
    shape : tuple of int
        Shape of the whole stack.
    region : callable, optional
        Gives the pixels of a plane that count. Planes without any are left out.
    spacing : float or sequence of float, default: 1.0
        Size of a pixel along the two axes of a plane, for distances and areas.

    Yields
    ------
    Progress
        Before every step of every plane, and at the end.

    Returns
    -------
    MeasuredPlanes

    Raises
    ------
    InputError
        If the shapes differ, labels are not integers, or nothing was annotated anywhere.
    """
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
    """Name the scores of a measurement: of several slices the pooled, the mean and those of each.

    Parameters
    ----------
    measured : MeasuredPlanes
        What was measured.
    name : str
        What the scores of an image that is one plane are called; those of a single slice of a stack
        are called after the slice.

    Returns
    -------
    dict of str to dict
        All of `KEYS` each. With a probability map also the pixel scores at Otsu's level and
        at 0.5, called ``at Otsu`` and ``at 0.5``.
    """
    tiles = {plane_name(index): each.scores() for index, each in measured.measures.items()}
    pooled = pool(measured.measures.values())
    at = {
        f"at {'Otsu' if level == 'otsu' else level}": {**dict.fromkeys(KEYS), **scores}
        for level, scores in pooled.scores_at().items()
    }
    if len(tiles) == 1:
        ((plane, scores),) = tiles.items()
        return {plane or name: scores, **at}
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
