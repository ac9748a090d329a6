"""Prepare a compact, checked dataset from SNOW as released, or from any images and masks.

Tiles are made by worker processes, which may crash. Image and mask are complete before the table
gets their row, so that the folder is a valid dataset at any moment and a second call continues
where the first one stopped.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath

from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.base.locks import folder_locked
from napari_snow_unet.base.options import check
from napari_snow_unet.base.processes import ProcessPool
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.datasets.dataset_info import DatasetInfo
from napari_snow_unet.data.datasets.manifest import is_dataset, read_manifest
from napari_snow_unet.data.datasets.members import (
    ListedMember,
    Member,
    close_archives,
    read_member,
)
from napari_snow_unet.data.datasets.prepare import messages
from napari_snow_unet.data.datasets.prepare.kept import (
    about_other_masks,
    about_other_pixel_size,
    is_split_by_hand,
)
from napari_snow_unet.data.datasets.prepare.ledger import Ledger, Prepared, cannot_write, writing
from napari_snow_unet.data.datasets.prepare.options import (
    PrepareOptions,
    dataset_info_of,
)
from napari_snow_unet.data.datasets.prepare.plan import PreparationPlan, make_plan, paired
from napari_snow_unet.data.datasets.prepare.tiles import WriteError, make_tile
from napari_snow_unet.data.datasets.problems import Problem
from napari_snow_unet.data.datasets.sources import find_members
from napari_snow_unet.data.datasets.splits import SUBSETS, SplitPlan, are_divided, subset_sizes
from napari_snow_unet.data.datasets.white_value import white_of_images
from napari_snow_unet.data.pairs.folder import files_in
from napari_snow_unet.data.pairs.pairing import Paired
from napari_snow_unet.data.pairs.unread_files import NO_PAIR, nothing_to_use, passed_over
from napari_snow_unet.data.pixels.pixel_size import doubt_pixel_size


def prepare(
    sources: Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    options: PrepareOptions | None = None,
) -> Generator[Progress, None, Prepared]:
    """Prepare a dataset of images and masks, or continue one.

    Parameters
    ----------
    sources : sequence of path-like
        Folders and zip archives; they are only read.
    folder : path-like
        The dataset: a new or empty folder, or a dataset to continue.
    options : PrepareOptions, optional
        User options.

    Yields
    ------
    Progress
        Per source while files are listed, then per tile.

    Returns
    -------
    Prepared
        The dataset, and the files that could not be used.

    Raises
    ------
    InputError
        If a source is missing, the sources have no pairs, the folder holds other files or a
        dataset with other options, the split needs more tiles than there are, or the disk is full.
    """
    options = options or PrepareOptions()
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 (resolve() would follow links)
    check(options)
    info = dataset_info_of(folder, options)
    members, unusable = yield from find_members(sources, folder)
    pairs, unpaired = paired(members, options.limit)
    problems = unusable + unpaired
    about_subsets: list[str] = []
    if not is_dataset(folder):
        if not pairs.pairs:
            raise _no_pairs(sources, members, unusable, unpaired)
        info, about_subsets = _subsets(pairs, info, options.split)
        if options.split is not None:
            subset_sizes(options.split, len(pairs.pairs))
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with folder_locked(folder):
        tiles = read_manifest(folder) if is_dataset(folder) else []
        by_hand = options.split is None and is_split_by_hand(tiles, info)
        plan = yield from make_plan(pairs, folder, tiles, info, verify=options.verify)
        plan.problems.extend(problems)
        plan.messages.extend([*pairs.notes, *about_subsets])
        plan.messages.extend(passed_over(member.label for member in pairs.unread))
        plan, info = _with_white(plan, info)
        plan.messages.extend(_about_options(options, info, plan, pairs))
        if options.split is not None:
            subset_sizes(options.split, len(plan.indices))
        with writing(folder):
            ledger = Ledger(folder, info, plan, by_hand=by_hand)
        yield from _make_tiles(plan, ledger, options.workers)
        with writing(folder):
            return ledger.close()


def _subsets(
    pairs: Paired[Member], info: DatasetInfo, split: SplitPlan | None
) -> tuple[DatasetInfo, list[str]]:
    """Follow folders called train, val and test unless the user chose a split."""
    subsets = Counter(pair.subset for pair in pairs.pairs)
    if not are_divided(subsets):
        return info, []
    folders = " and ".join(subset for subset in reversed(SUBSETS) if subsets[subset])
    if split is not None:
        return info, [messages.folders_ignored(folders)]
    texts = [messages.folders_followed(folders)]
    if not subsets["val"]:
        texts.append(messages.validation_drawn(info.split.seed))
    if subsets[""]:
        texts.append(messages.outside_folders(subsets[""]))
    return replace(info, split=replace(info.split, folders=True)), texts


def _no_pairs(
    sources: Sequence[str | os.PathLike[str]],
    members: Sequence[ListedMember],
    unusable: Sequence[Problem],
    unpaired: Sequence[Problem],
) -> InputError:
    """Refuse sources without pairs: because of a bad archive, or naming the files in them."""
    if unusable and not members:
        return InputError(Message(unusable[0].reason), path=unusable[0].name)
    path = ", ".join(os.fspath(source) for source in sources)
    files = []
    for source in sources:
        root = Path(os.path.abspath(source))  # noqa: PTH100
        named = root.is_file() or len(sources) > 1
        files += [f"{root.name}/{file}" if named else file for file in _inside(root, members)]
    left = [(problem.name, problem.reason) for problem in unpaired]
    return nothing_to_use(NO_PAIR, files, "pairs", path, left)


def _inside(root: Path, members: Sequence[ListedMember]) -> list[str]:
    """List the files of a source, including those in its archives."""
    packed: dict[Path, list[str]] = {}
    for member, place, _ in members:
        if member.offset >= 0:
            packed.setdefault(Path(place), []).append(member.path)
    if root.is_file():
        return packed.get(root, [])
    files: list[str] = []
    for file in files_in(root):
        files += [f"{file}/{inner}" for inner in packed.get(root / file, [])] or [file]
    return files


def _with_white(plan: PreparationPlan, info: DatasetInfo) -> tuple[PreparationPlan, DatasetInfo]:
    """Find the white value of each data type among the new images."""
    members = [task.image for task in plan.tasks]
    new, _ = white_of_images(
        (
            (member.source, PurePosixPath(member.path).parent, PurePosixPath(member.path).suffix),
            partial(read_member, member),
        )
        for member in members
    )
    white = new | info.white  # earlier decisions stay
    tasks = [replace(task, white=white) for task in plan.tasks] if white else plan.tasks
    return replace(plan, tasks=tasks), replace(info, white=white)


def _about_options(
    options: PrepareOptions, info: DatasetInfo, plan: PreparationPlan, pairs: Paired[Member]
) -> list[str]:
    """Report options of the previous run, and tiles that keep theirs."""
    texts = []
    if plan.tasks and options.um_per_px is None and info.um_per_px is not None:
        texts.append(messages.pixel_size_kept(info.um_per_px))
    if doubt := doubt_pixel_size(options.um_per_px):
        texts.append(doubt)
    if options.um_per_px is not None:
        sources = {pair.image.label for pair in pairs.pairs}
        texts += about_other_pixel_size(plan.staying, sources, options.um_per_px or None)
    if options.masks_are is not None:
        texts += about_other_masks(plan.staying)
    elif plan.tasks and info.masks_are is not None:
        texts.append(messages.masks_kept(info.masks_are))
    return texts


def _make_tiles(
    plan: PreparationPlan, ledger: Ledger, workers: int | None
) -> Generator[Progress, None, None]:
    """Make all tiles of a plan; finished tiles are kept if this is stopped."""
    total = len(plan.indices)
    done = total - len(plan.tasks)
    yield Progress(done, total, messages.MAKING_TILES)
    pool = ProcessPool(make_tile, plan.tasks, workers)
    try:
        for task, result in pool:
            with writing(ledger.folder):
                ledger.note(task, result)
            done += 1
            yield Progress(done, total, task.name)
    except WriteError as error:
        raise cannot_write(ledger.folder, error.args[0]) from error
    finally:
        with suppress(WriteError, OSError):
            for task, result in pool.finish():
                ledger.note(task, result)
        with suppress(OSError):
            ledger.save()
        close_archives()
