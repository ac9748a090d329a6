"""What the segment dock shows at one moment, and why: facts and texts, without a window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.pixel_size import doubt_pixel_size
from napari_snow_unet.data.slides import slide
from napari_snow_unet.models import ModelEntry
from napari_snow_unet.segmentation.plane.areas import PIXELS, UM2, AreaUnit
from napari_snow_unet.segmentation.stack import check_stack
from napari_snow_unet.widgets.common.image_of_labels import doubt_about_image
from napari_snow_unet.widgets.common.layers import pixels_of, source_of
from napari_snow_unet.widgets.common.pixel_sizes import measured
from napari_snow_unet.widgets.segment.region import RegionOfInterest, roi_of

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

RUN_LAYER = (
    "Segment the image into a new Labels layer. A result of the same image, part, model, pixel "
    "size, channel and test-time augmentation that nobody has painted in is brought up to date "
    "instead."
)
RUN_FOLDER = "Segment every image of the folder and write the results to files."
NO_IMAGE = "Open an image first: drop a file on the viewer, or File > Open Sample."
NO_FOLDER = "Choose a folder of images."
NO_RESULTS = "Choose a folder for the results."
SIZE_UNKNOWN, SIZE_OF_EACH = "unknown", "from each file"
UNKNOWN_SIZE = (
    "Pixel size unknown: {}. Type it in above, from the scanner's papers: 0.25 for a 40x scan, 0.5 "
    "for 20x."
)


@dataclass(frozen=True, eq=False)
class Chosen:
    """What a person has chosen to segment."""

    of_layer: bool  # an image layer, else the images of a folder
    image: Image | None
    roi: Any  # as `region.roi_of` takes it
    folder: Path | None
    results: Path | None
    typed_um: float | None  # the pixel size; None or 0 where none was typed


@dataclass(frozen=True, eq=False)
class SegmentState:
    """What is known of what a person has chosen, and what the dock says of it."""

    of_layer: bool = True
    image: Image | None = None  # None also where a folder is chosen
    is_stack: bool = False
    is_large: bool = False  # its results are files
    pixel_size_um: float | None = None  # of the image itself
    said_by: str = ""  # who says that
    typed_um: float | None = None
    image_doubt: str = ""  # what speaks against segmenting this image
    model: ModelEntry | None = None
    model_problem: str = ""
    why_not: str = ""  # why this image or folder cannot be segmented

    @property
    def writes_files(self) -> bool:
        """Whether results are files, for which a folder has to be chosen."""
        return self.is_large or not self.of_layer

    @property
    def tip(self) -> str:
        """What Run does."""
        return RUN_LAYER if self.of_layer else RUN_FOLDER

    @property
    def hint(self) -> str:
        """Why Run cannot be pressed; empty if it can."""
        return self.why_not or (self.model.problem if self.model else "")

    @property
    def size_in_words(self) -> str:
        """The pixel size that counts where none is typed."""
        if not self.of_layer:
            return SIZE_OF_EACH
        if self.pixel_size_um is None:
            return SIZE_UNKNOWN
        return f"{self.pixel_size_um:g} ({self.said_by})"

    @property
    def area_unit(self) -> AreaUnit:
        """The unit of the smallest area: micrometres count where the size of a pixel is known."""
        return UM2 if self.pixel_size_um or self.typed_um else PIXELS

    @property
    def size_note(self) -> str:
        """What follows from a pixel size that nobody knows, or that nobody can mean."""
        if self.typed_um or self.image is None or self.pixel_size_um is not None:
            return doubt_pixel_size(self.typed_um) or ""
        expected = self.model.pixel_size_um if self.model else None
        if expected is None:
            return UNKNOWN_SIZE.format("nuclei per mm² and areas in µm² cannot be told")
        low, high = expected
        return UNKNOWN_SIZE.format(
            f"the model takes it for {low:.2g} to {high:.2g} µm, and misses nuclei if it is "
            "another one"
        )


def look(
    viewer: Viewer, chosen: Chosen, model: ModelEntry | None, model_problem: str
) -> SegmentState:
    """Take down what is known of what is chosen, and of the model."""
    image = chosen.image if chosen.of_layer else None
    source, said_by = (None, "") if image is None else measured(image)
    return SegmentState(
        of_layer=chosen.of_layer,
        image=image,
        is_stack=source is not None and len(source.shape) > 2,
        is_large=image is not None and _is_large_as_chosen(viewer, image, chosen.roi),
        pixel_size_um=None if source is None else source.pixel_size_um,
        said_by=said_by,
        typed_um=chosen.typed_um,
        image_doubt="" if image is None else doubt_about_image(image),
        model=model,
        model_problem=model_problem,
        why_not=_why_no_image(image) if chosen.of_layer else _why_no_folder(chosen),
    )


def is_large(image: Image, roi: RegionOfInterest | None) -> bool:
    """Tell whether so much of an image is to be segmented that the results are files."""
    source = source_of(image)
    shape = source.shape if roi is None else source.cropped(roi.box).shape
    return math.prod(shape[-2:]) > slide.LARGEST_WHOLE


def _is_large_as_chosen(viewer: Viewer, image: Image, roi: Any) -> bool:
    if not is_large(image, None):
        return False
    try:
        return is_large(image, roi_of(viewer, image, roi))
    except InputError:  # Run will say why
        return False


def _why_no_image(image: Image | None) -> str:
    if image is None:
        return NO_IMAGE
    pixels = pixels_of(image)
    try:
        check_stack(pixels.shape, pixels.dtype, rgb=image.rgb)
    except InputError as error:
        return str(error)
    return ""


def _why_no_folder(chosen: Chosen) -> str:
    if chosen.folder is None or not chosen.folder.is_dir():
        return NO_FOLDER
    return "" if chosen.results is not None else NO_RESULTS
