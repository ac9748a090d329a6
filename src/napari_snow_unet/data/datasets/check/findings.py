"""The findings about the tiles of a dataset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.shown import Shown
from napari_snow_unet.base.words import listed
from napari_snow_unet.data.datasets import messages as of_datasets
from napari_snow_unet.data.datasets.check import messages
from napari_snow_unet.data.datasets.check.near_duplicates import find_alike
from napari_snow_unet.data.datasets.check.tile import TileFacts
from napari_snow_unet.data.datasets.dataset_info import DatasetInfo
from napari_snow_unet.data.datasets.manifest import Tile
from napari_snow_unet.data.datasets.splits import SUBSETS, UNUSED, groups_of
from napari_snow_unet.data.datasets.truth_origin import TruthOrigin, is_to_be_drawn
from napari_snow_unet.data.masks import messages as of_masks
from napari_snow_unet.data.masks.doubts import Cover, doubt_about_masks
from napari_snow_unet.data.masks.notes import IN_PIECES, NOTHING, by_gist
from napari_snow_unet.data.pixels.pixel_size import plausible_um

_PREFIX = "^([^_]+)_"  # of a name: often the patient or slide
_LARGEST_ID = 65535


@dataclass(frozen=True, repr=False)
class Finding(Shown):
    """One result of the check.

    Attributes
    ----------
    severity : str
        'problem', to be resolved before training, or 'note'.
    kind : str
        The subject: 'unreadable', 'no partner', 'size', 'type', 'ids', 'mask', 'empty',
        'duplicate', 'near-duplicate', 'leakage', 'groups', 'layout', 'table', 'balance',
        'reading' or 'truth'.
    name : str
        The file, relative to the folder; empty for the whole dataset.
    text : str
        The result as a sentence.
    """

    severity: str
    kind: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.name}: {self.text}" if self.name else self.text

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        return f"{self.severity}: {self}"


@dataclass(frozen=True)
class CheckedPair:
    """A pair to check, with its row of the table."""

    name: str
    image: Path
    mask: Path
    subset: str
    tile: Tile | None = None


def about_tile(pair: CheckedPair, facts: TileFacts, *, binary: bool) -> Iterator[Finding]:
    """Report the findings about one pair."""

    def finding(severity: str, kind: str, text: str) -> Finding:
        return Finding(severity, kind, pair.name, text)

    if facts.shape[:2] != facts.mask_shape:
        sizes = of_datasets.sizes_differ(facts.mask_shape, facts.shape[:2])
        yield finding("problem", "size", sizes.problem)
    if pair.tile is not None:
        for kind, checksum, recorded in (
            ("image", facts.image_sha256, pair.tile.image_sha256),
            ("mask", facts.mask_sha256, pair.tile.mask_sha256),
        ):
            if recorded and checksum != recorded:
                yield finding("problem", "table", messages.changed_file(kind))
        um = pair.tile.um_per_px
        if um is not None and plausible_um(um) is None:
            yield finding("problem", "table", messages.implausible_pixel_size(um))
    severity = "note" if pair.tile is None else "problem"
    if facts.dtype != "uint8" or facts.shape[2:] != (3,):
        channels = facts.shape[2] if len(facts.shape) == 3 else 1
        yield finding(severity, "type", messages.image_type(facts.dtype, channels))
    if facts.mask_dtype in ("float32", "float64", "palette"):
        yield finding("note", "type", messages.mask_type(facts.mask_dtype))
    if facts.largest_id > _LARGEST_ID:
        yield finding("note", "ids", messages.high_ids(facts.largest_id))
    if facts.binary and not binary:
        yield finding("note", "ids", messages.BINARY)
    if binary and facts.ids and (facts.ids, facts.largest_id) != (1, 255):
        yield finding("problem", "ids", messages.NOT_0_AND_255)
    if facts.unconnected and not facts.binary:
        yield finding("note", "ids", messages.unconnected_ids(facts.unconnected, facts.ids))
    if not facts.ids:
        yield finding("note", "empty", of_masks.EMPTY)


def about_reading(readable: Sequence[tuple[CheckedPair, TileFacts]]) -> Iterator[Finding]:
    """Report each assumption about images and masks once, with the tiles it was made for."""
    notes = {
        pair.name: [
            note for note in facts.notes if note != NOTHING and note.gist != IN_PIECES
        ]  # these have findings of their own
        for pair, facts in readable
    }
    for gist, of in by_gist(notes).items():
        yield Finding("note", "reading", listed(of), f"{gist.rstrip('.')}.")


def about_masks(facts: Sequence[TileFacts]) -> Iterator[Finding]:
    """Report doubts about the masks as a whole."""
    covers = [Cover(tile.foreground, tile.darker) for tile in facts]
    if doubt := doubt_about_masks(covers):
        yield Finding("problem", "mask", "", doubt)


def about_sizes(readable: Sequence[tuple[CheckedPair, TileFacts]]) -> Iterator[Finding]:
    """Report the tiles of another size than most."""
    sizes: dict[tuple[int, ...], list[str]] = {}
    for pair, facts in readable:
        sizes.setdefault(facts.shape[:2], []).append(pair.name)
    usual = max(sizes, key=lambda size: len(sizes[size]), default=())
    for size, names in sizes.items():
        if size != usual:
            yield Finding("note", "size", listed(names), messages.other_size(size, usual))


def duplicates(readable: Sequence[tuple[CheckedPair, TileFacts]]) -> Iterator[Finding]:
    """Report tiles with the same image as an earlier one, in the same or another subset."""
    first: dict[str, int] = {}
    same: dict[int, int] = {}
    for number, (_, facts) in enumerate(readable):
        earlier = first.setdefault(facts.pixels_sha256, number)
        if earlier != number:
            same[number] = earlier
    for number, earlier in same.items():
        yield _about_twins(readable[number][0], readable[earlier][0])
    distinct = sorted(first.values())
    thumbnails = [readable[number][1].thumbnail for number in distinct]
    for later, earlier, alike in find_alike(thumbnails):
        pair, twin = readable[distinct[later]][0], readable[distinct[earlier]][0]
        yield _about_twins(pair, twin, alike)


def _about_twins(pair: CheckedPair, twin: CheckedPair, correlation: float | None = None) -> Finding:
    exact = correlation is None
    kind = "duplicate" if exact else "near-duplicate"
    same = of_datasets.same_image(twin.name, correlation)
    if UNUSED in (pair.subset, twin.subset):
        return Finding("note", kind, pair.name, f"{same} {of_datasets.ONLY_ONE_USED}")
    if pair.subset != twin.subset:
        text = messages.leakage(twin.name, twin.subset, pair.subset, correlation)
        return Finding("problem", "leakage", pair.name, text)
    return Finding("problem" if exact else "note", kind, pair.name, same)


def about_truth(tiles: Sequence[Tile]) -> Iterator[Finding]:
    """Report how many ground truths began as predictions, and each that scores depend on."""
    origins = [TruthOrigin.of_tile(tile) for tile in tiles]
    models = [origin.named_model for origin in origins if origin.model]
    if models:
        text = of_datasets.corrected(len(models), len(tiles), tuple(dict.fromkeys(models)))
        yield Finding("note", "truth", "", text)
    for tile, origin in zip(tiles, origins, strict=True):
        if origin.model and is_to_be_drawn(tile):
            yield Finding("problem", "truth", tile.image, of_datasets.TO_BE_DRAWN.text())
        elif origin.model and tile.split in ("val", "test"):
            yield Finding("note", "truth", tile.image, of_datasets.favours(origin.model))


def about_subsets(pairs: Sequence[CheckedPair], info: DatasetInfo) -> Iterator[Finding]:
    """Report empty subsets of a prepared dataset, and groups in more than one subset."""
    counts = Counter(pair.subset for pair in pairs)
    for subset in reversed(SUBSETS):
        if not counts[subset]:
            yield Finding("note", "balance", "", messages.empty_subset(subset))
    for subset in set(counts) - {*SUBSETS, UNUSED}:
        yield Finding("problem", "table", "", messages.unknown_subset(subset))
    used = [(pair.tile.source_image, pair.subset) for pair in pairs if pair.tile]
    used = [(name, subset) for name, subset in used if subset != UNUSED]
    if info.split.group_by is None:
        yield from _about_prefixes(used)
        return
    for group, subsets in _subsets_of_groups(used, info.split.group_by).items():
        if len(subsets) > 1:
            text = messages.group_in_subsets(group, tuple(subsets))
            yield Finding("problem", "groups", "", text)


def _about_prefixes(used: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """Note name prefixes in more than one subset, which may be patients."""
    try:
        groups = _subsets_of_groups(used, _PREFIX)
    except InputError:  # names without a prefix
        return
    split = [(group, subsets) for group, subsets in groups.items() if len(subsets) > 1]
    if split and len(groups) > 1:
        (group, subsets), *_ = split
        text = messages.prefix_in_subsets(
            len(split), len(groups), f"{group}_", tuple(subsets), _PREFIX
        )
        yield Finding("note", "groups", "", text)


def _subsets_of_groups(used: Sequence[tuple[str, str]], pattern: str) -> dict[str, list[str]]:
    """Return the subsets with tiles of each group, in alphabetical order."""
    subsets: dict[str, set[str]] = {}
    groups = groups_of([name for name, _ in used], pattern)
    for group, (_, subset) in zip(groups, used, strict=True):
        subsets.setdefault(group, set()).add(subset)
    return {group: sorted(of_group) for group, of_group in subsets.items()}
