"""Small nuclei and those at the border taken out of corrected labels, and put back again."""

from __future__ import annotations

import numpy as np

from napari_snow_unet.segmentation.corrections.change import Change, Labels
from napari_snow_unet.segmentation.corrections.tally import Areas


def refilter(
    labels: Labels, hidden: Labels, *, min_area: float = 0.0, clear_border: bool = False
) -> tuple[Change, Labels]:
    """Take nuclei out, and put back those that were taken out before and are wanted now.

    Parameters
    ----------
    labels : (Y, X) array
        The corrected labels as they are shown.
    hidden : (Y, X) array
        The nuclei that were taken out before, 0 elsewhere. Where labels have a nucleus by now, by
        undo or by hand, it is ignored. Who deletes a nucleus sets its pixels in it to 0.
    min_area : float
        In pixels; smaller nuclei are taken out.
    clear_border : bool
        Whether nuclei that touch the border are taken out.

    Returns
    -------
    change : Change
        To the labels; without pixels where nothing changes.
    hidden : (Y, X) array
        The nuclei that are out now.
    """
    every = np.where(labels != 0, labels, hidden)
    areas = Areas.of(every)
    unwanted = areas.ids[areas.areas < min_area]
    if clear_border:
        edges = np.concatenate([every[0], every[-1], every[:, 0], every[:, -1]])
        unwanted = np.union1d(unwanted, edges[edges != 0])
    out = np.isin(every, unwanted)
    wanted = np.where(out, 0, every).astype(labels.dtype)
    indices = np.nonzero(wanted != labels)
    change = Change(indices, wanted[indices], "filtered", tuple(unwanted.tolist()))
    return change, np.where(out, every, 0)
