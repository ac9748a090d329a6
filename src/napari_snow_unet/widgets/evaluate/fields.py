"""Options of the dock Compare with ground truth: names, defaults and help, each in one place.

magicgui makes a field of every parameter, with its tooltip from the docstring.
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
    """Return the options of a comparison.

    Parameters
    ----------
    otsu : bool
        Choose the threshold by Otsu's method, separately for every slice. Moving the slider turns
        this off.
    threshold : float
        Probability above which a pixel is nucleus. The scores below follow at once; press Run to
        compare nuclei.
    all_slices : bool
        Compare every slice of the stack, and show their pooled and mean scores. Otherwise only the
        current slice is compared.
    masks_are : str
        What the labels are, if they are recognised wrongly: each value is a nucleus, or each
        connected region of a mask or class is one. Results of this plugin do not need it.
    pixel_by_pixel : bool
        Compare layers of the same size even if their scale or position differs.
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
        otsu={"text": "Automatic (Otsu)"},
        threshold={"widget_type": "FloatSlider", "min": 0, "max": 1, "step": 0.001},
        all_slices={"text": "All slices"},
        masks_are=mask_choices(),
        pixel_by_pixel={"text": "Compare pixel by pixel"},
    )
    adjust_slider(made.threshold, 3)
    return made
