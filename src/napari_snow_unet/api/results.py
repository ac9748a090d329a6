"""Nuclei of an image or a folder as the API returns them; labelling them without the network."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_snow_unet.api import messages
from napari_snow_unet.api.calls import takes
from napari_snow_unet.api.inputs import Pixels
from napari_snow_unet.api.pictures import picture
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.base.shown import Shown, paragraph, table
from napari_snow_unet.base.words import counted
from napari_snow_unet.batch import FileResult, messages_of
from napari_snow_unet.data.pixels.axes import plane_last
from napari_snow_unet.data.pixels.channels import to_rgb8
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size
from napari_snow_unet.data.pixels.value_range import EIGHT_BITS, ValueRange
from napari_snow_unet.segmentation.messages import NO_NUCLEI
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.overlay import draw_outlines
from napari_snow_unet.segmentation.plane.threshold import in_digits
from napari_snow_unet.segmentation.provenance import scale_messages
from napari_snow_unet.segmentation.stack import relabel_stack
from napari_snow_unet.segmentation.stack_result import StackSegmentation

_LONGEST_SIDE = 400  # pixels of the picture in a notebook
#: What only the network can follow.
_OF_NETWORK = ("channel", "tile", "test_time_augmentation")


@dataclass(frozen=True, eq=False, repr=False)
class SegmentedImage(Shown):
    """The nuclei of an image or stack; in a notebook it shows their outlines.

    Attributes
    ----------
    labels : ndarray of int32, shape (..., Y, X)
        0 is background, 1 to N are nuclei; for ``output="mask"``, 1 is all of them. In a stack,
        numbers start at 1 in every plane.
    probability : ndarray of uint8, shape (..., Y, X)
        Probability of nucleus times 255.
    threshold : float
        Probability above which a pixel is nucleus; the mean over the planes of a stack.
    nuclei : int
        Number of nuclei over all planes.
    pixel_size_um : float or None
        Micrometres per pixel, if known.
    messages : tuple of str
        What you should know about the result, such as that the pixel size is unknown.
    provenance : dict
        Model, options, thresholds and versions, in values that JSON can hold.
    """

    pixels: Pixels
    values: ValueRange
    options: Options
    floor: float
    stack: StackSegmentation
    trained_um: tuple[float, float] | None = None  # pixel sizes of the model's training images

    @property
    def labels(self) -> NDArray[np.int32]:
        """Numbers of the nuclei, int32, shape (..., Y, X)."""
        return self.stack.labels

    @property
    def probability(self) -> NDArray[np.uint8]:
        """Probability of nucleus times 255, uint8, shape (..., Y, X)."""
        return self.stack.probability

    @property
    def threshold(self) -> float:
        """Probability above which a pixel is nucleus, 0 to 1."""
        return self.stack.threshold

    @property
    def nuclei(self) -> int:
        """Number of nuclei."""
        return self.stack.nuclei

    @property
    def pixel_size_um(self) -> float | None:
        """Micrometres per pixel, if known."""
        return self.stack.pixel_size_um

    @property
    def messages(self) -> tuple[str, ...]:
        """What you should know about the result."""
        return tuple(dict.fromkeys([*self.pixels.notes, *self.stack.messages]))

    @property
    def provenance(self) -> dict[str, Any]:
        """How the result was made."""
        return self.stack.provenance

    @property
    def summary(self) -> str:
        """Nuclei, density, area and threshold in one line."""
        return self.stack.summary

    def relabel(self, **options: Any) -> SegmentedImage:
        """Find the nuclei again with other options, without the network; see `relabel`."""
        return relabel(self, **options)

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        return self.summary

    def _repr_html_(self) -> str:
        shown = picture(self._picture(), "The image with the outlines of its nuclei")
        return shown + "".join(map(paragraph, [self.summary, *self.messages]))

    def _picture(self) -> Image.Image:
        """Draw the outlines on the first plane that was segmented, at most 400 pixels wide."""
        index = next(iter(self.stack.planes))
        shape = plane_last(self.labels.shape)
        array = self.pixels.array
        colours = array.shape[-1:] if self.pixels.rgb else ()
        step = math.ceil(max(shape[-2:]) / _LONGEST_SIDE)
        rows = columns = slice(None, None, step)
        plane = np.asarray(array.reshape((*shape, *colours))[index][rows, columns])
        labels = self.labels.reshape(shape)[index][rows, columns]
        return Image.fromarray(draw_outlines(to_rgb8(plane, self.values), labels))


@takes(Options, refuses=_OF_NETWORK)
def relabel(result: SegmentedImage | NDArray[np.uint8], **options: Any) -> SegmentedImage:
    """Find nuclei again from the probability map, without the network.

    Parameters
    ----------
    result : SegmentedImage or ndarray of uint8, shape (..., Y, X)
        What `segment` returned, or a probability map times 255.
    **options
        What to change, by the names of `segment`: ``threshold``, ``output``, ``separate``,
        ``min_area``, ``min_area_um2``, ``fill_holes``, ``clear_border``, and ``pixel_size_um``
        (0 means unknown). The rest stays as it was.

    Returns
    -------
    SegmentedImage
        New labels with the same probability map; `result` is not changed.

    Raises
    ------
    InputError
        If an option is out of range, or the map is not 8-bit.
    TypeError
        If there is no such option.

    Examples
    --------
    >>> import napari_snow_unet as snow
    >>> result = snow.segment("tile.png", "classical")       # doctest: +SKIP
    >>> snow.relabel(result, threshold=0.6).nuclei           # doctest: +SKIP
    """
    for name in _OF_NETWORK:
        if name in options:
            raise InputError(messages.not_for_relabel(name))
    old = result if isinstance(result, SegmentedImage) else _of_map(result)
    chosen, size = replace(old.options, **options), old.pixel_size_um
    if "pixel_size_um" in options:
        size = options["pixel_size_um"] or None
        chosen = replace(chosen, pixel_size_um=size)
    stack = run(
        relabel_stack(
            old.probability,
            list(old.stack.planes),
            chosen,
            floor=old.floor,
            pixel_size_um=check_pixel_size(size),
        )
    )
    before, after = _notes_on_scale(old, old.pixel_size_um), _notes_on_scale(old, size)
    kept = [text for text in old.stack.messages if not text.endswith(NO_NUCLEI)]
    notes = (*stack.messages, *after, *(text for text in kept if text not in before))
    sizes = {"pixel_size_um": size, "network_pixel_size_um": size and size / _factor(old)}
    about = {**old.provenance, "options": asdict(chosen), **stack.provenance, **sizes}
    stack = replace(stack, messages=notes, provenance=about)
    return replace(old, options=chosen, stack=stack)


def _factor(result: SegmentedImage) -> float:
    """Return the factor by which the image was resampled for the network."""
    own, network = map(result.provenance.get, ("pixel_size_um", "network_pixel_size_um"))
    return own / network if own and network else 1.0


def _notes_on_scale(result: SegmentedImage, size: float | None) -> tuple[str, ...]:
    """Return the notes on a pixel size, for a network that has run already."""
    network, trained = size and size / _factor(result), result.trained_um
    notes = scale_messages(trained, size, None if network == size else network)
    if network and trained and not trained[0] * 0.999 <= network <= trained[1] * 1.001:
        notes += (messages.seen_at_other_scale(*trained),)
    return notes


def _of_map(probability: Any) -> SegmentedImage:
    """Return a probability map as a result of which nothing was labelled yet."""
    probability = np.asarray(probability)
    if probability.dtype != np.uint8 or probability.ndim < 2:
        raise InputError(messages.NOT_A_MAP)
    indices = np.ndindex(plane_last(probability.shape)[:-2])
    empty = np.zeros(probability.shape, np.int32)
    stack = StackSegmentation(empty, probability, dict.fromkeys(indices))  # type: ignore[arg-type]
    return SegmentedImage(Pixels(255 - probability, False), EIGHT_BITS, Options(), 0.0, stack)


@dataclass(frozen=True, eq=False, repr=False)
class SegmentedFolder(Shown):
    """What became of the images of a folder; in a notebook it is a table.

    Attributes
    ----------
    folder : pathlib.Path
        Where the labels and ``summary.csv`` are.
    results : list of FileResult
        One per image, with ``source``, ``labels``, ``nuclei``, ``threshold`` and ``error``.
    """

    folder: Path
    results: list[FileResult]

    @property
    def failed(self) -> dict[str, str]:
        """Why an image could not be segmented, by its path; empty if all could."""
        return {str(result.source): result.error for result in self.results if result.error}

    @property
    def messages(self) -> list[str]:
        """What you should know about the results."""
        return messages_of(self.results)

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        failed = list(self.failed.values())
        images = counted(len(self.results) - len(failed), "image")
        line = f"{images} segmented, results in {self.folder}"
        if not failed:
            return line
        return messages.failed_label(len(failed), len(self.results), failed[0])

    def _repr_html_(self) -> str:
        rows = (
            (
                result.source.name,
                "" if result.error else f"{result.nuclei:,}",
                "" if result.error else f"{result.area_fraction:.1%}",
                "" if result.error else in_digits(result.threshold),
                result.error,
            )
            for result in self.results
        )
        texts = "".join(map(paragraph, [self.one_line(), *self.messages]))
        return texts + table(("image", "nuclei", "area", "threshold", "error"), rows)
