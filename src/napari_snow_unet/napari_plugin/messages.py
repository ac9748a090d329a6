"""What a person reads when napari opens a file."""

from __future__ import annotations

from napari_snow_unet.base.words import shape_in_words


def stays_closed(problem: str) -> str:
    """Say that the partner of a file is not opened, and why."""
    return f"The other file of the pair was not opened: {problem.removesuffix('.')}."


def of_other_size(path: str, shape: tuple[int, ...], other: tuple[int, ...]) -> str:
    """Say that the partner of a file is not opened, since it has another size."""
    sizes = f"{shape_in_words(shape)} px instead of {shape_in_words(other)} px"
    return stays_closed(f"{path} has {sizes}")


def opened_alone(mask: str, tile: str) -> str:
    """Say why a mask opens without its image."""
    return (
        f"The image of {mask} was not found: no image named {tile} is in the same folder or in "
        "the image folder next to it. Drop the image too."
    )
