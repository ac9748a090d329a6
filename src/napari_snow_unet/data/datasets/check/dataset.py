"""Check a prepared dataset, or any folder of images and masks."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_snow_unet.base.processes import Died, ProcessPool
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.base.shown import Shown, paragraph, table
from napari_snow_unet.base.words import shape_in_words
from napari_snow_unet.data.datasets import messages as of_datasets
from napari_snow_unet.data.datasets.check import messages
from napari_snow_unet.data.datasets.check.findings import (
    CheckedPair,
    Finding,
    about_masks,
    about_reading,
    about_sizes,
    about_subsets,
    about_tile,
    about_truth,
    duplicates,
)
from napari_snow_unet.data.datasets.check.tile import FactTask, TileFacts, read_facts
from napari_snow_unet.data.datasets.dataset_info import DatasetInfo, masks_in, read_info
from napari_snow_unet.data.datasets.manifest import is_dataset, read_manifest
from napari_snow_unet.data.datasets.splits import SUBSETS, UNUSED
from napari_snow_unet.data.datasets.white_value import white_of_images
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.names.file_names import IMAGE_SUFFIXES
from napari_snow_unet.data.pairs.folder import files_in, find_pairs
from napari_snow_unet.data.pairs.unread_files import NO_PAIR, nothing_to_use, passed_over

_PLACES = ("images", "masks")
_NUMBERED = re.compile(r"\d{6,}\.png")  # as `prepare` names tiles


@dataclass(frozen=True, repr=False)
class CheckReport(Shown):
    """The findings of a check and a summary of the dataset.

    Attributes
    ----------
    folder : Path
        The dataset.
    tiles : int
        Number of pairs that could be read.
    findings : list of Finding
        Problems first.
    summary : dict
        Sizes, types, nuclei, foreground and subsets: plain values that JSON can hold.
    """

    folder: Path
    tiles: int
    findings: list[Finding]
    summary: dict[str, Any]

    @property
    def problems(self) -> list[Finding]:
        """The findings to resolve before training."""
        return [finding for finding in self.findings if finding.severity == "problem"]

    def text(self) -> str:
        """Return the number of problems and notes as a sentence."""
        problems = len(self.problems)
        return messages.checked(self.tiles, problems, len(self.findings) - problems)

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        return self.text()

    def _repr_html_(self) -> str:
        rows = [(one.severity, one.name, one.text) for one in self.findings]
        return paragraph(self.text()) + (table(("", "file", "finding"), rows) if rows else "")


def check_dataset(
    folder: str | os.PathLike[str],
    *,
    workers: int | None = None,
    masks_are: MasksAre | None = None,
) -> Generator[Progress, None, CheckReport]:
    """Check every pair of a dataset and compare the images with each other.

    Parameters
    ----------
    folder : path-like
        A prepared dataset, or any folder with images and masks. The subsets of the latter follow
        from folders called train, val (validation) and test.
    workers : int, optional
        Number of processes; by default as many as there are cores, if it takes seconds.
    masks_are : {"labels", "binary", "classes"}, optional
        Overrides the judgement of masks in PNG, TIFF and BMP. For a prepared dataset its
        ``dataset.json`` is used instead.

    Yields
    ------
    Progress
        Per pair.

    Returns
    -------
    CheckReport
        The findings. No file is changed.

    Raises
    ------
    InputError
        If the folder does not exist or has no pairs.
    """
    folder = Path(folder)
    prepared = is_dataset(folder)
    info = read_info(folder) if prepared else DatasetInfo()
    pairs, findings = _prepared_pairs(folder) if prepared else _foreign_pairs(folder)
    if not pairs:
        left = [(finding.name, finding.text) for finding in findings if finding.name]
        raise nothing_to_use(NO_PAIR, files_in(folder), "pairs", folder, left)
    all_facts = yield from _read_all(pairs, workers, info.white, masks_in(folder) or masks_are)
    readable: list[tuple[CheckedPair, TileFacts]] = []
    for pair, facts in zip(pairs, all_facts, strict=True):
        if facts.error:
            findings.append(Finding("problem", "unreadable", pair.name, facts.error))
        else:
            readable.append((pair, facts))
            findings += about_tile(pair, facts, binary=info.masks == "binary")
    yield Progress(len(pairs), len(pairs), messages.COMPARING)
    findings += about_reading(readable)
    findings += about_masks([facts for _, facts in readable])
    findings += about_sizes(readable)
    findings += duplicates(readable)
    if prepared:
        findings += about_subsets([pair for pair in pairs if pair.tile], info)
        findings += about_truth([pair.tile for pair in pairs if pair.tile])
    findings.sort(key=lambda finding: finding.severity != "problem")
    return CheckReport(folder, len(readable), findings, _summary(readable))


def _prepared_pairs(folder: Path) -> tuple[list[CheckedPair], list[Finding]]:
    tiles = read_manifest(folder)
    pairs = [
        CheckedPair(tile.image, folder / tile.image, folder / tile.mask, tile.split, tile)
        for tile in tiles
    ]
    listed = {path for pair in pairs for path in (pair.image, pair.mask)}
    return pairs, list(_about_unlisted(folder, listed))


def _about_unlisted(folder: Path, listed: set[Path]) -> Iterator[Finding]:
    """Report files without a row; pairs of an interrupted `prepare` are notes."""
    for place in _PLACES:
        for path in sorted((folder / place).rglob("*")):
            if path in listed or path.suffix.lower() not in IMAGE_SUFFIXES or path.name[0] == ".":
                continue
            twins = [folder / other / path.relative_to(folder / place) for other in _PLACES]
            name = _relative(path, folder)
            if not _NUMBERED.fullmatch(path.name) or not all(
                twin.exists() and twin not in listed for twin in twins
            ):
                yield Finding("problem", "table", name, messages.NOT_IN_MANIFEST)
            elif path == twins[0]:  # once for both
                yield Finding("note", "table", name, messages.NOT_YET_IN_MANIFEST)


def _foreign_pairs(folder: Path) -> tuple[list[CheckedPair], list[Finding]]:
    result = find_pairs(folder)
    root = Path(os.path.abspath(folder))  # noqa: PTH100 (as find_pairs does)
    pairs = []
    for image, mask, subset in zip(result.images, result.masks, result.subsets, strict=True):
        pairs.append(CheckedPair(_relative(image, root), image, mask, subset))
    findings = [
        Finding("problem", "no partner", _relative(path, root), reason)
        for path, reason in zip(result.orphans, result.reasons, strict=True)
    ]
    notes = [*result.notes, *passed_over(result.unread)]
    return pairs, findings + [Finding("note", "layout", "", note) for note in notes]


def _read_all(
    pairs: Sequence[CheckedPair],
    workers: int | None,
    white: Mapping[str, float],
    masks_are: MasksAre | None,
) -> Generator[Progress, None, list[TileFacts]]:
    images = (
        ((path.parent, path.suffix), partial(Path, path)) for path in (p.image for p in pairs)
    )
    white = {**white_of_images(images)[0], **white}
    tasks = [FactTask(pair.image, pair.mask, white, masks_are) for pair in pairs]
    facts: dict[int, TileFacts] = {}
    number_of = {id(task): number for number, task in enumerate(tasks)}
    pool = ProcessPool(read_facts, tasks, workers)
    try:
        for task, result in pool:
            if isinstance(result, Died):
                result = TileFacts(error=of_datasets.READING_CRASHED)
            facts[number_of[id(task)]] = result
            yield Progress(len(facts), len(tasks), task.image.name)
    finally:
        list(pool.finish())
    return [facts[number] for number in range(len(tasks))]


def _summary(readable: Sequence[tuple[CheckedPair, TileFacts]]) -> dict[str, Any]:
    order = [*reversed(SUBSETS), UNUSED, "all"]
    foreground = np.array([facts.foreground for _, facts in readable] or [0.0])
    subsets: dict[str, list[TileFacts]] = {}
    for pair, facts in readable:
        subsets.setdefault(pair.subset or "all", []).append(facts)
    order += subsets
    return {
        "sizes": dict(Counter(shape_in_words(facts.shape[:2]) for _, facts in readable)),
        "image types": dict(Counter(facts.dtype for _, facts in readable)),
        "mask types": dict(Counter(facts.mask_dtype for _, facts in readable)),
        "nuclei": sum(facts.nuclei for _, facts in readable),
        "empty masks": sum(not facts.ids for _, facts in readable),
        "foreground": round(float(foreground.mean()), 4),
        "foreground 5 % and 95 %": [
            round(float(value), 4) for value in np.quantile(foreground, (0.05, 0.95))
        ],
        "parts": {
            subset: {
                "tiles": len(of_subset),
                "nuclei": sum(facts.nuclei for facts in of_subset),
                "foreground": round(float(np.mean([f.foreground for f in of_subset])), 4),
            }
            for subset, of_subset in sorted(subsets.items(), key=lambda item: order.index(item[0]))
        },
    }


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
