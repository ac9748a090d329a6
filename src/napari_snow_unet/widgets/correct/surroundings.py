"""What a nucleus that is added by a click grows in: the image that labels lie on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.segmentation.corrections.adding import Guide
from napari_snow_unet.widgets.common.layers import images_in, pixels_of, source_of

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer


def guide_by_image(viewer: Viewer, layer: Labels, plane: Index) -> Guide:
    """Return the image under the labels, to grow nuclei in."""
    image, place = image_under(viewer, layer), source_of(layer)
    pixels: Any = pixels_of(image)[plane] if image is not None else None
    return Guide(pixels=pixels, pixel_size_um=place.pixel_size_um)


def image_under(viewer: Viewer, layer: Labels) -> Image | None:
    """Return the topmost image, visible ones first, that lies exactly under the labels."""
    place = source_of(layer)
    under = [image for image in images_in(viewer) if source_of(image).lies_like(place)]
    return max(reversed(under), key=lambda image: image.visible, default=None)
