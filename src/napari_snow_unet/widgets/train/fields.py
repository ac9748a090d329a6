"""What a person can choose in the train dock: names, defaults and help, each in one place.

magicgui makes a field of every parameter, and its tooltip of what the docstring says.
"""

from pathlib import Path
from typing import Any, get_args

from magicgui import magicgui
from magicgui.widgets import FunctionGui

from napari_snow_unet.data.pixels.channels import Channel
from napari_snow_unet.unet.runs import options as allowed
from napari_snow_unet.unet.runs.options import TrainingOptions
from napari_snow_unet.widgets.common.fields import BROWSE_WIDTH, WholeNumberField, mask_choices

_DEFAULT = TrainingOptions()
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


def main_options(
    preset: str = "default",
    epochs: int = _DEFAULT.epochs,
    batch_size: int = _DEFAULT.batch_size,
    learning_rate: float = _DEFAULT.learning_rate,
    crop: int = _DEFAULT.crop or 0,
    base_filters: int = _DEFAULT.base_filters,
) -> dict[str, Any]:
    """Choose what most people choose.

    Parameters
    ----------
    preset : str
        Sets all options but epochs, learning rate, filters, channel, fold and seed. The default:
        varied crops, cross-entropy with soft Dice, a learning rate that falls. The paper: whole
        tiles, cross-entropy, dropout, nothing varied.
    epochs : int
        Passes over the training tiles.
    batch_size : int
        Crops or tiles per step. More need more memory.
    learning_rate : float
        Of the optimizer; the highest one where it falls over the training.
    crop : int
        Side of the square crops in pixels, a multiple of 16; 0 trains on whole tiles, which then
        all have one size.
    base_filters : int
        Filters of the first level of the network; each level below has twice as many. Half of
        them makes a network that is about four times as fast, and coarser.

    Returns
    -------
    dict
        Entries of `TrainingOptions`.
    """
    return {
        "preset": preset,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "crop": crop,
        "base_filters": base_filters,
    }


def more_options(
    loss: str = _DEFAULT.loss,
    augment: str = _DEFAULT.augment,
    patience: int = _DEFAULT.patience,
    dropout: float = _DEFAULT.dropout,
    channel: str = _DEFAULT.channel,
    precision: str = _DEFAULT.precision,
    fold: int = -1,
    seed: int = _DEFAULT.seed,
    masks_are: str = "",
) -> dict[str, Any]:
    """Choose what few people choose.

    Parameters
    ----------
    loss : str
        What training minimises: binary cross-entropy, alone or with one minus the soft Dice.
    augment : str
        How much the crops are turned, stretched and recoloured before the network sees them.
    patience : int
        End after so many epochs without a lower validation loss; 0 trains all epochs.
    dropout : float
        Dropout: the part of the activations left out in each step, at the finest levels.
    channel : str
        Channel of a colour image that the network sees.
    precision : str
        Number format. "auto" takes what this computer is fast in.
    fold : int
        Fold of a prepared dataset that validates while the others train.
    seed : int
        Of all randomness: the same seed gives the same training.
    masks_are : str
        What masks in PNG, TIFF and BMP hold, where they are judged wrongly. A prepared dataset
        knows what its masks hold.

    Returns
    -------
    dict
        Entries of `TrainingOptions`.
    """
    return {
        "loss": loss,
        "augment": augment,
        "patience": patience,
        "dropout": dropout,
        "channel": channel,
        "precision": precision,
        "fold": None if fold < 0 else fold,
        "seed": seed,
        "masks_are": masks_are or None,
    }


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

    Returns
    -------
    dict
        The choices.
    """
    return {"fine_tune": fine_tune, "device": device, "backend": backend}


def fields_of_places() -> FunctionGui:
    """Return the fields of `places`."""
    made = magicgui(places, call_button=False, dataset={"mode": "d"}, run_folder={"mode": "d"})
    for path in (made.dataset, made.run_folder):
        path.choose_btn.text = "…"
        path.choose_btn.native.setMaximumWidth(BROWSE_WIDTH)
    return made


def fields_of_main_options() -> FunctionGui:
    """Return the fields of `main_options`."""
    made = magicgui(
        main_options,
        call_button=False,
        preset=_choice(allowed.Preset),
        epochs={"min": 1, "max": 100_000},
        batch_size={"min": 1, "max": 1024},
        learning_rate={"min": 1e-6, "max": 1.0, "step": 1e-4},
        crop={"widget_type": WholeNumberField, "min": 0, "max": 4096, "step": 16},
        base_filters={"min": 1, "max": 256},
    )
    made.learning_rate.native.setDecimals(6)
    made.crop.native.setSpecialValueText("whole tiles")
    return made


def fields_of_more_options() -> FunctionGui:
    """Return the fields of `more_options`."""
    made = magicgui(
        more_options,
        call_button=False,
        loss=_choice(allowed.Loss),
        augment=_choice(allowed.Augment),
        patience={"widget_type": WholeNumberField, "min": 0, "max": 100_000},
        dropout={"min": 0.0, "max": 0.3, "step": 0.05},
        channel=_choice(Channel),
        precision=_choice(allowed.Precision),
        fold={"widget_type": WholeNumberField, "min": -1, "max": 999},
        seed={"min": 0, "max": 2**31 - 1},
        masks_are=mask_choices(),
    )
    made.patience.native.setSpecialValueText("all epochs")
    made.fold.native.setSpecialValueText("as prepared")
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


def _choice(allowed_values: Any) -> dict[str, Any]:
    return {"choices": list(get_args(allowed_values)), "widget_type": "ComboBox"}
