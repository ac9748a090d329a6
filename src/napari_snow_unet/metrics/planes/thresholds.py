"""Pixel scores at every threshold of a probability map, counted once."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.pixels.axes import Index, Region
from napari_snow_unet.data.pixels.channels import LEVELS
from napari_snow_unet.metrics.planes import messages
from napari_snow_unet.metrics.planes.scoring import PlaneArrays, ScoredPlanes
from napari_snow_unet.metrics.scores.messages import PIXELS_LABEL
from napari_snow_unet.metrics.scores.pixel import counts_above, pixel_scores
from napari_snow_unet.metrics.scores.tile import MapCounts, Scores, count_map


@dataclass(frozen=True, eq=False)
class LevelCounts:
    """Counts of a probability map above every grey level, over one or more planes."""

    counts: MapCounts  # summed over planes, each with its own Otsu threshold
    otsu_threshold: float  # 0 to 1, averaged over planes

    def scores_above(self, level: int | None) -> Scores:
        """Compute the pixel scores of the mask above a grey level; None is Otsu's threshold."""
        if level is None:
            return dict(pixel_scores(self.counts.at_otsu))
        return dict(pixel_scores(counts_above(self.counts.histograms, level)))


def levels_of(scored: ScoredPlanes) -> LevelCounts | None:
    """Return the counts of a comparison of a probability map; None for labels."""
    counts = [each.probability for each in scored.counts.values()]
    return _summed([each for each in counts if each is not None])


def count_levels(
    read: Callable[[Index], PlaneArrays], planes: Sequence[Index], *, region: Region | None = None
) -> Generator[Progress, None, LevelCounts]:
    """Count the pixels of a probability map above every grey level, in true nuclei and outside."""
    counts = []
    for done, index in enumerate(planes):
        yield Progress(done, len(planes), PIXELS_LABEL)
        arrays = read(index)
        assert arrays.probability is not None
        assert arrays.otsu_level is not None
        inside = None if region is None else region(index)
        counts.append(count_map(arrays.probability, arrays.truth, arrays.otsu_level, inside))
    result = _summed(counts)
    if result is None:
        raise InputError(messages.NO_SLICE)
    return result


def _summed(counts: Sequence[MapCounts]) -> LevelCounts | None:
    if not counts:
        return None
    levels = [each.otsu_level for each in counts if each.otsu_level is not None]
    return LevelCounts(reduce(add, counts), float(np.mean(levels)) / (LEVELS - 1))
