"""What a person can choose in the measuring dock: names, defaults and help, each in one place.

magicgui makes a field of every parameter, and its tooltip of what the docstring says.
"""

from typing import Any

from magicgui import magicgui
from magicgui.widgets import FunctionGui

from napari_snow_unet.widgets.common.fields import mask_choices
from napari_snow_unet.widgets.common.form import adjust_slider


def comparison(
    otsu: bool = True,
    threshold: float = 0.5,
    all_slices: bool = True,
    masks_are: str = "",
    pixel_by_pixel: bool = False,
) -> dict[str, Any]:
    """Choose how to compare.

    Parameters
    ----------
    otsu : bool
        Cut the probability map at the threshold of Otsu's method, every slice at its own. Moving
        the slider switches it off.
    threshold : float
        Probability above which a pixel is nucleus. The scores under it follow at once; nuclei are
        compared when you press Run.
    all_slices : bool
        Measure every slice of the stack by itself, and all together; otherwise the slice that is
        shown.
    masks_are : str
        What the labels are, where they are judged wrongly: every number a nucleus; or every
        connected region of nucleus, or of one class, a nucleus. Results of this plugin are known.
    pixel_by_pixel : bool
        Compare layers of one size although their scale or position differs.
    """
    return {
        "threshold": "otsu" if otsu else threshold,
        "all_slices": all_slices,
        "masks_are": masks_are or None,
        "pixel_by_pixel": pixel_by_pixel,
    }


def fields_of_comparison() -> FunctionGui:
    """Return the fields of `comparison`."""
    made = magicgui(
        comparison,
        call_button=False,
        otsu={"text": "Otsu"},
        threshold={"widget_type": "FloatSlider", "min": 0, "max": 1, "step": 0.001},
        all_slices={"text": "All slices"},
        masks_are=mask_choices(),
        pixel_by_pixel={"text": "Compare pixel by pixel"},
    )
    adjust_slider(made.threshold, 3)
    return made
