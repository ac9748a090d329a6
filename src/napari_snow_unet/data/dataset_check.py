"""What is wrong with a dataset, prepared or any folder of images and masks, or worth knowing."""

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

from napari_snow_unet.data.dataset_info import DatasetInfo, masks_in, read_info
from napari_snow_unet.data.dataset_range import white_of_images
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.manifest import Tile, is_dataset, read_manifest
from napari_snow_unet.data.mask_doubts import Cover, doubt_about
from napari_snow_unet.data.mask_kinds import MasksAre
from napari_snow_unet.data.mask_notes import IN_PIECES, NOTHING, by_gist
from napari_snow_unet.data.naming import IMAGE_SUFFIXES
from napari_snow_unet.data.near_duplicates import find_alike
from napari_snow_unet.data.pixel_size import plausible_um
from napari_snow_unet.data.progress import Progress
from napari_snow_unet.data.snow import files_in, find_pairs
from napari_snow_unet.data.splits import PARTS, UNUSED, groups_of
from napari_snow_unet.data.tile_facts import FactTask, TileFacts, look_at_tile
from napari_snow_unet.data.unread_files import nothing_to_use, passed_over
from napari_snow_unet.data.workers import Crew, Died

_PLACES = ("images", "masks")
_NUMBERED = re.compile(r"\d{6,}\.png")  # as prepare names tiles
_BEGINNING = "^([^_]+)_"  # of a name: often the patient or slide
_LARGEST_ID = 65535
_NAMED = 5


@dataclass(frozen=True)
class Finding:
    """One line of the check.

    Attributes
    ----------
    severity : str
        'problem', which should be mended before training, or 'note'.
    kind : str
        What it is about: 'unreadable', 'no partner', 'size', 'type', 'ids', 'mask', 'empty',
        'duplicate', 'near-duplicate', 'leakage', 'groups', 'layout', 'table', 'balance' or
        'reading'.
    name : str
        The file, relative to the folder; empty for the whole dataset.
    text : str
        What was found.
    """

    severity: str
    kind: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.name}: {self.text}" if self.name else self.text


@dataclass(frozen=True)
class CheckReport:
    """All that the check found.

    Attributes
    ----------
    folder : Path
        The dataset.
    tiles : int
        Number of pairs that could be read.
    findings : list of Finding
        Problems first.
    summary : dict
        Sizes, types, nuclei, foreground and parts: plain values that JSON can hold.
    """

    folder: Path
    tiles: int
    findings: list[Finding]
    summary: dict[str, Any]

    @property
    def problems(self) -> list[Finding]:
        """The findings that should be mended."""
        return [finding for finding in self.findings if finding.severity == "problem"]


@dataclass(frozen=True)
class _Pair:
    """A pair to check, and what the table says of it."""

    name: str
    image: Path
    mask: Path
    part: str
    tile: Tile | None = None


def check_dataset(
    folder: str | os.PathLike[str],
    *,
    workers: int | None = None,
    masks_are: MasksAre | None = None,
) -> Generator[Progress, None, CheckReport]:
    """Look at every pair of a dataset and compare them with each other.

    Parameters
    ----------
    folder : path-like
        A prepared dataset, or any folder with images and masks. The parts of such a folder are
        told by folders called train, val (validation) and test.
    workers : int, optional
        Number of processes; by default as many as there are cores, if it takes seconds.
    masks_are : {"labels", "binary", "classes"}, optional
        What masks in PNG, TIFF and BMP hold, where it is not what they look like. What a prepared
        dataset holds stands in its ``dataset.json``.

    Yields
    ------
    Progress
        Per pair.

    Returns
    -------
    CheckReport
        What was found. Nothing is changed.

    Raises
    ------
    InputError
        If there is no such folder or no pair in it.
    """
    folder = Path(folder)
    prepared = is_dataset(folder)
    info = read_info(folder) if prepared else DatasetInfo()
    pairs, findings = _prepared_pairs(folder) if prepared else _foreign_pairs(folder)
    if not pairs:
        left = [(finding.name, finding.text) for finding in findings if finding.name]
        what = "no image has a mask of its name"
        raise nothing_to_use(what, files_in(folder), "pairs", folder, left)
    looked = yield from _look(pairs, workers, info.white, masks_in(folder) or masks_are)
    readable: list[tuple[_Pair, TileFacts]] = []
    for pair, facts in zip(pairs, looked, strict=True):
        if facts.error:
            findings.append(Finding("problem", "unreadable", pair.name, facts.error))
        else:
            readable.append((pair, facts))
            findings += _about_tile(pair, facts, binary=info.masks == "binary")
    yield Progress(len(pairs), len(pairs), "comparing")
    findings += _about_reading(readable)
    findings += _about_masks([facts for _, facts in readable])
    findings += _about_sizes(readable)
    findings += _duplicates(readable)
    if prepared:
        findings += _about_parts([pair for pair in pairs if pair.tile], info)
    findings.sort(key=lambda finding: finding.severity != "problem")
    return CheckReport(folder, len(readable), findings, _summary(readable))


