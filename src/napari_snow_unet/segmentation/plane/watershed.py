"""scikit-image's seeded watershed, without the modules that its public function imports.

Importing scipy.ndimage and scipy.spatial takes a quarter of the time of segmenting one tile from
the shell; they are needed only for arguments that are not used here.
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
    Soille and Vincent's flooding, in the compiled code of scikit-image.
    """
    try:
        from skimage.segmentation import _watershed_cy as compiled

        return _flooded(compiled, heights, markers, inside, across_corners)
    except (ImportError, AttributeError, TypeError, ValueError):  # changed in another version
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
    framed = np.pad(heights.astype(np.float64), 1)  # keeps the flooding inside the array
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
        False,  # no watershed lines
    )
    return parts[1:-1, 1:-1].copy()
