"""The fields of the train dock: the declared options, and fields that only the dock has."""

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
from napari_snow_unet.widgets.train import messages

_FRESH = [(messages.FROM_SCRATCH_LABEL, "")]


def places(dataset: Path | None = None, run_folder: Path | None = None) -> None:
    """Choose the dataset and the run folder.

    Parameters
    ----------
    dataset : Path
        A prepared dataset, or a folder with images/ and masks/ of equal names. It is not changed.
    run_folder : Path
        Folder for models, history, curves and log: a new or empty one for Train, or that of an
        earlier training to view, resume or follow it.
    """


def computing(fine_tune: str = "", device: str = "auto", backend: str = "auto") -> dict[str, str]:
    """Choose initial weights and device.

    Parameters
    ----------
    fine_tune : str
        Initial weights: a model, whose architecture and channel are kept, or random weights, which
        need more epochs.
    device : str
        Device to train on. "auto" uses a GPU if possible.
    backend : str
        Keras backend. "auto" takes the first of TensorFlow, PyTorch and JAX that is installed.
    """
    return {"fine_tune": fine_tune, "device": device, "backend": backend}


def fields_of_places() -> FunctionGui:
    """Return the fields of `places`."""
    fields = magicgui(places, call_button=False, dataset={"mode": "d"}, run_folder={"mode": "d"})
    for path in (fields.dataset, fields.run_folder):
        path.choose_btn.text = "…"
        path.choose_btn.native.setMaximumWidth(BROWSE_WIDTH)
    return fields


def fields_of_main_options() -> FunctionGui[dict[str, Any]]:
    """Return the fields of the main options."""
    fields = option_fields(
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
    fields.learning_rate.native.setDecimals(6)
    fields.crop.native.setSpecialValueText(declared(TrainingOptions)["crop"].option.none)
    return fields


def fields_of_more_options() -> FunctionGui[dict[str, Any]]:
    """Return the fields of the advanced options."""
    fields = option_fields(
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
    fields.patience.native.setSpecialValueText(messages.NO_PATIENCE_LABEL)
    fields.fold.native.setSpecialValueText(declared(TrainingOptions)["fold"].option.none)
    return fields


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
    """Return the choices of `fine_tune`: random weights, then models as (text, value)."""
    return [*_FRESH, *names]
