"""Messages about preparing a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted
from napari_snow_unet.data.datasets import messages as of_datasets

_CONTINUE = "Choose an empty folder, or a dataset to continue."
_SAME_OPTION = "Leave this option out, or choose another folder."
_ELSEWHERE = "Prepare into another folder to change that."

CHECKING_TILES = "Checking existing tiles..."
MAKING_TILES = "Preparing tiles..."
NOT_EMPTY = Message("The folder already contains other files.", _CONTINUE)
NOT_A_FOLDER = Message("The path is a file, not a folder.", _CONTINUE)
SOURCE_AND_TILE_CHANGED = (
    "The source has changed, but so has the tile. Delete the tile to prepare it again."
)
SUBSETS_KEPT = (
    "The subsets were edited by hand and stay as they are; new tiles are unused. Split the dataset "
    "again to include them."
)
TOO_LARGE_FOR_MEMORY = "The file does not fit into memory. Cut it into smaller tiles."
OUTSIDE_REGION = Message(
    "The tile lies outside the annotated region.", "Leave it out, or annotate it."
)


def prepared(folder: Path, tiles: int, new: int, subsets: Mapping[str, int]) -> str:
    """Return the number of tiles in a dataset, and in its subsets."""
    count = f"{counted(tiles, 'tile')} ({new:,} new)"
    return f"{count} in {folder}. {of_datasets.subsets(subsets)}"


def other_masks(binary: bool) -> Message:
    """Refuse to continue a dataset with another kind of masks."""
    masks = "binary masks" if binary else "masks with one ID per nucleus"
    return Message(f"The dataset has {masks}.", _SAME_OPTION, ("binary",))


def other_subfolders(shard: int | None) -> Message:
    """Refuse to continue a dataset with another number of tiles per subfolder."""
    tiles = "no subfolders" if shard is None else f"{counted(shard, 'tile')} per subfolder"
    return Message(f"The dataset has {tiles}.", _SAME_OPTION, ("shard",))


def not_written(reason: str) -> Message:
    """Report a dataset that cannot be written."""
    return Message(
        f"The dataset cannot be written ({reason}).",
        "Free some disk space and prepare it again: finished tiles are kept.",
    )


def folders_ignored(folders: str) -> str:
    """Report that the user's split is used instead of folders."""
    return f"Your split is used; the folders {folders} are ignored."


def folders_followed(folders: str) -> str:
    """Report that the split follows folders."""
    return f"The split follows the folders {folders}."


def validation_drawn(seed: int) -> str:
    """Report that validation tiles come from the folder train."""
    return f"Validation tiles are drawn at random from train (seed {seed})."


def outside_folders(tiles: int) -> str:
    """Report tiles in none of the folders that name subsets."""
    return f"{counted(tiles, 'tile')} outside these folders: unused."


def pixel_size_kept(um: float) -> str:
    """Report the pixel size that a continued dataset uses."""
    return f"Images without a pixel size are taken as {um:g} µm/px, as in the previous run."


def masks_kept(masks_are: str) -> str:
    """Report how a continued dataset reads masks."""
    return f"Masks are read as {masks_are}, as in the previous run."


def edited_tiles(count: int) -> str:
    """Report tiles that were edited since the last run."""
    were = "was" if count == 1 else "were"
    return f"{counted(count, 'tile')} {were} edited since the last run and will be kept."


def other_source(tile: str, source: str) -> str:
    """Report an image whose name another tile has."""
    return f"The dataset already has the tile {tile} from {source}."


def other_pixel_size(count: int) -> str:
    """Report tiles that keep another pixel size."""
    return f"The pixel size does not apply to {counted(count, 'existing tile')}. {_ELSEWHERE}"


def masks_not_read_again(count: int) -> str:
    """Report tiles whose masks are not read again."""
    return f"The masks of {counted(count, 'existing tile')} are not read again. {_ELSEWHERE}"


def noted(note: str, example: str, count: int) -> str:
    """Return a note about tiles, with one of their names."""
    such_as = "such as " if count > 1 else ""
    return f"{counted(count, 'tile')} ({such_as}{example}): {note}."
