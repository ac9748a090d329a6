"""Segment the planes of a stack, and relabel them without the network."""

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
from napari_snow_unet.segmentation.stack_result import StackBuilder, StackSegmentation

Result = TypeVar("Result")
FindNuclei = Callable[[], Segmentation]


def check_stack(shape: tuple[int, ...], dtype: Any, *, rgb: bool) -> None:
    """Raise `InputError` for an image that cannot be segmented, without reading it."""
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
    """Segment planes of a stack independently, or a single plane.

    Parameters
    ----------
    image : array-like, shape (..., Y, X) or (..., Y, X, C)
        NumPy array, or a lazy array that is read window by window. Trailing axes of length 1, as in
        (Y, X, 1), are ignored.
    model : Model
        The network or the classical method.
    options : Options, optional
        Threshold, output and so on. Otsu's method chooses a threshold for each plane.
    rgb : bool
        Whether the last axis is the colour axis.
    planes : sequence of tuple of int, optional
        Indices into the leading axes. By default, and if an axis is ignored, all planes.
    pixel_size_um : float, optional
        Micrometres per pixel; `options.pixel_size_um` overrides it.
    values : ValueRange, optional
        White value of the image; by default chosen once for all planes.
    region : callable, optional
        Takes the index of a plane and returns its region of interest, bool (Y, X). Planes with an
        empty region are skipped. See `pipeline.label`.

    Yields
    ------
    Progress
        After every window; after every plane if planes are single small windows.

    Returns
    -------
    StackSegmentation
        In the shape of the stack.

    Raises
    ------
    InputError
        If the image or an option cannot be used, before anything is computed, or if the region is
        empty in all planes.
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
    """Do the network's work of `segment_stack`; for a single plane the callable finds the nuclei.

    That needs one core and no network, so it may run in another thread during the next image.
    """
    check_stack(image.shape, image.dtype, rgb=rgb)
    original = tuple(int(length) for length in (image.shape[:-1] if rgb else image.shape))
    shape = plane_last(original)
    if shape != original:
        image, planes = image.reshape((*shape, *image.shape[len(original) :])), None
    wanted = list(np.ndindex(shape[:-2])) if planes is None else list(planes)
    _check_planes(wanted)
    options = options or Options()
    values = values_for(model, image) if values is None else values
    rows, columns = shape[-2:]
    small = len(wanted) > 1 and is_small((rows, columns), model, options, pixel_size_um)
    reading = Lock()  # lazy arrays may not be thread-safe

    def predicted(index: Index) -> Generator[Progress, None, FindNuclei | None]:
        """Read a plane and compute its map; None if the region is empty in it."""
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

    stack = StackBuilder(shape)
    if len(wanted) == 1:
        find_nuclei = yield from predicted(wanted[0])
        if find_nuclei is None:
            raise InputError(messages.EMPTY_REGION)
        return lambda: stack.add(wanted[0], find_nuclei()).result(original)
    if small:
        threads = model.calls_at_once
        with closing(in_order(wanted, lambda index: run(segmented(index)), threads)) as results:
            for done, (index, result) in enumerate(results, start=1):
                stack.add(index, result)
                yield Progress(done, len(wanted), messages.step_label("slice", done, len(wanted)))
    else:
        for number, index in enumerate(wanted):
            result = yield from _among(segmented(index), number, len(wanted))
            stack.add(index, result)
    if not stack.planes:
        raise InputError(messages.EMPTY_REGION)
    return lambda: stack.result(original)


def relabel_stack(
    probability: NDArray[np.uint8],
    planes: Sequence[Index],
    options: Options,
    *,
    floor: float = 0.0,
    pixel_size_um: float | None = None,
    region: Region | None = None,
) -> Generator[Progress, None, StackSegmentation]:
    """Relabel planes from their probability maps; no network is needed.

    Parameters
    ----------
    probability : ndarray of uint8, shape (..., Y, X)
        Probability of nucleus times 255.
    planes : sequence of tuple of int
        Indices into the leading axes.
    options : Options
        Threshold, output, separation, minimum area, holes, border.
    floor : float, default: 0.0
        Lower bound of the Otsu threshold.
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
        New labels and the same probability; its provenance holds the thresholds only.

    Raises
    ------
    InputError
        If an option is out of range.
    """
    _check_planes(planes)
    maps = probability.reshape(plane_last(probability.shape))
    stack = StackBuilder(maps.shape, maps)
    for done, index in enumerate(planes, start=1):
        inside = None if region is None else region(index)
        result = label(
            maps[index], options, floor=floor, pixel_size_um=pixel_size_um, inside=inside
        )
        stack.add(index, result)
        yield Progress(done, len(planes), messages.step_label("slice", done, len(planes)))
    return replace(stack.result(probability.shape), probability=probability)


def _among(
    steps: Generator[Progress, None, Result], number: int, total: int
) -> Generator[Progress, None, Result]:
    """Pass on the progress of one plane as progress over all planes."""

    def among_planes(step: Progress) -> Progress:
        done = number * step.total + step.done
        message = f"{messages.step_label('slice', number + 1, total)}, {step.message}"
        return Progress(done, total * step.total, message)

    return passed_on(steps, among_planes)


def _check_planes(planes: Sequence[Index]) -> None:
    if not planes:
        raise InputError(messages.NO_PLANE)
