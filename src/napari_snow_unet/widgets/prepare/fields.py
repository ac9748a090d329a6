"""The fields of the dock that prepares datasets, as its options are declared."""

from pathlib import Path
from typing import Any

from magicgui import magicgui
from magicgui.widgets import FunctionGui

from napari_snow_unet.base.options import declared
from napari_snow_unet.base.processes import usable_cores
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.split_options import SplitOptions
from napari_snow_unet.widgets.common.fields import (
    BROWSE_WIDTH,
    MASKS,
    PixelSizeField,
    option_fields,
)
from napari_snow_unet.widgets.prepare import messages


def target(dataset: Path | None = None) -> Path | None:
    """Choose the dataset.

    Parameters
    ----------
    dataset : Path
        Folder of the dataset: an empty folder, or a dataset to continue. Check and the two buttons
        next to it accept any folder of images and masks.
    """
    return dataset


def chosen_options(values: dict[str, Any]) -> PrepareOptions:
    """Return the options; InputError if a subset is neither a number nor a fraction."""
    split = {name: values.pop(name) for name in declared(SplitOptions)}
    workers = values.pop("workers") or usable_cores()  # outside of this process, which has a window
    return PrepareOptions(**values, split=SplitOptions(**split).plan(), workers=workers)


def fields_of_target() -> FunctionGui:
    """Return the field of `target`."""
    made = magicgui(target, call_button=False, dataset={"mode": "d"})
    made.dataset.choose_btn.text = "…"
    made.dataset.choose_btn.native.setMaximumWidth(BROWSE_WIDTH)
    return made


def fields_of_options() -> FunctionGui[dict[str, Any]]:
    """Return the fields of a dataset and its split."""
    fields = option_fields(
        PrepareOptions,
        "limit",
        "binary",
        *declared(SplitOptions).values(),
        "um_per_px",
        "shard",
        "masks_are",
        "verify",
        "workers",
        limit={"max": 10_000_000, "step": 100},
        seed={"max": 2**31 - 1},
        um_per_px={"widget_type": PixelSizeField, "max": 1000, "step": 0.01},
        shard={"max": 10_000_000, "step": 1000},
        masks_are={"choices": MASKS},
        workers={"max": 1024},
    )
    fields.um_per_px.native.say_unknown(messages.PIXEL_SIZE_OF_IMAGES_LABEL)
    for name in ("train", "val", "test"):
        getattr(fields, name).native.setPlaceholderText(declared(SplitOptions)[name].option.none)
    fields.group_by.native.setPlaceholderText(messages.NO_GROUPS_LABEL)
    return fields
