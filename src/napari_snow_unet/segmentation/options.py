"""The options of a segmentation, and their checks."""

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
    """The options of a segmentation.

    Each field declares its help and limits; flags, dock fields and checks are derived from them.
    """

    threshold: Annotated[
        float | Literal["otsu"],
        Option(
            "'otsu' (automatic), or the probability (0 to 1) above which pixels count as nucleus.",
            tip="A pixel counts as nucleus above this probability. Changes the result immediately.",
            label="Threshold",
            low=0,
            high=1,
            group="Nuclei",
        ),
    ] = "otsu"
    output: Annotated[
        Literal["nuclei", "mask"],
        Option(
            "'nuclei': one label per nucleus; 'mask': binary, 0 and 255.",
            tip="One label per nucleus, or one mask of all nuclei. Takes effect at the next Run.",
            label="Output",
            group="Output",
        ),
    ] = "nuclei"
    separate: Annotated[
        bool,
        Option(
            "Do not separate touching nuclei.",
            tip="Separate touching nuclei with a watershed.",
            label="Separate touching nuclei",
            was="split",
            group="Nuclei",
        ),
    ] = True
    min_area: Annotated[
        float | None,
        Option(
            "Minimum area of a nucleus in pixels; smaller ones are removed.",
            none="80, or 5 µm² if the pixel size is known",
            low=0,
            label="Min. area (pixels)",
            group="Advanced",
        ),
    ] = None
    min_area_um2: Annotated[
        float | None,
        Option(
            "Minimum area of a nucleus in µm²; the pixel size must be known.",
            tip="Remove smaller nuclei. Changes the result immediately.",
            none="5",
            low=0,
            label="Min. area (µm²)",
            group="Nuclei",
        ),
    ] = None
    fill_holes: Annotated[
        bool,
        Option(
            "Do not fill holes in nuclei.",
            tip="Fill small holes in nuclei.",
            label="Fill holes",
            group="Advanced",
        ),
    ] = True
    clear_border: Annotated[
        bool,
        Option(
            "Exclude nuclei touching the image edge.",
            tip="Exclude nuclei touching the image edge, which are cut off.",
            label="Exclude nuclei at the edge",
            group="Nuclei",
        ),
    ] = False
    channel: Annotated[
        Channel | None,
        Option(
            "Colour channel passed to the model.",
            tip="Channel of a colour image that the model reads, ideally the one it was trained "
            "on. Takes effect at the next Run.",
            none="the model's own",
            label="Channel",
            group="Advanced",
        ),
    ] = None
    pixel_size_um: Annotated[
        float | None,
        Option(
            "Micrometres per pixel; 0 means unknown.",
            tip="Micrometres per pixel; overrides the value in the layer or file. At the next Run, "
            "the image is resampled if the model needs another size.",
            none="from the file",
            by=check_pixel_size,
            zero="own",
            flag="--pixel-size",
            label="Pixel size (µm)",
            group="Input",
        ),
    ] = None
    tile: Annotated[
        int,
        Option(
            "Side length of the square windows passed to the network, in pixels; by default up to "
            "2048 for very large images.",
            tip="Size of the square windows passed to the network, a multiple of 64. Smaller ones "
            "need less memory and give the same result.",
            low=64,
            label="Tile size (pixels)",
            group="Advanced",
        ),
    ] = 1024
    test_time_augmentation: Annotated[
        bool,
        Option(
            "Average the predictions of four mirrored images: usually better, four times slower.",
            tip="Averages the predictions of four mirrored images: usually better, four times "
            "slower. Takes effect at the next Run.",
            also=("--tta",),
            label="Test-time augmentation",
            group="Model",
        ),
    ] = False

    def __post_init__(self) -> None:
        without_numpy(self)

    def effective_pixel_size(self, stated_um: float | None) -> float | None:
        """Return the pixel size of the options, else that of the file or layer."""
        return self.pixel_size_um or stated_um


def smallest_area_px(options: Options, pixel_size_um: float | None) -> float:
    """Return the minimum area in pixels; the option in µm² overrides that in pixels."""
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
    """Raise `InputError` for options that this model cannot be used with."""
    check_options_alone(options)
    declared(Options)["channel"].check(options.channel or model.channel)
    if options.channel and (options.channel == "rgb") != (model.channel == "rgb"):
        raise InputError(messages.other_channel(options.channel, model.channel))
    check_window(options.tile, model.halo)


def check_options_alone(options: Options) -> None:
    """Raise `InputError` for options that no model can be used with."""
    check(options)
