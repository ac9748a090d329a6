"""Look at the masks of a dataset before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.label_images import read_mask_file
from napari_snow_unet.data.masks.doubts import (
    Cover,
    cover_of,
    doubt_about_masks,
    marks_nothing_useful,
)
from napari_snow_unet.data.masks.judgement import Judgement
from napari_snow_unet.data.masks.notes import NOTHING, Note, summarised
from napari_snow_unet.data.pixels.images import read_image
from napari_snow_unet.unet.runs.tiles import TrainingSet, TrainingTile

_LOOKED_AT = 60  # tiles, spread evenly over a dataset that has more


def look_at_masks(tiles: TrainingSet) -> tuple[tuple[str, ...], str]:
    """Compare masks with their images; return what is assumed, and what is doubtful of all.

    Of a large dataset a part is read, and more only if nothing is in these.
    """
    every = (*tiles.train, *tiles.validation)
    step = max(1, len(every) // _LOOKED_AT)
    notes: dict[str, tuple[Note, ...]] = {}
    covers: list[Cover] = []
    for tile in every[::step]:
        file = read_image(tile.image)
        image, size = file.array, (tile.height, tile.width)
        mask = _mask(tile).as_shown(size, file.orientation)
        notes[tile.mask.name] = tuple(
            note for note in mask.notes if note != NOTHING and note.of_pixels
        )
        if image.shape[:2] == mask.labels.shape:  # reading the tile says what is wrong otherwise
            covers.append(cover_of(image, mask.labels > 0))
    doubt = doubt_about_masks(covers)
    if covers and marks_nothing_useful(covers) and not _any_other(tiles.train, covers[0]):
        raise InputError(
            f"{doubt[0].lower()}{doubt[1:].rstrip('.')}",
            expected="nuclei in some of the masks, and background",
            remedy="Choose the dataset with the masks, or export them again.",
            path=tiles.folder,
        )
    return tuple(summarised(notes)), doubt


def _mask(tile: TrainingTile) -> Judgement:
    size = (tile.height, tile.width)
    return read_mask_file(tile.mask, size, image=tile.image, masks_are=tile.masks_are)


def _any_other(tiles: Sequence[TrainingTile], cover: Cover) -> bool:
    """Tell whether the mask of any tile is neither empty nor full like those looked at."""
    for tile in tiles:
        labels = _mask(tile).labels
        if float((labels > 0).mean()) != cover.foreground:
            return True
    return False
