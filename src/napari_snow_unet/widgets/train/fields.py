"""The fields of the train dock: its options as they are declared, and what only a dock asks."""

from pathlib import Path
from typing import Any

from magicgui import magicgui
from magicgui.widgets import FunctionGui

from napari_snow_unet.base.options import declared
from napari_snow_unet.unet.runs.options import TrainingOptions
from napari_snow_unet.widgets.common.fields import (
    BROWSE_WIDTH,
    MASKS,
    WholeNumberField,
    option_fields,
)

_FRESH = [("random weights", "")]


def places(dataset: Path | None = None, run_folder: Path | None = None) -> None:
    """Choose where the tiles are and where the training goes.

    Parameters
    ----------
    dataset : Path
        A prepared dataset, or any folder with images/ and masks/ of equal names. It is only read.
    run_folder : Path
        Folder of the training: a new or empty one for Train, or that of an earlier training to
        look at it, to go on with it, or to follow it while it runs. The models, the history, the
        curves and the log are kept in it.
    """


def computing(fine_tune: str = "", device: str = "auto", backend: str = "auto") -> dict[str, str]:
    """Choose what the training begins with and what computes.

    Parameters
    ----------
    fine_tune : str
        A model to begin with; its architecture and channel are kept. Random weights need more
        epochs.
    device : str
        What computes. "auto" takes a GPU where one can be used.
    backend : str
        Keras' engine. "auto" takes the first of TensorFlow, PyTorch and JAX that is installed.
    """
    return {"fine_tune": fine_tune, "device": device, "backend": backend}


def fields_of_places() -> FunctionGui:
    """Return the fields of `places`."""
    made = magicgui(places, call_button=False, dataset={"mode": "d"}, run_folder={"mode": "d"})
    for path in (made.dataset, made.run_folder):
        path.choose_btn.text = "…"
        path.choose_btn.native.setMaximumWidth(BROWSE_WIDTH)
    return made


def fields_of_main_options() -> FunctionGui[dict[str, Any]]:
    """Return the fields of what most people choose."""
    made = option_fields(
        TrainingOptions,
        "preset",
        "epochs",
        "batch_size",
        "learning_rate",
        "crop",
        "base_filters",
        learning_rate={"min": 1e-6, "step": 1e-4},
        crop={"widget_type": WholeNumberField, "step": 16},
    )
    made.learning_rate.native.setDecimals(6)
    made.crop.native.setSpecialValueText(declared(TrainingOptions)["crop"].option.none)
    return made


def fields_of_more_options() -> FunctionGui[dict[str, Any]]:
    """Return the fields of what few people choose."""
    made = option_fields(
        TrainingOptions,
        "loss",
        "augment",
        "patience",
        "dropout",
        "channel",
        "precision",
        "fold",
        "seed",
        "masks_are",
        patience={"widget_type": WholeNumberField},
        dropout={"step": 0.05},
        fold={"widget_type": WholeNumberField, "empty": -1},
        seed={"max": 2**31 - 1},
        masks_are={"choices": MASKS},
    )
    made.patience.native.setSpecialValueText("all epochs")
    made.fold.native.setSpecialValueText(declared(TrainingOptions)["fold"].option.none)
    return made


def fields_of_computing() -> FunctionGui:
    """Return the fields of `computing`."""
    return magicgui(
        computing,
        call_button=False,
        fine_tune={"choices": _FRESH, "widget_type": "ComboBox"},
        device={"choices": ["auto", "cpu", "gpu"], "widget_type": "ComboBox"},
        backend={"choices": ["auto", "tensorflow", "torch", "jax"], "widget_type": "ComboBox"},
    )


def model_choices(names: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return what `fine_tune` offers: random weights, then models as (text, value)."""
    return [*_FRESH, *names]
