"""segment_large(): the pipeline for images larger than the memory, with what it needs handed in."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.progress import Progress
from napari_snow_unet.segmentation.large.ahead import in_order
from napari_snow_unet.segmentation.large.glass import (
    CELL,
    cells_of,
    read_with_glass,
    without_glass,
)
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
from napari_snow_unet.segmentation.tiling import plan_tiles

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
    predicted = yield from predict_large(
        image, model, options, probability, divisor=divisor, inside=inside
    )
    histogram = predicted.histogram
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

    def final(corner: tuple[int, int]) -> tuple[slice, slice, NDArray[np.int32]]:
        y, x = corner
        rows, columns = slice(y, min(y + block, height)), slice(x, min(x + block, width))
        labels = table[np.asarray(preliminary[rows, columns])]
        return rows, columns, labels if inside is None else labels * inside[rows, columns]

    with closing(in_order(corners, final)) as pieces:
        for done, (_, piece) in enumerate(pieces, start=1):
            keep(*piece)
            yield Progress(done, len(corners), f"writing, block {done} of {len(corners)}")
    nuclei, pixels = len(found.first), int(histogram.sum())
    area_mm2 = None if pixel_size_um is None else pixels * pixel_size_um**2 / 1e6
    return LargeSegmentation(
        threshold=level / 255,
        nuclei=nuclei,
        area_fraction=found.area / pixels,
        nuclei_per_mm2=None if area_mm2 is None else nuclei / area_mm2,
        glass_fraction=predicted.glass_fraction,
        computed_pixels=predicted.computed_pixels,
        messages=_messages(model, pixel_size_um, nuclei),
        provenance=provenance(model, options, level / 255, pixel_size_um, None),
    )


@dataclass(frozen=True)
class Predicted:
    """What is known of a probability map.

    Attributes
    ----------
    histogram : ndarray of int64, shape (256,)
        Pixels per grey level of the whole map, of its inside where that is given.
    computed_pixels : int
        Pixels that were computed, halos included.
    glass_fraction : float
        Part of the cells that show glass.
    """

    histogram: NDArray[np.int64]
    computed_pixels: int
    glass_fraction: float


def predict_large(
    image: Any,
    model: Model,
    options: Options,
    probability: Any,
    *,
    divisor: float,
    inside: NDArray[np.bool_] | None = None,
) -> Generator[Progress, None, Predicted]:
    """Compute the 8-bit probability map window by window; glass is 0 and not computed.

    Parameters
    ----------
    image, model, options, probability
        See `segment_large`.
    divisor : float
        What brings the values to 0..1.
    inside : ndarray of bool, shape (Y, X), optional
        The part that is looked at; the rest is 0, not computed and not counted.

    Yields
    ------
    Progress
        After every window.

    Returns
    -------
    Predicted
        What is known of the map.
    """
    channel = options.channel or model.channel
    shape = int(image.shape[0]), int(image.shape[1])
    histogram, computed = np.zeros(LEVELS, np.int64), 0
    glass = np.zeros(tuple(-(-length // CELL) for length in shape), np.bool_)
    tiles = plan_tiles(shape, options.tile, model.halo)
    if inside is not None:
        tiles = [tile for tile in tiles if inside[tile.core].any()]
    ahead = in_order(tiles, partial(read_with_glass, image, divisor=divisor))
    with closing(ahead) as reading:
        for done, (tile, (window, cells)) in enumerate(reading, start=1):
            glass[cells_of(tile.core)] = cells
            core = np.zeros(tuple(part.stop - part.start for part in tile.core), np.uint8)
            if not cells.all():
                pixels = network_input(window, channel, divisor)
                core = predict_core(pixels, model, tile)
                core = without_glass(core, cells, tile.core[0].start, tile.core[1].start)
                computed += pixels.shape[0] * pixels.shape[1]
            if inside is None:
                histogram += np.bincount(core.ravel(), minlength=LEVELS)
            else:
                histogram += np.bincount(core[inside[tile.core]], minlength=LEVELS)
                core *= inside[tile.core]
            if core.any():
                probability[tile.core] = core
            yield Progress(done, len(tiles), f"tile {done} of {len(tiles)}")
    return Predicted(histogram, computed, float(glass.mean()))


def _messages(model: Model, pixel_size_um: float | None, nuclei: int) -> tuple[str, ...]:
    said = () if nuclei else ("No nuclei were found.",)
    if scale_factor(pixel_size_um, model.pixel_size_um) == 1:
        return said + scale_messages(model, pixel_size_um, None)
    low, high = model.pixel_size_um or (0, 0)
    known = f"though the model knows {low:g} to {high:g} µm: large images are not resampled."
    return (*said, f"Read as it is, at {pixel_size_um:g} µm per pixel, {known}")
