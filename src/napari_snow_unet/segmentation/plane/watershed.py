"""scikit-image's seeded watershed, without the modules that its public function loads.

They are scipy.ndimage and scipy.spatial, a quarter of the time of segmenting one tile from the
shell, for arguments that are not used here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_EDGES = ((-1, 0), (0, -1), (0, 1), (1, 0))
_CORNERS = ((-1, -1), (-1, 1), (1, -1), (1, 1))


def watershed(
    heights: NDArray[np.float32],
    markers: NDArray[np.int32],
    inside: NDArray[np.bool_],
    *,
    across_corners: bool = False,
) -> NDArray[np.int32]:
    """Flood heights (Y, X) from markers, inside a mask; equal to `skimage.segmentation.watershed`.

    Notes
    -----
    The flooding is by P. Soille and L. Vincent, as scikit-image's compiled part has it.
    """
    try:
        from skimage.segmentation import _watershed_cy as compiled

        return _flooded(compiled, heights, markers, inside, across_corners)
    except (
        ImportError,
        AttributeError,
        TypeError,
        ValueError,
    ):  # another version has it in another form
        from skimage.segmentation import watershed as public

        parts = public(heights, markers, connectivity=1 + across_corners, mask=inside)
        return np.asarray(parts, dtype=np.int32)


def _flooded(
    compiled: Any,
    heights: NDArray[np.float32],
    markers: NDArray[np.int32],
    inside: NDArray[np.bool_],
    across_corners: bool,
) -> NDArray[np.int32]:
    framed = np.pad(heights.astype(np.float64), 1)  # so that nothing flows off the edge
    parts = np.pad((markers * inside).astype(np.int32), 1)
    strides = np.array(framed.strides, dtype=np.intp) // framed.itemsize
    neighbours = np.array(_EDGES + _CORNERS * across_corners, dtype=np.intp) @ strides
    compiled.watershed_raveled(
        framed.ravel(),
        np.flatnonzero(parts),
        neighbours,
        np.pad(inside.astype(np.int8), 1).ravel(),
        strides,
        0.0,  # compactness
        parts.ravel(),
        False,  # no line between parts
    )
    return parts[1:-1, 1:-1].copy()
