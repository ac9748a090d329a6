"""The counts of one tile, which add up over tiles and from which scores are computed."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.progress import Progress, run
from napari_snow_unet.metrics.scores import instance, messages, pixel
from napari_snow_unet.metrics.scores.boundary import average_hausdorff
from napari_snow_unet.metrics.scores.instance import InstanceCounts
from napari_snow_unet.metrics.scores.pixel import PixelCounts
from napari_snow_unet.metrics.scores.score_names import KEYS

Scores = dict[str, float | int | None]

STEPS = 3  # of `compare_steps`
HALF = 127  # grey level of the threshold 0.5, above which a pixel is nucleus


@dataclass(frozen=True)
class MapCounts:
    """Counts of an 8-bit probability map; counts of several tiles are added with ``+``."""

    histograms: NDArray[np.int64]  # (2, 256), from `histogram_counts`
    at_otsu: PixelCounts  # above the Otsu threshold of each tile
    otsu_level: int | None  # the threshold as a grey level; None for several tiles

    def __add__(self, other: MapCounts) -> MapCounts:
        """Add the counts of another tile."""
        return MapCounts(self.histograms + other.histograms, self.at_otsu + other.at_otsu, None)


@dataclass(frozen=True)
class TileCounts:
    """The counts of a tile, for all its scores; counts of several tiles are added with ``+``.

    Attributes
    ----------
    pixels : PixelCounts
        Pixels of the predicted labels.
    instances : InstanceCounts
        Nuclei.
    average_hausdorff : float or None
        In the unit of the spacing. Distances do not add up: None for several tiles.
    probability : MapCounts or None
        None if a tile has no probability map.
    """

    pixels: PixelCounts = field(default_factory=PixelCounts)
    instances: InstanceCounts = field(default_factory=InstanceCounts)
    average_hausdorff: float | None = None
    probability: MapCounts | None = None

    def __add__(self, other: TileCounts) -> TileCounts:
        """Add the counts of another tile."""
        both = None
        if self.probability is not None and other.probability is not None:
            both = self.probability + other.probability
        return TileCounts(self.pixels + other.pixels, self.instances + other.instances, None, both)

    def scores(self) -> Scores:
        """Compute all scores, in the order of `KEYS`; None if a score is undefined."""
        values: Scores = {
            **pixel.pixel_scores(self.pixels),
            **instance.instance_scores(self.instances),
        }
        values["auc"] = None
        if self.probability is not None:
            values["auc"] = pixel.roc_auc(self.probability.histograms)
        values["average_hausdorff"] = self.average_hausdorff
        return {key: values[key] for key in KEYS}

    def scores_at(self) -> dict[str, Scores]:
        """Compute the pixel scores of the map at ``otsu`` and ``0.5``; empty without a map."""
        if self.probability is None:
            return {}
        half = pixel.counts_above(self.probability.histograms, HALF)
        return {
            "otsu": dict(pixel.pixel_scores(self.probability.at_otsu)),
            "0.5": dict(pixel.pixel_scores(half)),
        }


def compare(
    prediction: NDArray[Any],
    truth: NDArray[Any],
    *,
    probability: NDArray[np.uint8] | None = None,
    otsu_level: int | None = None,
    region: NDArray[np.bool_] | None = None,
    spacing: Sequence[float] | float = 1.0,
) -> TileCounts:
    """Compare a predicted label image with the ground truth.

    Parameters
    ----------
    prediction, truth : array of int, shape (Y, X)
        Label images, 0 = background; separate the nuclei of masks first (`as_instances`).
    probability : array of uint8, shape (Y, X), optional
        Probability map of the prediction.
    otsu_level : int, optional
        Otsu's threshold of the whole map as a grey level; required with `probability`.
    region : array of bool, shape (Y, X), optional
        The annotated region; see `scores.overlap.find_overlaps` for nuclei at its edge.
    spacing : float or sequence of float, default: 1.0
        Size of a pixel along each axis, for the distance.

    Returns
    -------
    TileCounts

    Raises
    ------
    InputError
        If the shapes differ, the labels are not integers, or the map is not 8-bit.
    """
    return run(
        compare_steps(
            prediction,
            truth,
            probability=probability,
            otsu_level=otsu_level,
            region=region,
            spacing=spacing,
        )
    )


measure = compare  # its name in 0.1


def compare_steps(
    prediction: NDArray[Any],
    truth: NDArray[Any],
    *,
    probability: NDArray[np.uint8] | None = None,
    otsu_level: int | None = None,
    region: NDArray[np.bool_] | None = None,
    spacing: Sequence[float] | float = 1.0,
) -> Generator[Progress, None, TileCounts]:
    """Run `compare` in `STEPS` steps, between which it can be cancelled."""
    yield Progress(0, STEPS, messages.PIXELS_LABEL)
    counts = None
    if probability is not None:
        if otsu_level is None:
            raise ValueError("otsu_level is required with a probability map")
        counts = count_map(probability, truth, otsu_level, region)
    pixels = pixel.count_pixels(prediction, truth, region=region)
    yield Progress(1, STEPS, messages.NUCLEI_LABEL)
    instances = instance.count_instances(prediction, truth, region=region)
    yield Progress(2, STEPS, messages.DISTANCE_LABEL)
    distance = average_hausdorff(prediction, truth, spacing=spacing, region=region)
    return TileCounts(pixels, instances, distance, counts)


def count_map(
    probability: NDArray[np.uint8],
    truth: NDArray[Any],
    otsu_level: int,
    region: NDArray[np.bool_] | None,
) -> MapCounts:
    """Count the pixels of a probability map."""
    histograms = pixel.histogram_counts(probability, truth, region=region)
    return MapCounts(histograms, pixel.counts_above(histograms, otsu_level), otsu_level)


def pool(counts: Iterable[TileCounts]) -> TileCounts:
    """Add the counts of one or more tiles."""
    return reduce(add, counts)
