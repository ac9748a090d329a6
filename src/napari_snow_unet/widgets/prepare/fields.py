"""What a person can choose in the dock that prepares datasets, each with its default and help.

magicgui makes a field of every parameter, and its tooltip of what the docstring says.
"""

from pathlib import Path
from typing import Any

from magicgui import magicgui
from magicgui.widgets import FunctionGui

from napari_snow_unet.base.processes import usable_cores
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.splits import SplitPlan, parse_share, usual_size
from napari_snow_unet.widgets.common.fields import BROWSE_WIDTH, PixelSizeField, mask_choices


def target(dataset: Path | None = None) -> Path | None:
    """Choose the dataset.

    Parameters
    ----------
    dataset : Path
        Folder of the dataset: a new or empty one for Prepare, or one that was begun. For Check and
        the two buttons below any folder with images and masks will do.

    Returns
    -------
    Path or None
        The folder.
    """
    return dataset


def options(
    limit: int = 0,
    binary: bool = False,
    train: str = "",
    val: str = "",
    test: str = "",
    seed: int = 0,
    pixel_size: float = 0.0,
    shard: int = 0,
    group_by: str = "",
    masks_are: str = "",
    verify: bool = False,
    workers: int = 0,
) -> PrepareOptions:
    """Choose what the dataset shall be.

    Parameters
    ----------
    limit : int
        Take only so many pairs, the first in the order of their numbers; 0 takes all.
    binary : bool
        Masks of 0 and 255, as in the paper, in place of a number for every nucleus.
    train : str
        Tiles to train on: a number such as 3600, or a fraction such as 0.72 or 72%. What stands
        here in grey is what a new dataset takes where this and the two below are empty; where one
        of them is not, those that are empty take nothing.
    val : str
        Tiles to validate with.
    test : str
        Tiles to test with.
    seed : int
        The same seed divides the same tiles in the same way.
    pixel_size : float
        Micrometres per pixel, where the images do not say.
    shard : int
        Tiles per folder, as 5,000 in the paper; 0 puts all in one folder.
    group_by : str
        Regular expression for the names of images. Tiles in which it matches the same text, say a
        patient's number, stay in one part.
    masks_are : str
        What masks in PNG, TIFF and BMP hold, where they are judged wrongly.
    verify : bool
        Read masks in archives to their end for the archive's checksum, not only as far as needed.
    workers : int
        Number of processes; 0 takes as many as there are cores.

    Returns
    -------
    PrepareOptions
        The choices.

    Raises
    ------
    InputError
        If a part is neither a number nor a fraction.
    """
    parts = [parse_share(text.strip()) if text.strip() else None for text in (train, val, test)]
    split = None
    if parts != [None] * 3 or seed or group_by:
        split = SplitPlan(*parts, seed, group_by or None)
    return PrepareOptions(
        limit=limit or None,
        shard=shard or None,
        binary=binary or None,
        split=split,
        um_per_px=pixel_size or None,
        verify=verify,
        masks_are=masks_are or None,  # type: ignore[arg-type]
        workers=workers or usable_cores(),  # never in this process: the window shall live
    )


def fields_of_target() -> FunctionGui:
    """Return the field of `target`."""
    made = magicgui(target, call_button=False, dataset={"mode": "d"})
    made.dataset.choose_btn.text = "…"
    made.dataset.choose_btn.native.setMaximumWidth(BROWSE_WIDTH)
    return made


def fields_of_options() -> FunctionGui:
    """Return the fields of `options`."""
    made: dict[str, Any] = {
        "limit": {"max": 10_000_000, "step": 100},
        "binary": {"text": "Binary masks (0 and 255)"},
        "seed": {"max": 2**31 - 1},
        "pixel_size": {"widget_type": PixelSizeField, "max": 1000, "step": 0.01},
        "shard": {"max": 10_000_000, "step": 1000},
        "masks_are": mask_choices(),
        "verify": {"text": "Read archives to their end"},
        "workers": {"max": 1024},
    }
    fields = magicgui(options, call_button=False, **made)
    fields.pixel_size.native.say_unknown("as the images say")
    for name in ("train", "val", "test"):
        getattr(fields, name).native.setPlaceholderText(usual_size(name))
    fields.group_by.native.setPlaceholderText("no groups")
    return fields
