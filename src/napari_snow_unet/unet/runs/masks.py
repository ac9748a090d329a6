"""Check the masks of a dataset before the training starts."""

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
from napari_snow_unet.unet.runs import messages
from napari_snow_unet.unet.runs.tiles import TrainingSet, TrainingTile

_CHECKED = 60  # tiles, spread evenly over a larger dataset


def look_at_masks(tiles: TrainingSet) -> tuple[tuple[str, ...], str]:
    """Compare masks with their images; return assumptions, and a doubt about all masks.

    Only some tiles of a large dataset are read, and more if those have no useful mask.
    """
    every = (*tiles.train, *tiles.validation)
    step = max(1, len(every) // _CHECKED)
    notes: dict[str, tuple[Note, ...]] = {}
    covers: list[Cover] = []
    for tile in every[::step]:
        file = read_image(tile.image)
        image, size = file.array, (tile.height, tile.width)
        mask = _mask(tile).as_shown(size, file.orientation)
        notes[tile.mask.name] = tuple(
            note for note in mask.notes if note != NOTHING and note.of_pixels
        )
        if image.shape[:2] == mask.labels.shape:  # else reading the tile reports it
            covers.append(cover_of(image, mask.labels > 0))
    doubt = doubt_about_masks(covers)
    if covers and marks_nothing_useful(covers) and not _any_other(tiles.train, covers[0]):
        raise InputError(messages.useless_masks(doubt), path=tiles.folder)
    return tuple(summarised(notes)), doubt


def _mask(tile: TrainingTile) -> Judgement:
    size = (tile.height, tile.width)
    return read_mask_file(tile.mask, size, image=tile.image, masks_are=tile.masks_are)


def _any_other(tiles: Sequence[TrainingTile], cover: Cover) -> bool:
    """Tell whether any mask is neither empty nor full like those already read."""
    for tile in tiles:
        labels = _mask(tile).labels
        if float((labels > 0).mean()) != cover.foreground:
            return True
    return False
