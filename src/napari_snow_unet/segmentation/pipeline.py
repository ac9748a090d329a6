"""From an image to labelled nuclei; used by the docks, the shell and Python."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.progress import Progress, run
from napari_snow_unet.data.pixels.value_range import ValueRange
from napari_snow_unet.segmentation import messages
from napari_snow_unet.segmentation.findings import Findings
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options, check_options_alone, smallest_area_px
from napari_snow_unet.segmentation.plan import make_plan
from napari_snow_unet.segmentation.plane.nuclei import label_nuclei
from napari_snow_unet.segmentation.plane.threshold import choose_level, grey_histogram
from napari_snow_unet.segmentation.prediction import predict_plane

__all__ = ["Progress", "Segmentation", "label", "predict", "run", "segment"]


@dataclass(frozen=True, kw_only=True)
class Segmentation(Findings):
    """The nuclei of one plane.

    Attributes
    ----------
    labels : ndarray of int32, shape (Y, X)
        0 is background, 1 to N are nuclei; for a mask, 1 is nucleus.
    probability : ndarray of uint8, shape (Y, X)
        Probability of nucleus times 255, on the grid of the image.
    """

    labels: NDArray[np.int32]
    probability: NDArray[np.uint8]


def label(
    probability: NDArray[np.uint8],
    options: Options,
    *,
    floor: float = 0.0,
    pixel_size_um: float | None = None,
    inside: NDArray[np.bool_] | None = None,
) -> Segmentation:
    """Threshold a probability map and label its nuclei; no network is needed.

    Parameters
    ----------
    probability : ndarray of uint8, shape (Y, X)
        Probability of nucleus times 255.
    options : Options
        Threshold, output, separation, minimum area, holes, border.
    floor : float, default: 0.0
        Lower bound of the Otsu threshold.
    pixel_size_um : float, optional
        Micrometres per pixel.
    inside : ndarray of bool, shape (Y, X), optional
        Region of interest. Labels outside are 0; the threshold, the area and the density refer to
        the region only.

    Returns
    -------
    Segmentation
        With an empty provenance.

    Raises
    ------
    InputError
        If an option is out of range.
    """
    check_options_alone(options)
    smallest = smallest_area_px(options, pixel_size_um)
    considered = probability if inside is None else probability[inside]
    level = choose_level(grey_histogram(considered), options.threshold, floor=floor)
    mask = probability > level
    labels = label_nuclei(
        mask if inside is None else mask & inside,
        separate=options.separate and options.output == "nuclei",
        min_area=smallest,
        fill_holes=options.fill_holes,
        clear_border=options.clear_border,
        pixel_size_um=pixel_size_um,
    )
    if inside is not None:
        labels *= inside  # filled holes may reach beyond the region
    nuclei = int(labels.max(initial=0))
    if options.output == "mask":
        labels = (labels > 0).astype(np.int32)
    return Segmentation(
        labels=labels,
        probability=probability,
        threshold=level / 255,
        nuclei=nuclei,
        area_fraction=float(np.count_nonzero(labels) / considered.size),
        pixels=considered.size,
        pixel_size_um=pixel_size_um,
        messages=() if nuclei else (messages.NO_NUCLEI,),
    )


def segment(
    image: Any,
    model: Model,
    options: Options | None = None,
    *,
    pixel_size_um: float | None = None,
    values: ValueRange | None = None,
    inside: NDArray[np.bool_] | None = None,
) -> Generator[Progress, None, Segmentation]:
    """Segment the nuclei of one plane.

    Parameters
    ----------
    image : array-like, shape (Y, X) or (Y, X, 3) or (Y, X, 4)
        NumPy array, or a lazy array that is read window by window, of any real data type.
    model : Model
        The network or the classical method.
    options : Options, optional
        Threshold, output and so on.
    pixel_size_um : float, optional
        Micrometres per pixel of the file or layer; `options.pixel_size_um` overrides it. Outside
        the model's range the plane is resampled to the nearest end of the range, and the
        probability map back to the grid of the plane.
    values : ValueRange, optional
        White value of the image, if it was chosen for a whole stack or file.
    inside : ndarray of bool, shape (Y, X), optional
        See `label`.

    Yields
    ------
    Progress
        After every window.

    Returns
    -------
    Segmentation
        Labels and probability on the grid of `image`.

    Raises
    ------
    InputError
        If the image or an option cannot be used; before anything is computed.
    """
    find_nuclei = yield from predict(
        image, model, options, pixel_size_um=pixel_size_um, values=values, inside=inside
    )
    return find_nuclei()


def predict(
    image: Any,
    model: Model,
    options: Options | None = None,
    *,
    pixel_size_um: float | None = None,
    values: ValueRange | None = None,
    inside: NDArray[np.bool_] | None = None,
) -> Generator[Progress, None, Callable[[], Segmentation]]:
    """Compute the probability map for `segment`, and return a callable that finds the nuclei.

    The callable needs one processor core and no network, so it may run in another thread while the
    network computes the next plane.

    Parameters
    ----------
    image, model, options, pixel_size_um, values, inside
        See `segment`.

    Yields
    ------
    Progress
        After every window.

    Returns
    -------
    callable
        Finds the nuclei in the probability map and returns the `Segmentation`.

    Raises
    ------
    InputError
        As `segment` does, from the generator.
    """
    plan = make_plan(image, model, options or Options(), pixel_size_um=pixel_size_um, values=values)
    probability = yield from predict_plane(image, plan)

    def find_nuclei() -> Segmentation:
        result = label(
            probability,
            plan.options,
            floor=model.threshold_floor,
            pixel_size_um=plan.pixel_size_um,
            inside=inside,
        )
        return replace(
            result,
            messages=result.messages + plan.messages,
            provenance=plan.provenance(result.threshold),
        )

    return find_nuclei
