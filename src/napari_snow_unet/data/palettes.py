"""The numbers of a mask in an image with a palette: which of them is background."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from tifffile import PHOTOMETRIC, TiffPage

_WHITE = 250  # and above


def values_of_palette(
    indices: npt.NDArray[Any],
    colours: npt.NDArray[np.uint8],
    transparent: npt.NDArray[np.bool_] | None = None,
) -> npt.NDArray[Any]:
    """Return the numbers that an image with a palette stands for, where it is a mask.

    Background is what is transparent. Else it is index 0 where that is black, or where it is white
    and on more pixels than black, as slide viewers and ImageJ write masks; else it is black, or
    index 0 where nothing is black. Greys beside a black background stand for their brightness,
    since programs that make PNGs smaller change their order; all else stands for its index.

    Parameters
    ----------
    indices : ndarray of int, shape (Y, X)
        As stored.
    colours : ndarray of uint8, shape (N, 3)
        The palette, with a row for each index that occurs.
    transparent : ndarray of bool, shape (N,), optional
        Entries that are not seen.

    Returns
    -------
    ndarray of int, shape (Y, X)
        0 is background.
    """
    counts = np.bincount(indices.ravel(), minlength=len(colours))
    values = np.arange(len(colours))
    if transparent is not None and counts[transparent].any():
        if not transparent[0]:
            values[0] = len(colours)
        values[transparent] = 0
        return values[indices]
    background, used = _background(colours, counts), colours[counts > 0]
    if not colours[background].any() and (used == used[:, :1]).all():
        return colours[indices, 0]
    values[[0, background]] = background, 0
    return values[indices] if background else indices


def _background(colours: npt.NDArray[np.uint8], counts: npt.NDArray[np.int64]) -> int:
    black = np.flatnonzero(~colours.any(axis=1) & (counts > 0))
    if not colours[0].any() or not black.size:
        return 0
    if colours[0].min() >= _WHITE and counts[0] > counts[black].sum():
        return 0
    return int(black[0])


def palette_of_tiff(page: TiffPage) -> npt.NDArray[np.uint8] | None:
    """Return the palette of a page, shape (N, 3); None if it has none."""
    if page.photometric != PHOTOMETRIC.PALETTE or page.colormap is None:
        return None
    # Some programs write 8 bits where the standard asks for 16.
    shift = 8 if page.colormap.max() > np.iinfo(np.uint8).max else 0
    return (page.colormap >> shift).astype(np.uint8).T
