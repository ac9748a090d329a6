"""What a person can choose in the segment dock: names, defaults and help, each in one place.

magicgui makes a field of every parameter, and its tooltip of what the docstring says.
"""

from pathlib import Path
from typing import Any, Literal

from magicgui import magicgui
from magicgui.widgets import FunctionGui

from napari_snow_unet.data.pixels.channels import CHANNELS
from napari_snow_unet.segmentation.plane.areas import UM2
from napari_snow_unet.widgets.common.fields import BROWSE_WIDTH, PixelSizeField
from napari_snow_unet.widgets.common.form import adjust_slider


def source(
    kind: str = "layer",
    all_slices: bool = False,
    folder: Path | None = None,
    results: Path | None = None,
    probability: bool = False,
    overlay: bool = False,
    overwrite: bool = False,
) -> None:
    """Choose what to segment.

    Parameters
    ----------
    kind : str
        An image layer of this viewer, or all images of a folder, whose results are written to
        files.
    all_slices : bool
        Segment every slice of the stack, each by itself with its own Otsu threshold; otherwise
        the slice that is shown. Numbers start at 1 in every slice: the same number in two slices
        is not the same nucleus.
    folder : Path
        Folder of images. PNG, TIFF, JPEG and the like directly inside it are taken.
    results : Path
        Folder for the results: label images and summary.csv.
    probability : bool
        Also write the probability map of each image.
    overlay : bool
        Also write each image with the outlines of its nuclei.
    overwrite : bool
        Replace results that are there already; otherwise such images are reported as failed.
    """


def network(
    pixel_size: float = 0.0,
    channel: str = "",
    tile: int = 1024,
    test_time_augmentation: bool = False,
) -> dict[str, Any]:
    """Choose what the network sees.

    Parameters
    ----------
    pixel_size : float
        Micrometres per pixel, where you know better than the layer or file. A model is trained
        for a range of pixel sizes; an image outside it is resampled for the model. Takes effect
        with the next Run.
    channel : str
        Channel of a colour image that the model reads. Models do best on the one they were trained
        on. Takes effect with the next Run.
    tile : int
        Edge of the tiles in pixels, a multiple of 64. Smaller tiles need less memory; the result
        does not depend on it.
    test_time_augmentation : bool
        Average over what the network makes of four mirror images of every tile: usually better, in
        four times the time. Takes effect with the next Run.

    Returns
    -------
    dict
        Entries of `Options`.
    """
    return {
        "pixel_size_um": pixel_size or None,
        "channel": channel or None,
        "tile": tile,
        "test_time_augmentation": test_time_augmentation,
    }


def nuclei(
    output: Literal["nuclei", "mask"] = "nuclei",
    split: bool = True,
    otsu: bool = True,
    threshold: float = 0.5,
    smallest_area: float = UM2.default,
    fill_holes: bool = True,
    clear_border: bool = False,
) -> dict[str, Any]:
    """Choose what is a nucleus; all but the output can be changed without running again.

    Parameters
    ----------
    output : str
        Every nucleus with its own number, or one number for all. Takes effect with the next Run.
    split : bool
        Separate touching nuclei by a watershed.
    otsu : bool
        Find the threshold by Otsu's method. Moving the slider switches it off.
    threshold : float
        Probability above which a pixel is nucleus. Moving it changes the result at once.
    smallest_area : float
        Smallest area of a nucleus; smaller ones are dropped. Moving it changes the result at once.
    fill_holes : bool
        Fill small holes in nuclei.
    clear_border : bool
        Drop nuclei that touch the border of the image, for counts and areas without cut ones.

    Returns
    -------
    dict
        Entries of `Options`, the smallest area in the unit of the form.
    """
    return {
        "output": output,
        "split": split,
        "threshold": "otsu" if otsu else threshold,
        "smallest_area": smallest_area,
        "fill_holes": fill_holes,
        "clear_border": clear_border,
    }


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
        probability={"text": "Probability maps"},
        overlay={"text": "Outlines on the image"},
        overwrite={"text": "Replace existing results"},
    )
    for path in (made.folder, made.results):
        path.choose_btn.text = "…"
        path.choose_btn.native.setMaximumWidth(BROWSE_WIDTH)
    return made


def fields_of_network() -> FunctionGui:
    """Return the fields of `network`."""
    channels = [("the model's own", ""), *((name, name) for name in CHANNELS if name != "rgb")]
    return magicgui(
        network,
        call_button=False,
        pixel_size={"widget_type": PixelSizeField, "min": 0, "max": 1000, "step": 0.01},
        channel={"choices": channels, "widget_type": "ComboBox"},
        tile={"min": 64, "max": 8192, "step": 64},
        test_time_augmentation={"text": "Test-time augmentation"},
    )


def fields_of_nuclei() -> FunctionGui:
    """Return the fields of `nuclei`."""
    outputs = [("each nucleus", "nuclei"), ("one mask", "mask")]
    made = magicgui(
        nuclei,
        call_button=False,
        output={"choices": outputs, "widget_type": "ComboBox"},
        split={"text": "Split touching nuclei"},
        otsu={"text": "Otsu"},
        threshold={"widget_type": "FloatSlider", "min": 0, "max": 1, "step": 0.001},
        smallest_area={"widget_type": "FloatSlider", "min": 0, "max": UM2.largest, "step": 0.1},
        fill_holes={"text": "Fill holes"},
        clear_border={"text": "Drop nuclei at the border"},
    )
    adjust_slider(made.threshold, 3)
    return made
