"""Plan which tiles of a dataset to make, under which number, and which to keep."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import NamedTuple

from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.datasets.dataset_info import DatasetInfo
from napari_snow_unet.data.datasets.manifest import Tile
from napari_snow_unet.data.datasets.members import ListedMember, Member
from napari_snow_unet.data.datasets.prepare.kept import why_it_stays, with_good_files
from napari_snow_unet.data.datasets.prepare.tiles import TileFiles, TileTask, source_state
from napari_snow_unet.data.datasets.problems import Problem
from napari_snow_unet.data.datasets.sources import pair_members
from napari_snow_unet.data.formats.labels_of_outlines import REGION_COUNTS
from napari_snow_unet.data.names.file_names import natural_key, tile_name
from napari_snow_unet.data.pairs.pairing import Paired, tile_names


@dataclass(frozen=True)
class PreparationPlan:
    """The existing tiles and the tiles to make."""

    tiles: dict[int, Tile]  # existing tiles by index, including those to be made again
    tasks: list[TileTask] = field(default_factory=list)  # in the order of the indices
    problems: list[Problem] = field(default_factory=list)  # files that cannot be used
    messages: list[str] = field(default_factory=list)

    @property
    def indices(self) -> set[int]:
        """The tiles of the dataset once all are made."""
        return {*self.tiles, *(task.index for task in self.tasks)}

    @property
    def staying(self) -> list[Tile]:
        """The tiles that are not made again."""
        again = {task.index for task in self.tasks}
        return [tile for index, tile in self.tiles.items() if index not in again]


def paired(
    members: Sequence[ListedMember], limit: int | None
) -> tuple[Paired[Member], list[Problem]]:
    """Return the first `limit` pairs, and the unpaired files before the last of them."""
    result = pair_members(members)
    pairs = result.pairs[:limit]
    cut = len(pairs) < len(result.pairs)
    end = natural_key(pairs[-1].key.name) if cut and pairs else []

    def counts(member: Member) -> bool:
        return not cut or natural_key(tile_name(Path(member.name))) <= end

    problems = [Problem(member.label, why) for member, why in result.left if counts(member)]
    return replace(result, pairs=pairs), problems


class _ToMake(NamedTuple):
    """A pair to make a tile of."""

    place: int  # among all pairs
    name: str
    image: Member
    mask: Member
    before: Tile | None  # the tile that it replaces


def make_plan(
    pairs: Paired[Member], folder: Path, tiles: Sequence[Tile], info: DatasetInfo, *, verify: bool
) -> Generator[Progress, None, PreparationPlan]:
    """Find the tiles to keep (see `prepare.kept`) and those to make; nothing is written."""
    existing, edits = yield from with_good_files(tiles, folder)
    to_make, problems = _to_make(pairs, existing, folder)
    numbers = _numbers(to_make, len(pairs.pairs), existing)
    tasks = [
        _task(each, index, folder, info, verify=verify)
        for each, index in zip(to_make, numbers, strict=True)
    ]
    return PreparationPlan(existing, sorted(tasks, key=lambda task: task.index), problems, edits)


def _to_make(
    pairs: Paired[Member], existing: Mapping[int, Tile], folder: Path
) -> tuple[list[_ToMake], list[Problem]]:
    """Return the pairs without a tile, and those whose tile must be made again."""
    made_from = {tile.source_image: tile for tile in existing.values()}
    by_name = {tile.name: tile for tile in existing.values()}
    to_make, problems = list[_ToMake](), list[Problem]()
    names = tile_names(pairs.pairs)
    for place, (name, (_, _, image, mask)) in enumerate(zip(names, pairs.pairs, strict=True)):
        # Names become longer when an image of the same name is added.
        before = made_from.get(image.label) or by_name.get(name)
        if before is not None and before.source_state == source_state(image, mask):
            continue
        if before is not None and (problem := why_it_stays(before, image, folder)):
            problems.append(problem)
        else:
            to_make.append(_ToMake(place, name, image, mask, before))
    return to_make, problems


def _numbers(to_make: Sequence[_ToMake], pairs: int, existing: Mapping[int, Tile]) -> Iterator[int]:
    """Yield the old number of a tile, else its place among all pairs, or if taken the next one."""
    unused = count(max([pairs - 1, *existing]) + 1)
    for each in to_make:
        if each.before is not None:
            yield each.before.index
        else:
            yield next(unused) if each.place in existing else each.place


def _task(each: _ToMake, index: int, folder: Path, info: DatasetInfo, *, verify: bool) -> TileTask:
    files = TileFiles.of(index, info.shard)
    return TileTask(
        index=index,
        name=each.name if each.before is None else each.before.name,
        image=each.image,
        mask=each.mask,
        folder=str(folder),
        image_file=files.image,
        mask_file=files.mask,
        region_file=files.region,
        had_region=each.before is not None and REGION_COUNTS.lower() in each.before.note.lower(),
        binary=info.masks == "binary",
        um_per_px=info.um_per_px,
        verify=verify,
        masks_are=info.masks_are,
    )