def _prepared_pairs(folder: Path) -> tuple[list[_Pair], list[Finding]]:
    tiles = read_manifest(folder)
    pairs = [
        _Pair(tile.image, folder / tile.image, folder / tile.mask, tile.split, tile)
        for tile in tiles
    ]
    listed = {path for pair in pairs for path in (pair.image, pair.mask)}
    return pairs, list(_about_unlisted(folder, listed))


def _about_unlisted(folder: Path, listed: set[Path]) -> Iterator[Finding]:
    """Tell pairs that `prepare` was killed over from files that do not belong there."""
    for place in _PLACES:
        for path in sorted((folder / place).rglob("*")):
            if path in listed or path.suffix.lower() not in IMAGE_SUFFIXES or path.name[0] == ".":
                continue
            twins = [folder / other / path.relative_to(folder / place) for other in _PLACES]
            name = _relative(path, folder)
            if not _NUMBERED.fullmatch(path.name) or not all(
                twin.exists() and twin not in listed for twin in twins
            ):
                yield Finding("problem", "table", name, "it is not in manifest.csv.")
            elif path == twins[0]:  # once for both
                text = "it and its mask are not in manifest.csv yet; run prepare again to go on."
                yield Finding("note", "table", name, text)


def _foreign_pairs(folder: Path) -> tuple[list[_Pair], list[Finding]]:
    found = find_pairs(folder)
    root = Path(os.path.abspath(folder))  # noqa: PTH100 (as find_pairs does)
    pairs = []
    for image, mask, subset in zip(found.images, found.masks, found.subsets, strict=True):
        pairs.append(_Pair(_relative(image, root), image, mask, subset))
    findings = [
        Finding("problem", "no partner", _relative(path, root), reason)
        for path, reason in zip(found.orphans, found.reasons, strict=True)
    ]
    notes = [*found.notes, *passed_over(found.unread)]
    return pairs, findings + [Finding("note", "layout", "", note) for note in notes]


