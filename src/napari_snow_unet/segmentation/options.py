"""What a person can choose for a segmentation, and the checks on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.channels import CHANNELS
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.plane.nuclei import REFERENCE_PIXEL_UM, SMALLEST_NUCLEUS_UM2
from napari_snow_unet.segmentation.plane.threshold import level_of
from napari_snow_unet.segmentation.plane.tiling import check_window


@dataclass(frozen=True)
class Options:
    """What a person can choose for a segmentation.

    Attributes
    ----------
    threshold : float or "otsu"
        Probability in 0..1 above which a pixel is nucleus, or Otsu's method.
    output : {"nuclei", "mask"}
        Every nucleus its own label, or one label for all.
    split : bool
        Separate touching nuclei by a seeded watershed.
    min_area : float or None
        Smallest nucleus in pixels. None stands for 5 square micrometres.
    min_area_um2 : float or None
        Smallest nucleus in square micrometres; needs a known pixel size, and goes before
        `min_area`.
    fill_holes : bool
        Fill holes in nuclei.
    clear_border : bool
        Drop nuclei that touch the border of the image.
    channel : str or None
        Channel to use; None stands for the one the model was trained on.
    pixel_size_um : float or None
        Micrometres per pixel, where the person knows better than the file or layer.
    tile : int
        Edge of the windows the network sees, in pixels, a multiple of 64; at most, where memory is
        short.
    test_time_augmentation : bool
        Average over four mirror images of every window, which takes four times as long.
    """

    threshold: float | Literal["otsu"] = "otsu"
    output: Literal["nuclei", "mask"] = "nuclei"
    split: bool = True
    min_area: float | None = None
    min_area_um2: float | None = None
    fill_holes: bool = True
    clear_border: bool = False
    channel: str | None = None
    pixel_size_um: float | None = None
    tile: int = 1024
    test_time_augmentation: bool = False


def smallest_area_px(options: Options, pixel_size_um: float | None) -> float:
    """Return the area in pixels below which a nucleus is dropped.

    Parameters
    ----------
    options : Options
        The person's choice.
    pixel_size_um : float or None
        Micrometres per pixel if known.

    Returns
    -------
    float
        Area in pixels.

    Raises
    ------
    InputError
        If the area is negative, or given in micrometres while the pixel size is unknown.
    """
    pixel = pixel_size_um or REFERENCE_PIXEL_UM
    area = options.min_area
    if options.min_area_um2 is not None:
        if pixel_size_um is None:
            raise InputError(
                "a smallest area in square micrometres for an image of unknown pixel size",
                expected="a known pixel size",
                remedy="Give the pixel size, or the smallest area in pixels.",
            )
        area = options.min_area_um2 / pixel**2
    if area is None:
        area = SMALLEST_NUCLEUS_UM2 / pixel**2
    return _check_area(area)


def _check_area(area: float) -> float:
    if not 0 <= area < float("inf"):
        raise InputError(
            f"a smallest area of {area}",
            expected="a number that is not negative",
            remedy="Choose 0 to keep every nucleus.",
        )
    return area


def check_options(options: Options, model: Model) -> None:
    """Refuse what no image could be segmented with, before any work.

    Parameters
    ----------
    options : Options
        What the person chose.
    model : Model
        The model it is for.

    Raises
    ------
    InputError
        If the threshold, the output, the channel, the pixel size, the smallest area or the tile
        size cannot be used.
    """
    check_options_alone(options)
    check_choice("channel", options.channel or model.channel, CHANNELS)
    check_window(options.tile, model.halo)


def check_options_alone(options: Options) -> None:
    """Refuse what no image could be segmented with by any model, before one is opened.

    Parameters
    ----------
    options : Options
        What the person chose.

    Raises
    ------
    InputError
        If the threshold, the output, the pixel size or the smallest area cannot be used.
    """
    if options.threshold != "otsu":
        level_of(options.threshold)
    check_choice("output", options.output, ("nuclei", "mask"))
    check_pixel_size(options.pixel_size_um)
    for area in (options.min_area, options.min_area_um2):
        _check_area(0 if area is None else area)


def check_choice(what: str, choice: str, choices: tuple[str, ...]) -> None:
    """Raise `InputError` unless a choice is one of those offered."""
    if choice not in choices:
        raise InputError(
            f"the {what} {choice!r}",
            expected="one of " + ", ".join(choices),
            remedy="Choose one of these.",
        )
