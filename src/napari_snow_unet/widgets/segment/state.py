"""The state of the segment dock in facts and texts, without a window."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.data.pixels.pixel_size import doubt_pixel_size
from napari_snow_unet.data.slides import slide
from napari_snow_unet.models import ModelEntry
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.plane.areas import PIXELS, UM2, AreaUnit
from napari_snow_unet.segmentation.stack import check_stack
from napari_snow_unet.widgets.common.image_of_labels import doubt_about_image
from napari_snow_unet.widgets.common.layers import pixels_of, shown_plane, source_of
from napari_snow_unet.widgets.common.pixel_sizes import measured, objective_of
from napari_snow_unet.widgets.segment import messages
from napari_snow_unet.widgets.segment.region import RegionOfInterest, roi_of

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

SIZE_UNKNOWN, SIZE_OF_EACH = "unknown", "from each file"


@dataclass(frozen=True, eq=False)
class Chosen:
    """What the user has chosen to segment."""

    of_layer: bool  # an image layer, or else the images of a folder
    image: Image | None
    roi: Any  # for `region.roi_of`
    folder: Path | None
    results: Path | None
    typed_um: float | None  # the pixel size; None or 0 if none was typed


@dataclass(frozen=True, eq=False)
class SegmentState:
    """Facts about the chosen image or folder and model, and the texts that follow."""

    of_layer: bool = True
    image: Image | None = None  # None also if a folder is chosen
    is_stack: bool = False
    is_large: bool = False  # its results are written to files
    pixel_size_um: float | None = None  # of the image itself
    size_source: str = ""  # in words
    objective: float | None = None  # its power, if only that is known
    typed_um: float | None = None
    image_doubt: str = ""  # why this image may be the wrong one
    model: ModelEntry | None = None
    model_problem: str = ""
    why_not: str = ""  # why this image or folder cannot be segmented

    @property
    def writes_files(self) -> bool:
        """Whether results are written to files, which need a folder."""
        return self.is_large or not self.of_layer

    @property
    def tip(self) -> str:
        """The tooltip of Run."""
        return messages.RUN_LAYER if self.of_layer else messages.RUN_FOLDER

    @property
    def hint(self) -> str:
        """Why Run is disabled; empty if it is not."""
        return self.why_not or (self.model.problem if self.model else "")

    @property
    def size_in_words(self) -> str:
        """The pixel size that applies if none is typed."""
        if not self.of_layer:
            return SIZE_OF_EACH
        if self.pixel_size_um is None:
            return SIZE_UNKNOWN
        return f"{self.pixel_size_um:g} ({self.size_source})"

    @property
    def area_unit(self) -> AreaUnit:
        """The unit of the minimum area: µm² if the pixel size is known."""
        return UM2 if self.pixel_size_um or self.typed_um else PIXELS

    @property
    def size_note(self) -> str:
        """What an unknown or implausible pixel size means."""
        if self.typed_um or self.image is None or self.pixel_size_um is not None:
            return doubt_pixel_size(self.typed_um) or ""
        expected = self.model.pixel_size_um if self.model else None
        return messages.unknown_size(expected, self.objective)


def look(
    viewer: Viewer, chosen: Chosen, model: ModelEntry | None, model_problem: str
) -> SegmentState:
    """Return the state for what is chosen."""
    image = chosen.image if chosen.of_layer else None
    source, size_source = (None, "") if image is None else measured(image)
    return SegmentState(
        of_layer=chosen.of_layer,
        image=image,
        is_stack=source is not None and len(source.shape) > 2,
        is_large=image is not None and _is_large_as_chosen(viewer, image, chosen.roi),
        pixel_size_um=None if source is None else source.pixel_size_um,
        size_source=size_source,
        objective=None if image is None or size_source else objective_of(image),
        typed_um=chosen.typed_um,
        image_doubt="" if image is None else doubt_about_image(image),
        model=model,
        model_problem=model_problem,
        why_not=_why_no_image(image) if chosen.of_layer else _why_no_folder(chosen),
    )


def is_large(image: Image, roi: RegionOfInterest | None) -> bool:
    """Tell whether so much is to be segmented that the results are written to files."""
    source = source_of(image)
    shape = source.shape if roi is None else source.cropped(roi.box).shape
    return math.prod(shape[-2:]) > slide.LARGEST_WHOLE


def _is_large_as_chosen(viewer: Viewer, image: Image, roi: Any) -> bool:
    if not is_large(image, None):
        return False
    try:
        return is_large(image, roi_of(viewer, image, roi))
    except InputError:  # Run says why
        return False


def _why_no_image(image: Image | None) -> str:
    if image is None:
        return messages.NO_IMAGE
    pixels = pixels_of(image)
    try:
        check_stack(pixels.shape, pixels.dtype, rgb=image.rgb)
    except InputError as error:
        return str(error)
    return ""


def _why_no_folder(chosen: Chosen) -> str:
    if chosen.folder is None or not chosen.folder.is_dir():
        return messages.NO_FOLDER
    return "" if chosen.results is not None else messages.NO_RESULTS


def plane_shown(viewer: Viewer, image: Image | None) -> Index | None:
    """Return the plane of an image that napari shows, if there is one."""
    if image is None:
        return None
    try:
        return shown_plane(viewer, image)
    except InputError:
        return None


def in_words(layer: Labels, summary: str, options: Options) -> list[str]:
    """Return the summary of a result, and whether its threshold was set by hand."""
    by_hand = [] if options.threshold == "otsu" else [messages.BY_HAND]
    return [f"{layer.name}: {summary}.", *by_hand]


def as_stored(facts: Mapping[str, Any]) -> list[str]:
    """Say that labels match pixels that other programs show rotated, if they do."""
    return [messages.as_stored(facts["unturned"])] if "unturned" in facts else []