def _look(
    pairs: Sequence[_Pair],
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
    crew = Crew(look_at_tile, tasks, workers)
    try:
        for task, result in crew:
            if isinstance(result, Died):
                result = TileFacts(error="every process that reads it dies; is it damaged?")
            facts[number_of[id(task)]] = result
            yield Progress(len(facts), len(tasks), task.image.name)
    finally:
        list(crew.finish())
    return [facts[number] for number in range(len(tasks))]


def _about_tile(pair: _Pair, facts: TileFacts, *, binary: bool) -> Iterator[Finding]:
    """Say what is wrong with one pair."""

    def found(severity: str, kind: str, text: str) -> Finding:
        return Finding(severity, kind, pair.name, text)

    if facts.shape[:2] != facts.mask_shape:
        image, mask = (_times(shape) for shape in (facts.shape[:2], facts.mask_shape))
        yield found("problem", "size", f"the image has {image} pixels, its mask {mask}.")
    if pair.tile is not None:
        for what, there, noted in (
            ("image", facts.image_sha256, pair.tile.image_sha256),
            ("mask", facts.mask_sha256, pair.tile.mask_sha256),
        ):
            if noted and there != noted:
                text = f"the {what} is not the file that was prepared; run prepare to take it over."
                yield found("problem", "table", text)
        side = pair.tile.um_per_px
        if side is not None and plausible_um(side) is None:
            text = f"manifest.csv gives it a pixel size of {side:g} µm, which no microscope has."
            yield found("problem", "table", text)
    severity = "note" if pair.tile is None else "problem"
    if facts.dtype != "uint8" or facts.shape[2:] != (3,):
        channels = facts.shape[2] if len(facts.shape) == 3 else 1
        text = f"the image is not 8-bit RGB, but {facts.dtype} with {channels} channels."
        yield found(severity, "type", text)
    if facts.mask_dtype in ("float32", "float64", "palette"):
        yield found("note", "type", f"the mask is stored as {facts.mask_dtype}.")
    if facts.largest_id > _LARGEST_ID:
        yield found("note", "ids", f"ids up to {facts.largest_id:,} do not fit into 16 bits.")
    if facts.binary and not binary:
        yield found("note", "ids", "the mask knows no single nuclei: all of it is one id.")
    if binary and facts.ids and (facts.ids, facts.largest_id) != (1, 255):
        yield found("problem", "ids", "the mask is not of 0 and 255.")
    if facts.torn and not facts.binary:
        yield found("note", "ids", f"{facts.torn} of {facts.ids} ids are in several pieces.")
    if not facts.ids:
        yield found("note", "empty", "the mask is empty.")


def _about_reading(readable: Sequence[tuple[_Pair, TileFacts]]) -> Iterator[Finding]:
    """Say how images and masks were read, where something was assumed, once for all of them."""
    said = {
        pair.name: [
            note for note in facts.notes if note != NOTHING and note.gist != IN_PIECES
        ]  # which are told of each tile
        for pair, facts in readable
    }
    for gist, of in by_gist(said).items():
        more = f" and {len(of) - _NAMED:,} more" if len(of) > _NAMED else ""
        yield Finding("note", "reading", ", ".join(of[:_NAMED]) + more, f"{gist.rstrip('.')}.")


def _about_masks(facts: Sequence[TileFacts]) -> Iterator[Finding]:
    """Doubt the masks all in all."""
    covers = [Cover(tile.foreground, tile.darker) for tile in facts]
    if doubt := doubt_about(covers):
        yield Finding("problem", "mask", "", doubt)


def _about_sizes(readable: Sequence[tuple[_Pair, TileFacts]]) -> Iterator[Finding]:
    """Name the tiles that have another size than most."""
    sizes: dict[tuple[int, ...], list[str]] = {}
    for pair, facts in readable:
        sizes.setdefault(facts.shape[:2], []).append(pair.name)
    usual = max(sizes, key=lambda size: len(sizes[size]), default=())
    for size, names in sizes.items():
        if size != usual:
            more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
            text = f"{_times(size)} pixels, most are {_times(usual)}{more}."
            yield Finding("note", "size", ", ".join(names[:_NAMED]), text)


def _duplicates(readable: Sequence[tuple[_Pair, TileFacts]]) -> Iterator[Finding]:
    """Find tiles with the picture of an earlier one; worst is one in another part."""
    first: dict[str, int] = {}
    same: dict[int, int] = {}
    for number, (_, facts) in enumerate(readable):
        earlier = first.setdefault(facts.pixels_sha256, number)
        if earlier != number:
            same[number] = earlier
    for number, earlier in same.items():
        yield _about_twins(readable[number][0], readable[earlier][0], "the same image as")
    distinct = sorted(first.values())
    thumbnails = [readable[number][1].thumbnail for number in distinct]
    for later, earlier, alike in find_alike(thumbnails):
        pair, twin = readable[distinct[later]][0], readable[distinct[earlier]][0]
        yield _about_twins(pair, twin, f"nearly ({alike:.2f}) the image of")


def _about_twins(pair: _Pair, twin: _Pair, how: str) -> Finding:
    exact = how.startswith("the same")
    kind = "duplicate" if exact else "near-duplicate"
    if UNUSED in (pair.part, twin.part):
        return Finding("note", kind, pair.name, f"{how} {twin.name}; only one of them is used.")
    if pair.part != twin.part:
        parts = f"one is in {twin.part or 'no part'}, one in {pair.part or 'no part'}"
        return Finding("problem", "leakage", pair.name, f"{how} {twin.name}, but {parts}.")
    return Finding("problem" if exact else "note", kind, pair.name, f"{how} {twin.name}.")


def _about_parts(pairs: Sequence[_Pair], info: DatasetInfo) -> Iterator[Finding]:
    """Look at the split of a prepared dataset: empty parts, groups in two parts."""
    counts = Counter(pair.part for pair in pairs)
    for part in reversed(PARTS):
        if not counts[part]:
            yield Finding("note", "balance", "", f"no tile is in {part}.")
    for part in set(counts) - {*PARTS, UNUSED}:
        yield Finding("problem", "table", "", f"manifest.csv has a split {part!r}.")
    used = [(pair.tile.source_image, pair.part) for pair in pairs if pair.tile]
    used = [(name, part) for name, part in used if part != UNUSED]
    if info.split.group_by is None:
        yield from _about_beginnings(used)
        return
    for group, parts in _parts_of_groups(used, info.split.group_by).items():
        if len(parts) > 1:
            text = f"the group {group!r} is in {' and '.join(parts)}."
            yield Finding("problem", "groups", "", text)


def _about_beginnings(used: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """Note where names look as if they began with a patient's, who then is in several parts."""
    try:
        groups = _parts_of_groups(used, _BEGINNING)
    except InputError:  # names of another kind
        return
    torn = [(group, parts) for group, parts in groups.items() if len(parts) > 1]
    if torn and len(groups) > 1:
        (group, parts), *_ = torn
        text = (
            f"{len(torn)} of {len(groups)} beginnings of names are in several parts, such as "
            f"{group + '_'!r} in {' and '.join(parts)}. If they stand for patients or slides, "
            f"scores will flatter: split again, kept together by {_BEGINNING}."
        )
        yield Finding("note", "groups", "", text)


def _parts_of_groups(used: Sequence[tuple[str, str]], pattern: str) -> dict[str, list[str]]:
    """Return the parts in which there are tiles of a group, in the order of the alphabet."""
    parts: dict[str, set[str]] = {}
    groups = groups_of([name for name, _ in used], pattern)
    for group, (_, part) in zip(groups, used, strict=True):
        parts.setdefault(group, set()).add(part)
    return {group: sorted(of_group) for group, of_group in parts.items()}


def _summary(readable: Sequence[tuple[_Pair, TileFacts]]) -> dict[str, Any]:
    order = [*reversed(PARTS), UNUSED, "all"]
    foreground = np.array([facts.foreground for _, facts in readable] or [0.0])
    parts: dict[str, list[TileFacts]] = {}
    for pair, facts in readable:
        parts.setdefault(pair.part or "all", []).append(facts)
    order += parts
    return {
        "sizes": dict(Counter(_times(facts.shape[:2]) for _, facts in readable)),
        "image types": dict(Counter(facts.dtype for _, facts in readable)),
        "mask types": dict(Counter(facts.mask_dtype for _, facts in readable)),
        "nuclei": sum(facts.nuclei for _, facts in readable),
        "empty masks": sum(not facts.ids for _, facts in readable),
        "foreground": round(float(foreground.mean()), 4),
        "foreground 5 % and 95 %": [
            round(float(value), 4) for value in np.quantile(foreground, (0.05, 0.95))
        ],
        "parts": {
            part: {
                "tiles": len(of_part),
                "nuclei": sum(facts.nuclei for facts in of_part),
                "foreground": round(float(np.mean([f.foreground for f in of_part])), 4),
            }
            for part, of_part in sorted(parts.items(), key=lambda item: order.index(item[0]))
        },
    }


def _times(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
