"""A slide that napari has opened flat: a line of text, and a button to open it as a pyramid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import ref

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.slides.slide import Slide, may_be_slide, open_slide
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.common.layers import Source, source_of
from napari_snow_unet.widgets.common.view import fit
from napari_snow_unet.widgets.opening import messages
from napari_snow_unet.widgets.opening.offer import Offer
from napari_snow_unet.widgets.opening.slide import MICROMETRES, show_slide

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer


class SlideOffer(Offer):
    """Offers to open a slide anew whose layer came from napari's own reader."""

    def __init__(self, viewer: Viewer, say: Callable[..., None]) -> None:
        super().__init__(viewer, say, messages.SLIDE_BUTTON_LABEL, messages.SLIDE_TIP, may_be_slide)
        self._path = ""
        self._flat: ref[Image] | None = None

    def show_for(self, layer: Image | None) -> None:
        """Show the offer if a layer is a slide that napari's own reader has opened."""
        self._path = "" if layer is None else self._flat_slide(layer)
        self._flat = None if layer is None else ref(layer)
        self.offer(messages.opened_flat(Path(self._path).name) if self._path else "")

    def accept(self) -> None:
        """Open the slide as a layer of its own, in the place of the flat one, and go there."""
        flat = self._flat() if self._flat is not None else None
        try:
            slide = open_slide(self._path)
        except InputError as error:
            self._say(error_in_words(error), problem=True)
            return
        if flat is not None:
            _move_onto_slide(self._viewer, flat, slide)
        layer = show_slide(self._viewer, slide)
        if flat is not None:
            flat.visible = False
        fit(self._viewer, [layer])
        self._say(messages.reopened(layer.name))

    def _flat_slide(self, layer: Image) -> str:
        path = layer.source.path
        if layer.multiscale and path is not None and Path(path).suffix.lower() != ".zarr":
            return ""
        return self.path_of(layer)


def _move_onto_slide(viewer: Viewer, flat: Image, slide: Slide) -> None:
    """Put a flat layer, and what lies on it or was found in a part of it, where its slide will lie.

    Only a layer that the user has not moved: in pixels, as napari's own reader leaves it.
    """
    from napari.layers import Image, Labels

    here = source_of(flat)
    as_read = here.pixel_size_um is None and np.array_equal(here.placement["scale"], (1, 1))
    if slide.spacing_um is None or here.shape != slide.size or not as_read:
        return
    for layer in list(viewer.layers):
        if not isinstance(layer, (Image, Labels)):
            continue
        if source_of(layer).lies_like(here) or _is_of_part(layer, here):
            layer.translate = np.multiply(layer.translate, slide.spacing_um)
            layer.scale, layer.units = slide.spacing_um, MICROMETRES


def _is_of_part(layer: Image | Labels, image: Source) -> bool:
    """Tell whether a layer is what was found in a part of an image, and lies there."""
    facts, place = layer.metadata.get(PLUGIN, {}), image.placement
    from_region = "part" in facts and facts.get("image") == image.name
    same_size = np.array_equal(layer.scale, place["scale"]) and layer.units == place["units"]
    return from_region and same_size
