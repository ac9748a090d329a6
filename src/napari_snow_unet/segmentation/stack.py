"""Planes of a stack, one after the other: segmented, and labelled again without the network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import closing
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress, done_at_once, passed_on
from napari_snow_unet.base.scratch import moved_to_disk, zeros
from napari_snow_unet.data.pixels.axes import Index, Region, plane_last
from napari_snow_unet.data.pixels.value_range import COLOURS, ValueRange, check_type
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import Segmentation, label, segment
from napari_snow_unet.segmentation.plan import values_for
from napari_snow_unet.segmentation.plane.preprocess import plane_axes
from napari_snow_unet.segmentation.prefetch import in_order, is_small
from napari_snow_unet.segmentation.stack_result import (
    Plane,
    StackSegmentation,
    fingerprint,
    thresholds_of,
)

_Steps = Generator[Progress, None, Segmentation]


def check_stack(shape: tuple[int, ...], dtype: Any, *, rgb: bool) -> None:
    """Refuse an image that cannot be segmented, without reading it.

    Parameters
    ----------
    shape : tuple of int
        Shape of the image, colours in the last axis when `rgb`.
    dtype : data type
        Its data type.
    rgb : bool
        Whether the last axis holds colours.

    Raises
    ------
    InputError
        If it has no plane, no pixels, no real numbers, or colours that are not declared so.
    """
    plane_axes(shape, rgb=rgb)
    check_type(dtype)
    if not rgb and len(shape) > 2 and shape[-1] in COLOURS:
        raise InputError(
            f"an image of shape {shape} whose last axis looks like colours but is not shown so",
            expected="an RGB image, or a stack of planes",
            remedy="Open it as RGB, in a script with add_image(..., rgb=True).",
        )


def segment_stack(
    image: Any,
    model: Model,
    options: Options | None = None,
    *,
    rgb: bool,
    planes: Sequence[Index] | None = None,
    pixel_size_um: float | None = None,
    values: ValueRange | None = None,
    region: Region | None = None,
) -> Generator[Progress, None, StackSegmentation]:
    """Segment planes of a stack, each by itself.

    Parameters
    ----------
    image : array-like, shape (..., Y, X) or (..., Y, X, C)
        NumPy array or a lazy one, which is read window by window. Where an axis of length 1 stands
        in the place of the plane, as in (Y, X, 1), it is passed over.
    model : Model
        The network or the classical method.
    options : Options, optional
        What the person chose. Otsu's method finds a threshold for each plane.
    rgb : bool
        Whether the last axis holds colours.
    planes : sequence of tuple of int, optional
        Indices into the leading axes; all planes if left out, or if an axis is passed over.
    pixel_size_um : float, optional
        Micrometres per pixel; `options.pixel_size_um` goes before it.
    values : ValueRange, optional
        Which of its values is white; decided once for all planes if left out.
    region : callable, optional
        From the index of a plane to an array of bool, shape (Y, X): the part of it that is looked
        at. Planes in which it is empty are left out. See `pipeline.label`.

    Yields
    ------
    Progress
        After every window of every plane.

    Returns
    -------
    StackSegmentation
        As long as the stack.

    Raises
    ------
    InputError
        If the image or an option cannot be used, before anything is computed, or if there is
        nothing of the region in any of the planes.
    """
    options = options or Options()
    check_stack(image.shape, image.dtype, rgb=rgb)
    given = tuple(int(length) for length in (image.shape[:-1] if rgb else image.shape))
    shape = plane_last(given)
    if shape != given:
        image, planes = image.reshape((*shape, *image.shape[len(given) :])), None
    wanted = list(np.ndindex(shape[:-2])) if planes is None else list(planes)
    _check_planes(wanted)
    values = values_for(model, image) if values is None else values
    labels = probability = None
    found: dict[Index, Plane] = {}
    said: list[tuple[str, ...]] = []
    provenance: dict[str, Any] = {}
    rows, columns = shape[-2:]
    small = len(wanted) > 1 and is_small((rows, columns), model, options, pixel_size_um)
    reading = Lock()  # what is read lazily need not bear to be read by several threads

    def ahead(index: Index) -> _Steps | None:
        with reading:
            inside = None if region is None else region(index)
            if inside is not None and not inside.any():
                return None
            plane = image[index] if index else image
            plane = np.asarray(plane) if small else plane
        steps = segment(
            plane, model, options, pixel_size_um=pixel_size_um, values=values, inside=inside
        )
        return done_at_once(steps) if small else steps

    # Small planes are segmented side by side in threads, others here and one after the other.
    one_by_one = ((index, ahead(index)) for index in wanted)
    side_by_side = in_order(wanted, ahead, model.calls_at_once)
    with closing(side_by_side if small else one_by_one) as planes_ahead:
        for number, (index, steps) in enumerate(planes_ahead):
            if steps is None:
                continue
            result = yield from _among(steps, number, len(wanted))
            if labels is None or probability is None:
                labels, probability = _room(result.labels, shape), _room(result.probability, shape)
                provenance = result.provenance
            if index:
                labels[index], probability[index] = result.labels, result.probability
            found[index] = _plane(result)
            said.append(result.messages)
    if labels is None or probability is None:
        raise InputError(
            "a region without a pixel in the chosen slices",
            expected="at least one",
            remedy="Draw it where the image is to be segmented.",
        )
    return StackSegmentation(
        labels=labels.reshape(given),
        probability=probability.reshape(given),
        planes=found,
        pixel_size_um=provenance["pixel_size_um"],
        messages=_messages(said),
        provenance=provenance | thresholds_of(found),
    )


def relabel_stack(
    probability: NDArray[np.uint8],
    planes: Sequence[Index],
    options: Options,
    *,
    floor: float = 0.0,
    pixel_size_um: float | None = None,
    region: Region | None = None,
) -> Generator[Progress, None, StackSegmentation]:
    """Label planes anew from their probability maps; no network is needed.

    Parameters
    ----------
    probability : ndarray of uint8, shape (..., Y, X)
        Probability of nucleus times 255.
    planes : sequence of tuple of int
        Indices into the leading axes.
    options : Options
        Threshold, output, splitting, smallest area, holes, border.
    floor : float, default: 0.0
        Smallest probability at which Otsu's method may cut.
    pixel_size_um : float, optional
        Micrometres per pixel.
    region : callable, optional
        See `segment_stack`.

    Yields
    ------
    Progress
        After every plane.

    Returns
    -------
    StackSegmentation
        New labels, the same probability, an empty provenance.

    Raises
    ------
    InputError
        If an option is out of range.
    """
    _check_planes(planes)
    given, probability = probability, probability.reshape(plane_last(probability.shape))
    labels = None
    found: dict[Index, Plane] = {}
    said: list[tuple[str, ...]] = []
    for done, index in enumerate(planes, start=1):
        inside = None if region is None else region(index)
        result = label(
            probability[index], options, floor=floor, pixel_size_um=pixel_size_um, inside=inside
        )
        if labels is None:
            labels = _room(result.labels, probability.shape)
        if index:
            labels[index] = result.labels
        found[index] = _plane(result)
        said.append(result.messages)
        yield Progress(done, len(planes), f"slice {done} of {len(planes)}")
    assert labels is not None
    return StackSegmentation(
        labels.reshape(given.shape), given, found, pixel_size_um, _messages(said)
    )


def _among(steps: _Steps, number: int, total: int) -> Generator[Progress, None, Segmentation]:
    """Pass on the progress of one plane as that of all, which have as many windows each."""
    where = "" if total == 1 else f"slice {number + 1} of {total}, "

    def among_planes(step: Progress) -> Progress:
        done = number * step.total + step.done
        return Progress(done, total * step.total, where + step.message)

    return passed_on(steps, among_planes)


def _check_planes(planes: Sequence[Index]) -> None:
    if not planes:
        raise InputError("no plane", expected="at least one", remedy="Choose a plane.")


def _room(first: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    return moved_to_disk(first) if len(shape) == 2 else zeros(shape, first.dtype)


def _plane(result: Segmentation) -> Plane:
    """Return what was found in a plane, without its arrays."""
    return Plane(
        threshold=result.threshold,
        nuclei=result.nuclei,
        area_fraction=result.area_fraction,
        pixels=result.pixels,
        pixel_size_um=result.pixel_size_um,
        fingerprint=fingerprint(result.labels),
    )


def _messages(said: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Say once what concerns several planes."""
    counts = Counter(message for messages in said for message in messages)
    return tuple(
        message if count == len(said) else f"{count} of {len(said)} slices: {message}"
        for message, count in counts.items()
    )
