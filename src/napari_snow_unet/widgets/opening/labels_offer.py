"""Labels that napari has opened as an image: a line of text, and a button to convert it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.origin import origin_of
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.common.image_of_labels import holds_labels
from napari_snow_unet.widgets.common.layers import pixels_of, shape_of, source_of
from napari_snow_unet.widgets.opening import messages
from napari_snow_unet.widgets.opening.labels import labels_in_file
from napari_snow_unet.widgets.opening.offer import Offer

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer


class LabelsOffer(Offer):
    """Offers to turn an image that contains labels, by default not a binary mask, into Labels."""

    def __init__(
        self,
        viewer: Viewer,
        say: Callable[..., None],
        is_labels: Callable[[Image], bool] = holds_labels,
    ) -> None:
        super().__init__(viewer, say, messages.LABELS_BUTTON_LABEL, messages.LABELS_TIP, _is_own)
        self._holds_labels = is_labels
        self._image: ref[Image] | None = None

    def show_for(self, images: Iterable[Image]) -> None:
        """Show the offer for the first of some images that holds labels, if one does."""
        labels_image = next((image for image in images if self._is_labels(image)), None)
        self._image = None if labels_image is None else ref(labels_image)
        self.offer("" if labels_image is None else messages.opened_as_image(labels_image.name))

    def accept(self) -> None:
        """Put Labels in the place of the image, as napari's Convert to Labels does."""
        image = self._image() if self._image is not None else None
        if image is None:
            return
        try:
            layer = self._labels_of(image)
        except InputError as error:
            self._say(error_in_words(error), problem=True)
            return
        self._viewer.layers.remove(image)
        self._say(messages.replaced(layer.name))

    def _labels_of(self, image: Image) -> Labels:
        path = self.path_of(image)
        if path:
            labels, facts = labels_in_file(path)
            finest = labels[0] if facts.get("multiscale") else labels
            if finest.shape == shape_of(image):  # the path of a stack is that of its first file
                return self._viewer.add_labels(labels, **facts)
        labels = _converted(image)
        return self._viewer.add_labels(
            labels,
            name=f"{image.name} labels",
            multiscale=isinstance(labels, list),
            **source_of(image).placement,
        )

    def _is_labels(self, image: Image) -> bool:
        return bool(self.path_of(image)) or self._holds_labels(image)


def _converted(image: Image) -> Any:
    """Return the pixels of an image as labels; what is read where it is shown stays so."""
    pixels = pixels_of(image)
    if isinstance(pixels, np.ndarray):
        return pixels.astype(np.int32)
    import dask.array as da

    levels = image.data if image.multiscale else [pixels]
    labels = [da.asarray(level).astype(np.int32) for level in levels]
    return labels if image.multiscale else labels[0]


def _is_own(path: str) -> bool:
    return origin_of(Path(path)) is not None
