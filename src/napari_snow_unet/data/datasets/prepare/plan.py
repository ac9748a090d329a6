"""What to do to prepare a dataset: which tile gets which number, and which are there already."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.base.words import counted
from napari_snow_unet.data.datasets.manifest import Tile
from napari_snow_unet.data.datasets.members import Found, Member
from napari_snow_unet.data.datasets.prepare.tiles import TileTask, source_state
from napari_snow_unet.data.datasets.problems import Problem
from napari_snow_unet.data.datasets.sources import pair_members
from napari_snow_unet.data.datasets.tile_arrays import count_ids
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.formats.labels_of_outlines import REGION_COUNTS
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.names.file_names import natural_key, tile_name
from napari_snow_unet.data.pairs.pairing import Paired, tile_names
from napari_snow_unet.data.pixels.images import read_header


@dataclass(frozen=True)
class PreparationPlan:
    """What there is and what there is to do."""

    tiles: dict[int, Tile]  # what the dataset holds, by index; also what is made again, until it is
    tasks: list[TileTask] = field(default_factory=list)  # in the order of the indices
    problems: list[Problem] = field(default_factory=list)  # what cannot be made
    messages: list[str] = field(default_factory=list)

    @property
    def indices(self) -> set[int]:
        """The tiles that there will be if all can be made."""
        return {*self.tiles, *(task.index for task in self.tasks)}


def paired(found: Sequence[Found], limit: int | None) -> tuple[Paired[Member], list[Problem]]:
    """Pair members, and take the first `limit` pairs with what has no partner before their end."""
    result = pair_members(found)
    pairs = result.pairs[:limit]
    cut = len(pairs) < len(result.pairs)
    end = natural_key(pairs[-1].key.name) if cut and pairs else []

    def counts(member: Member) -> bool:
        return not cut or natural_key(tile_name(Path(member.name))) <= end

    problems = [Problem(member.label, why) for member, why in result.left if counts(member)]
    return replace(result, pairs=pairs), problems


def make_plan(
    found: Paired[Member],
    folder: Path,
    tiles: Sequence[Tile],
    *,
    shard: int | None,
    binary: bool,
    um_per_px: float | None,
    verify: bool,
    masks_are: MasksAre | None = None,
) -> Generator[Progress, None, PreparationPlan]:
    """Compare pairs with what a dataset holds, and number the new ones; nothing changes on disk.

    A tile that is in the dataset keeps its number and name. A new one gets its place in the
    natural order of all pairs, or one after the last where that is taken.
    """
    plan = PreparationPlan({tile.index: tile for tile in tiles})
    yield from _look_at_files(plan, folder)
    known = {tile.name: tile for tile in plan.tiles.values()}
    made_from = {tile.source_image: tile for tile in plan.tiles.values()}
    names = tile_names(found.pairs)
    wanted: dict[str, tuple[int | None, Member, Member]] = {}
    for name, (_, _, image, mask) in zip(names, found.pairs, strict=True):
        # Names become longer when an image of the same name joins them.
        old = made_from.get(image.label) or known.get(name)
        if old is None:
            wanted[name] = (None, image, mask)
        elif old.source_state != source_state(image, mask):
            if _inner(old.source_image) != _inner(image.label):
                plan.problems.append(
                    Problem(image.label, f"the dataset has a {old.name} from {old.source_image}.")
                )
            elif _is_as_written(folder, old):
                wanted[name] = (old.index, image, mask)
            else:
                plan.problems.append(
                    Problem(
                        f"{old.image}, {old.mask}",
                        "its source has changed, but so has the tile. Delete it to make it anew.",
                    )
                )
    index_of = _numbers(names, wanted, plan.tiles)
    for name, (_, image, mask) in wanted.items():
        index = index_of[name]
        file = tile_file_name(index, shard)
        plan.tasks.append(
            TileTask(
                index=index,
                name=plan.tiles[index].name if index in plan.tiles else name,
                image=image,
                mask=mask,
                folder=str(folder),
                image_file=f"images/{file}",
                mask_file=f"masks/{file}",
                region_file=f"regions/{file}",
                had_region=index in plan.tiles and REGION_COUNTS in plan.tiles[index].note,
                binary=binary,
                um_per_px=um_per_px,
                verify=verify,
                masks_are=masks_are,
            )
        )
    plan.tasks.sort(key=lambda task: task.index)
    return plan


def tile_file_name(index: int, shard: int | None) -> str:
    """Return ``000007.png``, or ``005000/005007.png`` in folders of `shard` tiles."""
    name = f"{index:06d}.png"
    return name if shard is None else f"{index // shard * shard:06d}/{name}"


def _numbers(
    names: Sequence[str],
    wanted: dict[str, tuple[int | None, Member, Member]],
    tiles: dict[int, Tile],
) -> dict[str, int]:
    place_of = {name: place for place, name in enumerate(names)}
    numbers = {name: old for name, (old, _, _) in wanted.items() if old is not None}
    taken = {*tiles, *numbers.values()}
    following = max([len(names) - 1, *taken]) + 1
    for name in wanted:
        if name in numbers:
            continue
        place = place_of[name]
        if place in taken:
            place, following = following, following + 1
        numbers[name] = place
        taken.add(place)
    return numbers


def _look_at_files(plan: PreparationPlan, folder: Path) -> Generator[Progress, None, None]:
    """Drop rows whose files are gone or damaged; take over files that somebody has edited."""
    edited = 0
    for done, tile in enumerate(list(plan.tiles.values())):
        if done % 500 == 0:
            yield Progress(done, len(plan.tiles), "looking at what is there")
        if _sizes(folder, tile) == (tile.image_bytes, tile.mask_bytes):
            continue
        again = _read_again(folder, tile)
        if again is None:
            del plan.tiles[tile.index]
        else:
            plan.tiles[tile.index] = again
            edited += 1
    if edited:
        were, are = ("was", "is") if edited == 1 else ("were", "are")
        changed = f"{counted(edited, 'tile')} {were} changed by somebody since"
        plan.messages.append(f"{changed}, and {are} kept so.")


def _sizes(folder: Path, tile: Tile) -> tuple[int, int] | None:
    try:
        return (folder / tile.image).stat().st_size, (folder / tile.mask).stat().st_size
    except OSError:
        return None


def _read_again(folder: Path, tile: Tile) -> Tile | None:
    """Return the row of a tile with other files than it was made with; None if they are bad."""
    image, mask = folder / tile.image, folder / tile.mask
    try:
        labels = read_labels(mask)
        if read_header(image).size != labels.shape or labels.shape != (tile.height, tile.width):
            return None
    except InputError:
        return None
    return replace(
        tile,
        nuclei=count_ids(labels),
        foreground=round(float(np.count_nonzero(labels) / labels.size), 6),
        image_bytes=image.stat().st_size,
        mask_bytes=mask.stat().st_size,
        image_sha256=hashlib.sha256(image.read_bytes()).hexdigest(),
        mask_sha256=hashlib.sha256(mask.read_bytes()).hexdigest(),
    )


def _is_as_written(folder: Path, tile: Tile) -> bool:
    pairs = ((tile.image, tile.image_sha256), (tile.mask, tile.mask_sha256))
    return all(
        hashlib.sha256((folder / file).read_bytes()).hexdigest() == checksum
        for file, checksum in pairs
    )


def _inner(label: str) -> str:
    """Return a source's path without the name of its folder or archive."""
    return label.partition("/")[2]
