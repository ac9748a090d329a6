"""Planes of a stack, one after the other: segmented, and labelled again without the network."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress, passed_on, run
from napari_snow_unet.data.pixels.axes import Index, Region, plane_last
from napari_snow_unet.data.pixels.value_range import COLOURS, ValueRange, check_type
from napari_snow_unet.segmentation import messages
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.pipeline import Segmentation, label, predict
from napari_snow_unet.segmentation.plan import values_for
from napari_snow_unet.segmentation.plane.preprocess import plane_axes
from napari_snow_unet.segmentation.prefetch import in_order, is_small
from napari_snow_unet.segmentation.stack_result import StackSegmentation, Together

Result = TypeVar("Result")
FindNuclei = Callable[[], Segmentation]


def check_stack(shape: tuple[int, ...], dtype: Any, *, rgb: bool) -> None:
    """Refuse an image that cannot be segmented, without reading it."""
    plane_axes(shape, rgb=rgb)
    check_type(dtype)
    if not rgb and len(shape) > 2 and shape[-1] in COLOURS:
        raise InputError(messages.NOT_SHOWN_AS_RGB)


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
    """Segment planes of a stack, each by itself, or an image that is one plane.

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
        After every window of every plane; of planes that are one small window, after every plane.

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
    find_nuclei = yield from predict_stack(
        image,
        model,
        options,
        rgb=rgb,
        planes=planes,
        pixel_size_um=pixel_size_um,
        values=values,
        region=region,
    )
    return find_nuclei()


def predict_stack(
    image: Any,
    model: Model,
    options: Options | None = None,
    *,
    rgb: bool,
    planes: Sequence[Index] | None = None,
    pixel_size_um: float | None = None,
    values: ValueRange | None = None,
    region: Region | None = None,
) -> Generator[Progress, None, Callable[[], StackSegmentation]]:
    """Do as `segment_stack` does; of a single plane, what is returned is still to find the nuclei.

    That needs one core and no network, so another thread may do it during the next image.
    """
    check_stack(image.shape, image.dtype, rgb=rgb)
    given = tuple(int(length) for length in (image.shape[:-1] if rgb else image.shape))
    shape = plane_last(given)
    if shape != given:
        image, planes = image.reshape((*shape, *image.shape[len(given) :])), None
    wanted = list(np.ndindex(shape[:-2])) if planes is None else list(planes)
    _check_planes(wanted)
    options = options or Options()
    values = values_for(model, image) if values is None else values
    rows, columns = shape[-2:]
    small = len(wanted) > 1 and is_small((rows, columns), model, options, pixel_size_um)
    reading = Lock()  # what is read lazily need not bear to be read by several threads

    def predicted(index: Index) -> Generator[Progress, None, FindNuclei | None]:
        """Read a plane and compute its map; None where nothing of the region is in it."""
        with reading:
            inside = None if region is None else region(index)
            if inside is not None and not inside.any():
                return None
            plane = image[index] if index else image
            plane = np.asarray(plane) if small else plane
        steps = predict(
            plane, model, options, pixel_size_um=pixel_size_um, values=values, inside=inside
        )
        return (yield from steps)

    def segmented(index: Index) -> Generator[Progress, None, Segmentation | None]:
        find_nuclei = yield from predicted(index)
        return None if find_nuclei is None else find_nuclei()

    found = Together(shape)
    if len(wanted) == 1:
        find_nuclei = yield from predicted(wanted[0])
        if find_nuclei is None:
            raise _nothing_of_the_region()
        return lambda: found.taking(wanted[0], find_nuclei()).result(given)
    if small:
        threads = model.calls_at_once
        with closing(in_order(wanted, lambda index: run(segmented(index)), threads)) as results:
            for done, (index, result) in enumerate(results, start=1):
                found.taking(index, result)
                yield Progress(done, len(wanted), f"slice {done} of {len(wanted)}")
    else:
        for number, index in enumerate(wanted):
            result = yield from _among(segmented(index), number, len(wanted))
            found.taking(index, result)
    if not found.planes:
        raise _nothing_of_the_region()
    return lambda: found.result(given)


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
        New labels, the same probability; of the provenance the thresholds.

    Raises
    ------
    InputError
        If an option is out of range.
    """
    _check_planes(planes)
    maps = probability.reshape(plane_last(probability.shape))
    found = Together(maps.shape, maps)
    for done, index in enumerate(planes, start=1):
        inside = None if region is None else region(index)
        result = label(
            maps[index], options, floor=floor, pixel_size_um=pixel_size_um, inside=inside
        )
        found.taking(index, result)
        yield Progress(done, len(planes), f"slice {done} of {len(planes)}")
    return replace(found.result(probability.shape), probability=probability)


def _among(
    steps: Generator[Progress, None, Result], number: int, total: int
) -> Generator[Progress, None, Result]:
    """Pass on the progress of one plane as that of all, which have as many windows each."""

    def among_planes(step: Progress) -> Progress:
        done = number * step.total + step.done
        return Progress(done, total * step.total, f"slice {number + 1} of {total}, {step.message}")

    return passed_on(steps, among_planes)


def _check_planes(planes: Sequence[Index]) -> None:
    if not planes:
        raise InputError(messages.NO_PLANE)


def _nothing_of_the_region() -> InputError:
    return InputError(messages.EMPTY_REGION)
