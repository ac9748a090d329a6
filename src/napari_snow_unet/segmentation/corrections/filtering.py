"""Small nuclei and those at the border taken out of corrected labels, and put back again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.segmentation.corrections.change import Change, Labels
from napari_snow_unet.segmentation.corrections.tally import Areas


def refilter(
    labels: Labels, hidden: Change | None, *, min_area: float = 0.0, clear_border: bool = False
) -> tuple[Change, Change]:
    """Take nuclei out, and put back those that were taken out before and are wanted now.

    Parameters
    ----------
    labels : (Y, X) array
        The corrected labels as they are shown.
    hidden : Change or None
        The pixels and numbers of the nuclei that are out so far. One stays out while other
        nuclei cover half of it or more; of others only free pixels are put back.
    min_area : float
        In pixels; smaller nuclei are taken out.
    clear_border : bool
        Whether nuclei that touch the border are taken out.

    Returns
    -------
    change : Change
        To the labels; without pixels where nothing changes.
    hidden : Change
        The nuclei that are out now.
    """
    every, covered = _all_nuclei(labels, hidden)
    areas = Areas.of(every)
    unwanted = areas.ids[areas.areas < min_area]
    if clear_border:
        edges = np.concatenate([every[0], every[-1], every[:, 0], every[:, -1]])
        unwanted = np.union1d(unwanted, edges[edges != 0])
    out = np.isin(every, unwanted)
    wanted = np.where(out, 0, every).astype(labels.dtype)
    ids = tuple(unwanted.tolist())
    changed, gone = np.nonzero(wanted != labels), np.nonzero(out)
    away = [_flat(gone, labels), every[gone]]
    if covered is not None:
        away = [np.append(away[0], covered[0]), np.append(away[1], covered[1])]
    rows, columns = np.divmod(away[0], labels.shape[1])
    change = Change(changed, wanted[changed], "filtered", ids)
    return change, Change((rows, columns), away[1].astype(labels.dtype), "filtered", ids)


def _all_nuclei(
    labels: Labels, hidden: Change | None
) -> tuple[Labels, tuple[NDArray[np.intp], Labels] | None]:
    """Return labels with the hidden nuclei that have room, and the pixels of the others."""
    if hidden is None or not len(hidden.values):
        return labels, None
    free = labels[hidden.indices] == 0
    _, places, whole = np.unique(hidden.values, return_inverse=True, return_counts=True)
    has_room = (2 * np.bincount(places, free, len(whole)) > whole)[places]
    every = labels.copy()
    shown = free & has_room
    every[tuple(at[shown] for at in hidden.indices)] = hidden.values[shown]
    return every, (_flat(hidden.indices, labels)[~has_room], hidden.values[~has_room])


def _flat(indices: tuple[NDArray[np.intp], ...], labels: Labels) -> NDArray[np.intp]:
    """Return the places of pixels in a plane, row after row."""
    rows, columns = indices
    return rows * labels.shape[1] + columns
