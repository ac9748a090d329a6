"""Datasets for the API: prepare, check and split them."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from typing import Any, NamedTuple

from napari_snow_unet.api.calls import ShowProgress, blocks, finish, split_options, steps, takes
from napari_snow_unet.api.inputs import paths_of
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.base.shown import table
from napari_snow_unet.data.datasets.check.dataset import CheckReport, check_dataset
from napari_snow_unet.data.datasets.divide import split_dataset
from napari_snow_unet.data.datasets.prepare.dataset import prepare as prepared
from napari_snow_unet.data.datasets.prepare.ledger import Prepared, subset_rows
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.splits import SplitPlan
from napari_snow_unet.data.masks.judgement import MasksAre

_SPLIT = ("folders", "folds")  # decided by `prepare` itself, and for `split`


@steps(SplitPlan, PrepareOptions, without=("um_per_px", "split", *_SPLIT))
def prepare_steps(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    pixel_size_um: float | None = None,
    **options: Any,
) -> Generator[Progress, None, Prepared]:
    """Prepare a dataset step by step.

    Parameters
    ----------
    sources, folder, pixel_size_um, **options
        See `prepare`.

    Yields
    ------
    Progress
        Per source while they are listed, then per tile. What is finished stays if you stop.

    Returns
    -------
    Prepared
        As `prepare` returns it, when the generator ends.
    """
    split, given = split_options(options, SplitPlan, PrepareOptions)
    plan = SplitPlan(**split) if split else None
    chosen = PrepareOptions(split=plan, um_per_px=pixel_size_um, **given)
    return (yield from prepared(paths_of(sources), folder, chosen))


@blocks(prepare_steps)
def prepare(
    sources: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    progress: ShowProgress = None,
    **options: Any,
) -> Prepared:
    """Make a dataset from images and masks, or continue one.

    Parameters
    ----------
    sources : path-like, or iterable of path-like
        Folders and zip archives with images and masks of the same names; they are only read.
    folder : path-like
        The dataset: a folder that is new, empty, or was made by this function.
    progress : callable or True, optional
        Called with a `Progress` per tile; True shows a progress bar.
    pixel_size_um : float, optional
        Micrometres per pixel, for images that do not state it.
    train, val, test : int or float, optional
        Tiles of each subset: a number, or a fraction from 0.0 to 1.0. If you give any, the others
        default to 0; by default 72, 8 and 20 %, and of 5,000 tiles or more 3,600, 400 and 1,000.
    seed : int, default: 0
        Random seed of the split.
    group_by : str, optional
        Regular expression on image names; tiles with the same match (or its first group, such as
        a patient ID) stay in one subset.
    limit : int, optional
        Use only the first pairs.
    shard : int, optional
        Tiles per subfolder.
    binary : bool, optional
        Write masks of 0 and 255 instead of one number per nucleus.
    masks_are : {"labels", "binary", "classes"}, optional
        What masks hold; by default judged by their values.
    verify : bool, default: False
        Read masks in archives to their end, for the checksum.
    workers : int, optional
        Processes; by default one per core. They do not import your script.

    Returns
    -------
    Prepared
        ``folder``, ``tiles``, ``subsets`` (number of tiles by name), ``problems`` and ``messages``.

    Raises
    ------
    InputError
        If nothing can be paired, the folder holds something else, the split asks for more tiles
        than there are, or the disk is full.
    TypeError
        If there is no such option.
    """
    return finish(prepare_steps(sources, folder, **options), progress)


@steps()
def check_steps(
    dataset: str | os.PathLike[str],
    *,
    workers: int | None = None,
    masks_are: MasksAre | None = None,
) -> Generator[Progress, None, CheckReport]:
    """Check a dataset step by step.

    Parameters
    ----------
    dataset, workers, masks_are
        See `check`.

    Yields
    ------
    Progress
        Per pair of image and mask.

    Returns
    -------
    CheckReport
        As `check` returns it, when the generator ends.
    """
    return check_dataset(dataset, workers=workers, masks_are=masks_are)


@blocks(check_steps)
def check(
    dataset: str | os.PathLike[str], *, progress: ShowProgress = None, **options: Any
) -> CheckReport:
    """Look for problems in a dataset; nothing is changed.

    Parameters
    ----------
    dataset : path-like
        A prepared dataset, or any folder with images and masks.
    progress : callable or True, optional
        Called with a `Progress` per pair; True shows a progress bar.
    workers : int, optional
        Processes; by default one per core.
    masks_are : {"labels", "binary", "classes"}, optional
        What masks hold; by default judged by their values.

    Returns
    -------
    CheckReport
        ``tiles`` (their number), ``problems`` to be mended, all ``findings`` and a ``summary``.

    Raises
    ------
    InputError
        If there is no such folder, or no pair of image and mask in it.
    TypeError
        If there is no such option.
    """
    return finish(check_steps(dataset, **options), progress)


class SplitSizes(NamedTuple):
    """How many tiles are where after `split`."""

    subsets: dict[str, int]  # tiles in "train", "val", "test" and "unused"
    folds: list[int]  # tiles per fold; empty without folds

    def _repr_html_(self) -> str:
        folds = ((f"fold {number}", f"{tiles:,}") for number, tiles in enumerate(self.folds))
        return table(("subset", "tiles"), [*subset_rows(self.subsets), *folds])


@takes()
def split(
    dataset: str | os.PathLike[str],
    *,
    train: float | None = None,
    val: float | None = None,
    test: float | None = None,
    seed: int | None = None,
    group_by: str | None = None,
    folds: int | None = None,
) -> SplitSizes:
    """Split a prepared dataset again; only its table changes.

    Parameters
    ----------
    dataset : path-like
        What `prepare` made.
    train, val, test, seed, group_by
        See `prepare`. If you give none of them, the subsets stay as they are.
    folds : int, optional
        Number of folds for cross-validation over the tiles that are not in the test subset.

    Returns
    -------
    SplitSizes
        ``subsets`` and ``folds``: numbers of tiles.

    Raises
    ------
    InputError
        If the folder is not a prepared dataset, the split asks for more tiles than there are, or
        another program writes to it.
    """
    given = (train, val, test, seed, group_by)
    plan = None
    if any(value is not None for value in given):
        plan = SplitPlan(train, val, test, seed or 0, group_by, folds)
    return SplitSizes(*split_dataset(dataset, plan, folds))
