"""What a look at the tiles of a dataset shows: a finding per problem."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.words import shape_in_words
from napari_snow_unet.data.datasets.check.near_duplicates import find_alike
from napari_snow_unet.data.datasets.check.tile import TileFacts
from napari_snow_unet.data.datasets.dataset_info import DatasetInfo
from napari_snow_unet.data.datasets.manifest import Tile
from napari_snow_unet.data.datasets.splits import SUBSETS, UNUSED, groups_of
from napari_snow_unet.data.masks.doubts import Cover, doubt_about_masks
from napari_snow_unet.data.masks.notes import IN_PIECES, NOTHING, by_gist
from napari_snow_unet.data.pixels.pixel_size import plausible_um

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
class CheckedPair:
    """A pair to check, and what the table says of it."""

    name: str
    image: Path
    mask: Path
    subset: str
    tile: Tile | None = None


def about_tile(pair: CheckedPair, facts: TileFacts, *, binary: bool) -> Iterator[Finding]:
    """Say what is wrong with one pair."""

    def found(severity: str, kind: str, text: str) -> Finding:
        return Finding(severity, kind, pair.name, text)

    if facts.shape[:2] != facts.mask_shape:
        image, mask = (shape_in_words(shape) for shape in (facts.shape[:2], facts.mask_shape))
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


def about_reading(readable: Sequence[tuple[CheckedPair, TileFacts]]) -> Iterator[Finding]:
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


def about_masks(facts: Sequence[TileFacts]) -> Iterator[Finding]:
    """Doubt the masks all in all."""
    covers = [Cover(tile.foreground, tile.darker) for tile in facts]
    if doubt := doubt_about_masks(covers):
        yield Finding("problem", "mask", "", doubt)


def about_sizes(readable: Sequence[tuple[CheckedPair, TileFacts]]) -> Iterator[Finding]:
    """Name the tiles that have another size than most."""
    sizes: dict[tuple[int, ...], list[str]] = {}
    for pair, facts in readable:
        sizes.setdefault(facts.shape[:2], []).append(pair.name)
    usual = max(sizes, key=lambda size: len(sizes[size]), default=())
    for size, names in sizes.items():
        if size != usual:
            more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
            text = f"{shape_in_words(size)} pixels, most are {shape_in_words(usual)}{more}."
            yield Finding("note", "size", ", ".join(names[:_NAMED]), text)


def duplicates(readable: Sequence[tuple[CheckedPair, TileFacts]]) -> Iterator[Finding]:
    """Find tiles with the picture of an earlier one; worst is one in another subset."""
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


def _about_twins(pair: CheckedPair, twin: CheckedPair, how: str) -> Finding:
    exact = how.startswith("the same")
    kind = "duplicate" if exact else "near-duplicate"
    if UNUSED in (pair.subset, twin.subset):
        return Finding("note", kind, pair.name, f"{how} {twin.name}; only one of them is used.")
    if pair.subset != twin.subset:
        where = f"one is in {twin.subset or 'no part'}, one in {pair.subset or 'no part'}"
        return Finding("problem", "leakage", pair.name, f"{how} {twin.name}, but {where}.")
    return Finding("problem" if exact else "note", kind, pair.name, f"{how} {twin.name}.")


def about_subsets(pairs: Sequence[CheckedPair], info: DatasetInfo) -> Iterator[Finding]:
    """Look at the split of a prepared dataset: empty subsets, groups in two."""
    counts = Counter(pair.subset for pair in pairs)
    for subset in reversed(SUBSETS):
        if not counts[subset]:
            yield Finding("note", "balance", "", f"no tile is in {subset}.")
    for subset in set(counts) - {*SUBSETS, UNUSED}:
        yield Finding("problem", "table", "", f"manifest.csv has a split {subset!r}.")
    used = [(pair.tile.source_image, pair.subset) for pair in pairs if pair.tile]
    used = [(name, subset) for name, subset in used if subset != UNUSED]
    if info.split.group_by is None:
        yield from _about_beginnings(used)
        return
    for group, subsets in _subsets_of_groups(used, info.split.group_by).items():
        if len(subsets) > 1:
            text = f"the group {group!r} is in {' and '.join(subsets)}."
            yield Finding("problem", "groups", "", text)


def _about_beginnings(used: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """Note where names look as if they began with a patient's, who then is in several subsets."""
    try:
        groups = _subsets_of_groups(used, _BEGINNING)
    except InputError:  # names of another kind
        return
    torn = [(group, subsets) for group, subsets in groups.items() if len(subsets) > 1]
    if torn and len(groups) > 1:
        (group, subsets), *_ = torn
        text = (
            f"{len(torn)} of {len(groups)} beginnings of names are in several parts, such as "
            f"{group + '_'!r} in {' and '.join(subsets)}. If they stand for patients or slides, "
            f"scores will flatter: split again, kept together by {_BEGINNING}."
        )
        yield Finding("note", "groups", "", text)


def _subsets_of_groups(used: Sequence[tuple[str, str]], pattern: str) -> dict[str, list[str]]:
    """Return the subsets in which there are tiles of a group, in the order of the alphabet."""
    subsets: dict[str, set[str]] = {}
    groups = groups_of([name for name, _ in used], pattern)
    for group, (_, subset) in zip(groups, used, strict=True):
        subsets.setdefault(group, set()).add(subset)
    return {group: sorted(of_group) for group, of_group in subsets.items()}
