"""Texts that commands print."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message

# prepare, check, split, demo
NOT_THE_DEMO_TILE = Message(
    "The file already exists and is not the demo tile.", "Choose another folder with -o."
)

# evaluate
WROTE_LABEL = "Wrote {}"
COMPARING_LABEL = "Comparing {}"


def largest_differences(tiles: tuple[str, ...]) -> str:
    """Return the tiles on which two predictions differ most."""
    return f"Largest differences in Dice: {', '.join(tiles)}."


# reproduce
PREPARING_LABEL = "Preparing"
SEGMENTING_LABEL = "Segmenting: {}"
CONTINUE_EXPERIMENT = "Run the same command again to continue."


def tile_not_used(problem: str) -> str:
    """Return why a tile of an experiment is not used."""
    return f"Not used: {problem.removesuffix('.')}."
