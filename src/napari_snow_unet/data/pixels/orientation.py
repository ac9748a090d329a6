"""How an image is to be turned, 1 to 8: the orientation of TIFF and EXIF (JEITA CP-3451)."""

from __future__ import annotations

from typing import Any

from napari_snow_unet.data.pixels import messages

ORIENTATION = 274  # the tag
UPRIGHT = 1
#: Whether rows become columns, and which of both are then counted from the other end.
_TURNS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def valid_orientation(value: Any) -> int:
    """Return an orientation that a file states; 1 where that is none."""
    return int(value) if value in _TURNS else UPRIGHT


def swaps_sides(orientation: int) -> bool:
    """Tell whether height and width change places."""
    return orientation > 4


def turned_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return height and width of a picture as it is shown, or as it is stored."""
    return size[::-1] if swaps_sides(orientation) else size


def turned(array: Any, orientation: int, *, rows: int = 0) -> Any:
    """Return a view of a stored array as it is shown; columns are the axis behind `rows`."""
    if orientation == UPRIGHT:
        return array
    swap, up, left = _TURNS[orientation]
    array = array.swapaxes(rows, rows + 1) if swap else array
    steps = [slice(None, None, -1 if back else None) for back in (up, left)]
    return array[(slice(None),) * rows + tuple(steps)]


def mask_as_shown(
    mask: Any, size: tuple[int, int], orientation: int
) -> tuple[Any, tuple[str, ...]]:
    """Turn a mask with its image if it has the image's size as stored and not as shown.

    `size` is that of the image as shown. Notes name what was done or is doubtful.
    """
    if orientation == UPRIGHT:
        return mask, ()
    stored, shape = turned_size(size, orientation), tuple(mask.shape)
    if shape == stored != size:
        return turned(mask, orientation), (messages.mask_turned(orientation),)
    return mask, () if shape != stored else (messages.mask_in_doubt(orientation),)


def notes_on_turning(orientation: int) -> tuple[str, ...]:
    """Return the note on an image that was turned."""
    return () if orientation == UPRIGHT else (messages.turned(orientation),)
