"""What a person can choose for a segmentation, and the checks on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import Option, check, declared, without_numpy
from napari_snow_unet.data.pixels.channels import Channel
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size
from napari_snow_unet.segmentation import messages
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.plane.nuclei import REFERENCE_PIXEL_UM, SMALLEST_NUCLEUS_UM2
from napari_snow_unet.segmentation.plane.tiling import check_window


@dataclass(frozen=True)
class Options:
    """What a person can choose for a segmentation.

    Each field is declared with its help and its limits, from which flags, fields and checks follow.
    """

    threshold: Annotated[
        float | Literal["otsu"],
        Option(
            "'otsu', or the probability from 0 to 1 above which a pixel is nucleus.",
            tip="A pixel counts as nucleus above this probability. Changes the result immediately.",
            label="Threshold",
            low=0,
            high=1,
        ),
    ] = "otsu"
    output: Annotated[
        Literal["nuclei", "mask"],
        Option(
            "'nuclei': one label per nucleus; 'mask': binary, 0 and 255.",
            tip="One label per nucleus, or one mask of all nuclei. Takes effect at the next Run.",
            label="Output",
        ),
    ] = "nuclei"
    separate: Annotated[
        bool,
        Option(
            "Leave touching nuclei in one piece.",
            tip="Separate touching nuclei with a watershed.",
            label="Separate touching nuclei",
            was="split",
        ),
    ] = True
    min_area: Annotated[
        float | None,
        Option("Smallest nucleus in pixels.", none="5 µm²", low=0, label="Min. area (pixels)"),
    ] = None
    min_area_um2: Annotated[
        float | None,
        Option(
            "Smallest nucleus in µm², for a known pixel size; overrides the one in pixels.",
            tip="Remove smaller nuclei. Changes the result immediately.",
            low=0,
            label="Min. area (µm²)",
        ),
    ] = None
    fill_holes: Annotated[
        bool,
        Option(
            "Leave holes in nuclei open.", tip="Fill small holes in nuclei.", label="Fill holes"
        ),
    ] = True
    clear_border: Annotated[
        bool,
        Option(
            "Drop nuclei that touch the image's edge.",
            tip="Exclude nuclei touching the image edge, which are cut off.",
            label="Exclude nuclei at the edge",
        ),
    ] = False
    channel: Annotated[
        Channel | None,
        Option(
            "Channel to use.",
            tip="Channel of a colour image that the model reads: best the one it was trained on. "
            "Takes effect at the next Run.",
            none="the model's own",
            label="Channel",
        ),
    ] = None
    pixel_size_um: Annotated[
        float | None,
        Option(
            "Micrometres per pixel; 0: unknown.",
            tip="Micrometres per pixel; overrides the value in the layer or file. At the next Run, "
            "the image is resampled if the model needs another size.",
            none="the file's",
            by=check_pixel_size,
            zero="own",
            flag="--pixel-size",
            label="Pixel size (µm)",
        ),
    ] = None
    tile: Annotated[
        int,
        Option(
            "Size of the square windows passed to the network, in pixels; about 2048 for large "
            "images.",
            tip="Size of the square windows passed to the network, a multiple of 64. Smaller ones "
            "need less memory and give the same result.",
            low=64,
            label="Tile size (pixels)",
        ),
    ] = 1024
    test_time_augmentation: Annotated[
        bool,
        Option(
            "Average over four mirrored predictions per tile: usually better, four times slower.",
            tip="Averages four mirrored predictions per tile: usually better, four times slower. "
            "Takes effect at the next Run.",
            also=("--tta",),
            label="Test-time augmentation",
        ),
    ] = False

    def __post_init__(self) -> None:
        without_numpy(self)

    def pixel_size_known(self, stated_um: float | None) -> float | None:
        """Return the pixel size that counts: the person's, else what the file or layer states."""
        return self.pixel_size_um or stated_um


def smallest_area_px(options: Options, pixel_size_um: float | None) -> float:
    """Return the area in pixels below which a nucleus is dropped; µm² need a known pixel size."""
    pixel = pixel_size_um or REFERENCE_PIXEL_UM
    area = options.min_area
    if options.min_area_um2 is not None:
        if pixel_size_um is None:
            raise InputError(messages.AREA_OF_UNKNOWN_SIZE)
        area = options.min_area_um2 / pixel**2
    if area is None:
        area = SMALLEST_NUCLEUS_UM2 / pixel**2
    return area


def check_options(options: Options, model: Model) -> None:
    """Refuse what no image could be segmented with by this model, before any work."""
    check_options_alone(options)
    declared(Options)["channel"].check(options.channel or model.channel)
    if options.channel and (options.channel == "rgb") != (model.channel == "rgb"):
        raise InputError(messages.other_channel(options.channel, model.channel))
    check_window(options.tile, model.halo)


def check_options_alone(options: Options) -> None:
    """Refuse what no image could be segmented with by any model, before one is opened."""
    check(options)
