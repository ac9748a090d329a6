"""segment_large(): the pipeline for images larger than the memory, with what it needs handed in."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.progress import Progress
from napari_snow_unet.segmentation.large.glass import all_glass, find_glass, without_glass
from napari_snow_unet.segmentation.large.labelling import BLOCK, Rules, label_blocks
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import (
    Options,
    check_options,
    check_pixel_size,
    smallest_area_px,
)
from napari_snow_unet.segmentation.pipeline import predict_core
from napari_snow_unet.segmentation.preprocess import (
    is_rgb,
    network_input,
    plane_axes,
    unit_divisor,
)
from napari_snow_unet.segmentation.provenance import provenance, scale_messages
from napari_snow_unet.segmentation.resample import scale_factor
from napari_snow_unet.segmentation.threshold import LEVELS, choose_level
from napari_snow_unet.segmentation.tiling import plan_tiles, read_window

Keep = Callable[[slice, slice, NDArray[np.int32]], None]


@dataclass(frozen=True)
class LargeSegmentation:
    """What is known of the nuclei of a large image; the labels are where they were written to.

    Attributes
    ----------
    threshold : float
        The probability that was exceeded by nuclei.
    nuclei : int
        Number of nuclei.
    area_fraction : float
        Part of the image that is nucleus, 0..1.
    nuclei_per_mm2 : float or None
        None where the pixel size is unknown.
    glass_fraction : float
        Part of the image that is empty glass.
    computed_pixels : int
        Pixels that the network computed, halos included.
    messages : tuple of str
        What a person should be told.
    provenance : dict
        Model, options, threshold and versions.
    """

    threshold: float
    nuclei: int
    area_fraction: float
    nuclei_per_mm2: float | None
    glass_fraction: float
    computed_pixels: int
    messages: tuple[str, ...] = ()
    provenance: dict[str, Any] = field(default_factory=dict)


def segment_large(
    image: Any,
    model: Model,
    options: Options,
    probability: Any,
    preliminary: Any,
    keep: Keep,
    *,
    pixel_size_um: float | None = None,
    inside: NDArray[np.bool_] | None = None,
    block: int = BLOCK,
) -> Generator[Progress, None, LargeSegmentation]:
    """Segment a plane that need not fit into memory.

    The labels are those of `pipeline.segment` but for three things: glass has the probability 0;
    the plane is never resampled; a component longer than 2,048 pixels stays one label.

    Parameters
    ----------
    image : array-like, shape (Y, X) or (Y, X, 3|4)
        Lazy, such as a dask array; read window by window.
    model : Model
        The network or the classical method.
    options : Options
        What the person chose.
    probability, preliminary : array-like of uint8 and of int32, shape (Y, X)
        Zeros, such as Zarr arrays on disk, for the probability map and for labels on the way.
    keep : callable
        Takes rows, columns and final labels of every block, in reading order of the blocks.
    pixel_size_um : float, optional
        Micrometres per pixel; `options.pixel_size_um` goes before it.
    inside : ndarray of bool, shape (Y, X), optional
        The part of the plane that is looked at, see `pipeline.label`; a map on disk will do.
    block : int, default: 2048
        Side of the blocks in pixels.

    Yields
    ------
    Progress
        After every window and block.

    Returns
    -------
    LargeSegmentation
        What is known of the nuclei.

    Raises
    ------
    InputError
        If the image or an option cannot be used; before anything is computed.
    """
    if plane_axes(image.shape, rgb=is_rgb(image.shape)) != "plane":
        raise InputError(
            f"an image of shape {image.shape}",
            expected="(Y, X), (Y, X, 3) or (Y, X, 4)",
            remedy="Segment a stack plane by plane.",
        )
    check_options(options, model)
    pixel_size_um = check_pixel_size(options.pixel_size_um or pixel_size_um)
    smallest = smallest_area_px(options, pixel_size_um)
    divisor = unit_divisor(image)
    glass = yield from find_glass(image, divisor)
    histogram, computed = yield from predict_large(
        image, model, options, probability, divisor=divisor, glass=glass, inside=inside
    )
    level = choose_level(histogram, options.threshold, floor=model.threshold_floor)
    rules = Rules(
        level=level,
        split=options.split and options.output == "nuclei",
        min_area=smallest,
        fill_holes=options.fill_holes,
        clear_border=options.clear_border,
        pixel_size_um=pixel_size_um,
    )
    found = yield from label_blocks(probability, preliminary, rules, block=block)
    table = found.in_reading_order()
    if options.output == "mask":
        table = (table > 0).astype(np.int32)
    height, width = int(image.shape[0]), int(image.shape[1])
    corners = list(product(range(0, height, block), range(0, width, block)))
    for done, (y, x) in enumerate(corners, start=1):
        rows, columns = slice(y, min(y + block, height)), slice(x, min(x + block, width))
        labels = table[np.asarray(preliminary[rows, columns])]
        keep(rows, columns, labels if inside is None else labels * inside[rows, columns])
        yield Progress(done, len(corners), f"writing, block {done} of {len(corners)}")
    nuclei, pixels = len(found.first), int(histogram.sum())
    area_mm2 = None if pixel_size_um is None else pixels * pixel_size_um**2 / 1e6
    return LargeSegmentation(
        threshold=level / 255,
        nuclei=nuclei,
        area_fraction=found.area / pixels,
        nuclei_per_mm2=None if area_mm2 is None else nuclei / area_mm2,
        glass_fraction=float(glass.mean()),
        computed_pixels=computed,
        messages=_messages(model, pixel_size_um, nuclei),
        provenance=provenance(model, options, level / 255, pixel_size_um, None),
    )


def predict_large(
    image: Any,
    model: Model,
    options: Options,
    probability: Any,
    *,
    divisor: float,
    glass: NDArray[np.bool_],
    inside: NDArray[np.bool_] | None = None,
) -> Generator[Progress, None, tuple[NDArray[np.int64], int]]:
    """Compute the 8-bit probability map window by window; glass is 0 and not computed.

    Parameters
    ----------
    image, model, options, probability
        See `segment_large`.
    divisor : float
        What brings the values to 0..1.
    glass : ndarray of bool
        From `glass.find_glass`.
    inside : ndarray of bool, shape (Y, X), optional
        The part that is looked at; the rest is 0, not computed and not counted.

    Yields
    ------
    Progress
        After every window.

    Returns
    -------
    histogram : ndarray of int64, shape (256,)
        Pixels per grey level of the whole map, of its inside where that is given.
    computed : int
        Pixels that were computed, halos included.
    """
    channel = options.channel or model.channel
    shape = int(image.shape[0]), int(image.shape[1])
    histogram, computed = np.zeros(LEVELS, np.int64), 0
    tiles = plan_tiles(shape, options.tile, model.halo)
    for done, tile in enumerate(tiles, start=1):
        rows, columns = tile.core
        looked_at = None if inside is None else inside[tile.core]
        if all_glass(glass, tile.core) or not (looked_at is None or looked_at.any()):
            size = (rows.stop - rows.start) * (columns.stop - columns.start)
            histogram[0] += size if looked_at is None else np.count_nonzero(looked_at)
        else:
            pixels = network_input(read_window(image, tile.window), channel, divisor)
            core = predict_core(pixels, model, tile)
            core = without_glass(core, glass, rows.start, columns.start)
            probability[tile.core] = core if looked_at is None else core * looked_at
            counted = core.ravel() if looked_at is None else core[looked_at]
            histogram += np.bincount(counted, minlength=LEVELS)
            computed += pixels.shape[0] * pixels.shape[1]
        yield Progress(done, len(tiles), f"tile {done} of {len(tiles)}")
    return histogram, computed


def _messages(model: Model, pixel_size_um: float | None, nuclei: int) -> tuple[str, ...]:
    said = () if nuclei else ("No nuclei were found.",)
    if scale_factor(pixel_size_um, model.pixel_size_um) == 1:
        return said + scale_messages(model, pixel_size_um, None)
    low, high = model.pixel_size_um or (0, 0)
    known = f"though the model knows {low:g} to {high:g} µm: large images are not resampled."
    return (*said, f"Read as it is, at {pixel_size_um:g} µm per pixel, {known}")
