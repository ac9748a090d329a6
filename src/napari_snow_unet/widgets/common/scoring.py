"""The comparison of layers that runs in a thread: plain arrays and values in, results out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.masks.mask_kinds import judge_mask
from napari_snow_unet.data.masks.notes import NOTHING
from napari_snow_unet.data.pixels.axes import Index, Region
from napari_snow_unet.data.pixels.channels import map_divisor, map_of_8_bits
from napari_snow_unet.metrics.planes.scoring import (
    PlaneArrays,
    ScoredPlanes,
    plane_name,
    score_planes,
)
from napari_snow_unet.metrics.planes.thresholds import LevelCounts, count_levels
from napari_snow_unet.metrics.scores.instance import as_instances
from napari_snow_unet.segmentation.plane.threshold import choose_level, grey_histogram
from napari_snow_unet.widgets.common import messages


@dataclass(frozen=True, eq=False)
class Comparison:
    """A prediction, its ground truth, and how to compare them."""

    prediction: Any  # labels (..., Y, X), or a probability map of any data type and range
    truth: Any  # labels
    planes: Sequence[Index]
    threshold: float | Literal["otsu"] | None = None  # None for labels; "otsu" is one of each plane
    floor: float = 0.0  # lower bound of the Otsu threshold
    are: tuple[MasksAre | None, MasksAre | None] = (None, None)  # None: detected from the values
    region: Region | None = None  # outside of which nothing counts
    spacing_um: tuple[float, float] | None = None  # of pixels; without it distances are in pixels
    names: tuple[str, str] = ("the prediction", "the ground truth")  # in errors


def compare(chosen: Comparison) -> Generator[Progress, None, ScoredPlanes]:
    """Compare a prediction with ground truth, as `planes.scoring.score_planes`."""
    yield Progress(0, 0, messages.READING)
    notes: dict[str, None] = {}
    read, assumed = _reader(chosen, notes)
    scored = yield from score_planes(
        read,
        chosen.planes,
        tuple(chosen.truth.shape),
        region=chosen.region,
        spacing=chosen.spacing_um or 1.0,
    )
    return replace(scored, assumed=assumed, mask_notes=tuple(notes))


def count(chosen: Comparison) -> Generator[Progress, None, LevelCounts | str]:
    """Count pixels for the scores of a probability map at every threshold, or say why not."""
    yield Progress(0, 0, messages.READING)
    try:
        return (
            yield from count_levels(_reader(chosen, {})[0], chosen.planes, region=chosen.region)
        )
    except InputError as error:
        from napari_snow_unet.widgets.common.fields import error_in_words

        return error_in_words(error)


def _reader(
    chosen: Comparison, notes: dict[str, None]
) -> tuple[Callable[[Index], PlaneArrays], str]:
    """Return a function that reads a plane, and what is assumed of the values of a map.

    It adds assumptions about masks to `notes`. It reads copies, since layers may be edited.
    """
    divisor, assumed = (0.0, "") if chosen.threshold is None else map_divisor(chosen.prediction)

    def nuclei_in(values: np.ndarray, side: int, index: Index) -> np.ndarray:
        name = chosen.names[side]
        _refuse_negative(values, name, index)
        judged = judge_mask(values, chosen.are[side], path=name).taken(name)
        shown = [note for note in judged.notes if not (index and note == NOTHING)]
        notes.update(dict.fromkeys(f"{name}: {note.gist if index else note}." for note in shown))
        return judged.nuclei()

    def read(index: Index) -> PlaneArrays:
        nuclei, truth = np.array(chosen.prediction[index]), np.array(chosen.truth[index])
        grey = level = None
        if chosen.threshold is None:
            nuclei = nuclei_in(nuclei, 0, index)
        else:
            _refuse_negative(nuclei, chosen.names[0], index)
            grey = map_of_8_bits(nuclei, divisor)
            histogram = grey_histogram(grey)
            level = choose_level(histogram, floor=chosen.floor)
            nuclei = grey > choose_level(histogram, chosen.threshold, floor=chosen.floor)
            nuclei = as_instances(nuclei, chosen.are[0] or "binary")
        return PlaneArrays(nuclei, nuclei_in(truth, 1, index), grey, level)

    return read, assumed


def _refuse_negative(values: np.ndarray, name: str, index: Index) -> None:
    low = values.min(initial=0)
    if low < 0:
        raise InputError(messages.negative_labels(name, float(low), plane_name(index)))
