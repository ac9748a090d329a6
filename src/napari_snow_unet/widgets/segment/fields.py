"""The fields of the segment dock: declared options, and those that only the dock has."""

from pathlib import Path
from typing import Any

from magicgui import magicgui
from magicgui.widgets import FloatSlider, FunctionGui

from napari_snow_unet.base.options import Declared, Option, declared
from napari_snow_unet.batch import Outputs
from napari_snow_unet.data.pixels.channels import CHANNELS
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.plane.areas import UM2, AreaUnit
from napari_snow_unet.widgets.common.fields import BROWSE_WIDTH, PixelSizeField, option_fields
from napari_snow_unet.widgets.common.form import adjust_slider
from napari_snow_unet.widgets.segment import messages

OTSU = Declared(
    "otsu",
    bool,
    default=True,
    may_be_none=False,
    choices=(),
    option=Option(messages.OTSU_TIP, label="Automatic (Otsu)"),
)
#: A network for single channels reads one of these.
CHANNELS_OFFERED = [
    ("the model's own", ""),
    *((name, name) for name in CHANNELS if name != "rgb"),
]
OUTPUTS = [("separate nuclei", "nuclei"), ("one mask", "mask")]


def source(
    kind: str = "layer",
    all_slices: bool = False,
    folder: Path | None = None,
    results: Path | None = None,
) -> None:
    """Choose what to segment.

    Parameters
    ----------
    kind : str
        An image layer, or every image in a folder, whose results are written to files.
    all_slices : bool
        Segment every slice of the stack, each with its own Otsu threshold, instead of the current
        one only. The same number in two slices is not the same nucleus.
    folder : Path
        Folder of images (PNG, TIFF, JPEG and others). Subfolders are not searched.
    results : Path
        Folder for the results: label images and summary.csv.
    """


def fields_of_source() -> FunctionGui:
    """Return the fields of `source`."""
    kinds = [("image layer", "layer"), ("folder of images", "folder")]
    made = magicgui(
        source,
        call_button=False,
        kind={"choices": kinds, "widget_type": "ComboBox"},
        all_slices={"text": "All slices"},
        folder={"mode": "d"},
        results={"mode": "d"},
    )
    for path in (made.folder, made.results):
        path.choose_btn.text = "…"
        path.choose_btn.native.setMaximumWidth(BROWSE_WIDTH)
    return made


def fields_of_files() -> FunctionGui[dict[str, Any]]:
    """Return the fields for output files."""
    return option_fields(Outputs, "probability", "overlay", "overwrite")


def fields_of_network() -> FunctionGui[dict[str, Any]]:
    """Return the fields for the input of the network."""
    return option_fields(
        Options,
        "pixel_size_um",
        "channel",
        "tile",
        "test_time_augmentation",
        channel={"choices": CHANNELS_OFFERED},
        pixel_size_um={"widget_type": PixelSizeField, "min": 0, "max": 1000, "step": 0.01},
        tile={"max": 8192, "step": 64},
    )


def fields_of_nuclei() -> FunctionGui[dict[str, Any]]:
    """Return the fields that decide what is a nucleus; only the output needs a new Run."""
    made = option_fields(
        Options,
        "output",
        "separate",
        OTSU,
        "threshold",
        "min_area_um2",
        "fill_holes",
        "clear_border",
        output={"choices": OUTPUTS},
        threshold={"value": 0.5, "widget_type": "FloatSlider", "step": 0.001},
        min_area_um2={
            "value": UM2.default,
            "empty": -1.0,
            "widget_type": "FloatSlider",
            "min": 0,
            "max": UM2.largest,
            "step": 0.1,
        },
    )
    adjust_slider(made.threshold, 3)
    return made


class SmallestArea:
    """The slider of the minimum area, whose unit may change."""

    def __init__(self, slider: FloatSlider) -> None:
        self.slider, self.unit = slider, UM2

    @property
    def label(self) -> str:
        """The label of the slider."""
        return declared(Options)[self.unit.option].option.label

    def as_option(self) -> dict[str, float]:
        """Return the area as an entry of `Options`; empty for the default."""
        return self.unit.as_option(self.slider.value)

    def show(self, options: Options) -> None:
        """Show the area in options of this unit."""
        area = getattr(options, self.unit.option)
        self.slider.value = self.unit.default if area is None else min(area, self.slider.max)

    def convert_to(self, unit: AreaUnit) -> None:
        """Show the same area in another unit."""
        if unit == self.unit:
            return
        area, self.unit = self.unit.to(unit, self.slider.value), unit
        self.slider.max, self.slider.step = unit.largest, 10.0**-unit.decimals
        adjust_slider(self.slider, unit.decimals)
        self.slider.value = area
