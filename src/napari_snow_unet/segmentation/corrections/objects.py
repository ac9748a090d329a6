"""Whole nuclei deleted, merged, without holes, and numbered anew."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.segmentation.corrections import messages
from napari_snow_unet.segmentation.corrections.change import (
    Change,
    Labels,
    Pixels,
    around,
    clicked,
)

WIDEST_GAP = 8  # pixels between two nuclei that are still merged
TOUCHING = 1.5  # pixels between the centres of neighbours, by an edge or a corner
SLACK = 0.5  # pixels by which the way over the gap may be longer than the shortest


def delete(labels: Labels, point: ArrayLike) -> Change:
    """Delete the nucleus at a point, with all its fragments."""
    nucleus = clicked(labels, point)
    values = np.zeros(len(nucleus.rows), labels.dtype)
    return Change(nucleus.indices, values, "deleted", (nucleus.number,))


def merge(labels: Labels, point: ArrayLike, other: ArrayLike) -> Change:
    """Merge the nuclei at two points; the number of the first one is kept.

    A gap of a few pixels between them is closed with background pixels.
    """
    kept, joined = clicked(labels, point), clicked(labels, other)
    if kept.number == joined.number:
        raise InputError(messages.SAME_NUCLEUS)
    rows, columns = _bridge(labels, kept, joined)
    rows, columns = np.append(joined.rows, rows), np.append(joined.columns, columns)
    values = np.full(len(rows), kept.number, labels.dtype)
    return Change((rows, columns), values, "merged", (kept.number, joined.number))


def fill_holes(labels: Labels, point: ArrayLike) -> Change:
    """Give background that a nucleus encloses to this nucleus."""
    from scipy.ndimage import binary_fill_holes

    nucleus = clicked(labels, point)
    box = nucleus.box
    holes = binary_fill_holes(nucleus.mask(box)) & (labels[box] == 0)
    if not holes.any():
        raise InputError(messages.NO_HOLES)
    indices = placed(holes, box)
    values = np.full(len(indices[0]), nucleus.number, labels.dtype)
    return Change(indices, values, "filled", (nucleus.number,))


def relabel(labels: Labels) -> Change:
    """Renumber nuclei from 1 without gaps, in the order of their numbers."""
    from skimage.segmentation import relabel_sequential

    if labels.min(initial=0) < 0:
        raise InputError(messages.NEGATIVE)
    numbered, _, _ = relabel_sequential(labels)
    indices = np.nonzero(numbered != labels)
    if not len(indices[0]):
        raise InputError(messages.CONSECUTIVE)
    return Change(indices, numbered[indices].astype(labels.dtype), "relabelled", ())


def placed(
    mask: NDArray[np.bool_], box: tuple[slice, slice]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns, in the plane, of the pixels of a mask that covers a box."""
    rows, columns = np.nonzero(mask)
    return rows + box[0].start, columns + box[1].start


def _bridge(
    labels: Labels, kept: Pixels, joined: Pixels
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the background between two nuclei; refuse those that are too far apart."""
    box = around(kept.box, WIDEST_GAP + 1, labels.shape)
    near = np.zeros(labels[box].shape, bool)
    inside = [
        (at >= side.start) & (at < side.stop) for at, side in zip(joined.indices, box, strict=True)
    ]
    rows, columns = (at[inside[0] & inside[1]] for at in joined.indices)
    near[rows - box[0].start, columns - box[1].start] = True
    to_kept, to_joined = _distance_to(kept.mask(box)), _distance_to(near)
    shortest = float(to_kept[near].min(initial=np.inf))
    if shortest - 1 > WIDEST_GAP:
        raise InputError(messages.too_far_apart(_gap(kept, joined)))
    between = (to_kept + to_joined <= shortest + SLACK) & (labels[box] == 0)
    return placed(between & (shortest > TOUCHING), box)


def _distance_to(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return how far each pixel's centre is from the nearest one of a mask."""
    import cv2

    outside = (~mask).astype(np.uint8)
    distances = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distances, np.float32)


def _gap(kept: Pixels, joined: Pixels) -> int:
    """Return how many pixels lie between two nuclei."""
    from scipy.spatial import KDTree

    distances, _ = KDTree(np.transpose(kept.indices)).query(np.transpose(joined.indices))
    return max(round(float(distances.min())) - 1, 1)
