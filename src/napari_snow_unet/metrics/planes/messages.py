"""Texts about regions and slices that cannot be compared."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import shape_in_words

ERRORS_LABEL = "Mapping errors"
DONE_LABEL = "Done"
NO_PIXEL_INSIDE = Message(
    "No pixel of the compared images is inside the region.",
    "Draw the region on the image, in the slices that are compared, or compare without a region.",
    ("region",),
)
SEVERAL_SLICES = Message(
    "An outline of the region runs through several slices.",
    "Draw each outline within one slice, in the 2D view.",
)
NO_SLICE = Message("No slice is selected.", "Select at least one slice.")


def region_of_other_shape(region: tuple[int, ...], images: tuple[int, ...]) -> Message:
    """Return the refusal of a region that does not cover the images."""
    sizes = f"{shape_in_words(region)}, that of the images {shape_in_words(images)}"
    return Message(
        f"The size of the region is {sizes}.", "Draw the region in a layer of the same size."
    )
