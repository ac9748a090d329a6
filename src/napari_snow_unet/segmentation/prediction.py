"""From a plane to its map of probabilities, window by window."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.pixels.channels import network_input, to_grey
from napari_snow_unet.data.pixels.value_range import ValueRange, is_rgb
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.plane.resample import Resampling, scale_factor
from napari_snow_unet.segmentation.plane.tiling import (
    PlannedWindow,
    mirrored,
    plan_grid,
    smaller_window,
    within,
)


def predict_plane(
    image: Any,
    model: Model,
    options: Options,
    *,
    pixel_size_um: float | None,
    values: ValueRange,
) -> Generator[Progress, None, tuple[NDArray[np.uint8], float | None]]:
    """Compute the 8-bit probability map of one plane, window by window.

    Parameters
    ----------
    image : array-like, shape (Y, X) or (Y, X, C)
        The plane.
    model : Model
        The network or the classical method.
    options : Options
        Channel and tile size.
    pixel_size_um : float or None
        Micrometres per pixel if known.
    values : ValueRange
        Which of its values is white.

    Yields
    ------
    Progress
        Once after every window.

    Returns
    -------
    probability : ndarray of uint8, shape (Y, X)
        On the grid of `image`.
    resampled_um : float or None
        The pixel size at which the network worked, if that is not the image's own.
    """
    shape = (int(image.shape[0]), int(image.shape[1]))
    factor = scale_factor(pixel_size_um, model.pixel_size_um)
    grid = Resampling.by(factor, shape)
    tiles = plan_windows(grid.new, model, options)
    probability = np.empty(grid.new, dtype=np.uint8)
    for done, tile in enumerate(tiles, start=1):
        pixels = np.asarray(image[grid.needed(within(tile.window, grid.new))])
        probability[tile.core] = predict_core(
            pixels, model, tile, grid, channel=options.channel or model.channel, values=values
        )
        yield Progress(done, len(tiles), f"tile {done} of {len(tiles)}")
    whole = slice(0, shape[0]), slice(0, shape[1])
    resampled_um = None if grid.is_none or pixel_size_um is None else pixel_size_um / factor
    found = grid.back.take(probability, whole)
    if not grid.is_none and is_rgb(image.shape) and image.shape[-1] == 4:
        found = np.where(np.asarray(image[..., 3]) == 0, np.uint8(0), found)
    return found, resampled_um


def plan_windows(shape: tuple[int, int], model: Model, options: Options) -> list[PlannedWindow]:
    """Plan the windows for a plane, smaller than asked for where memory may not do for these.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the plane, in pixels, at the scale of the model.
    model : Model
        The network or the classical method.
    options : Options
        Tile size.

    Returns
    -------
    list of Tile
        See `plane.tiling.plan_grid`.
    """
    fitting = model.window_that_fits(options.tile)
    return plan_grid(shape, smaller_window(options.tile, fitting, model.halo), model.halo)


def predict_core(
    pixels: NDArray[Any],
    model: Model,
    tile: PlannedWindow,
    grid: Resampling,
    *,
    channel: str,
    values: ValueRange,
) -> NDArray[np.uint8]:
    """Compute the part of the 8-bit probability map that a window is responsible for.

    Parameters
    ----------
    pixels : ndarray, shape (Y, X) or (Y, X, C)
        Those of the image that `grid.needed` names for the part of the window inside the plane.
    model : Model
        The network or the classical method.
    tile : Tile
        The window, on the grid the network works on.
    grid : Resampling
        From the image's grid to that one.
    channel : str
        What the network reads of the colours.
    values : ValueRange
        Which of its values is white.

    Returns
    -------
    ndarray of uint8
        Of the shape of the window's core.
    """
    taken = grid.take(network_input(pixels, channel, values), within(tile.window, grid.new))
    window = mirrored(taken, tile.window)
    core = to_grey(model.predict(window[None])[0][tile.inner])
    return _where_opaque(core, pixels, tile, grid)


def _where_opaque(
    core: NDArray[np.uint8], pixels: NDArray[Any], tile: PlannedWindow, grid: Resampling
) -> NDArray[np.uint8]:
    """Find nothing where an image is transparent."""
    if pixels.ndim != 3 or pixels.shape[-1] != 4 or pixels[..., 3].all():
        return core
    window = within(tile.window, grid.new)
    clear = grid.take((pixels[..., 3] == 0).astype(np.float32), window)
    rows, columns = (
        slice(part.start - whole.start, part.stop - whole.start)
        for part, whole in zip(tile.core, window, strict=True)
    )
    return np.where(clear[rows, columns] >= 0.5, np.uint8(0), core)
