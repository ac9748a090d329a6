"""What a training is asked to do: presets, checks, and the text they are kept as."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.masks.judgement import MASKS_ARE, MasksAre
from napari_snow_unet.data.pixels.channels import Channel
from napari_snow_unet.unet.network.config import Activation, Normalization, UNetConfig

Preset = Literal["default", "paper"]
Loss = Literal["bce", "bce-dice"]
Augment = Literal["none", "standard", "strong"]
Precision = Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"]
Schedule = Literal["constant", "cosine"]
Optimizer = Literal["adam", "adamw", "muon"]

# Smallest and largest value of every number, named in the error that refuses another one.
_LIMITS: dict[str, tuple[float, float]] = {
    "epochs": (1, 100_000),
    "batch_size": (1, 1024),
    "learning_rate": (1e-8, 1.0),
    "learning_rate_floor": (0.0, 1.0),
    "warm_up": (0, 1_000_000),
    "weight_decay": (0.0, 1.0),
    "patience": (0, 100_000),
    "crop": (16, 4096),
    "validation_fraction": (0.01, 0.9),
    "seed": (0, 2**32 - 1),
    "fold": (0, 999),
    "base_filters": (1, 256),
    "levels": (2, 7),
    "dropout": (0.0, 0.3),
}
_WHOLE = frozenset(_LIMITS) - {
    "learning_rate",
    "learning_rate_floor",
    "weight_decay",
    "validation_fraction",
    "dropout",
}
_MAY_BE_MISSING = frozenset({"crop", "fold"})
_CHOICES: dict[str, tuple[str, ...]] = {
    "preset": get_args(Preset),
    "loss": get_args(Loss),
    "augment": get_args(Augment),
    "precision": get_args(Precision),
    "schedule": get_args(Schedule),
    "optimizer": get_args(Optimizer),
    "channel": get_args(Channel),
    "activation": get_args(Activation),
    "normalization": get_args(Normalization),
}


@dataclass(frozen=True)
class TrainingOptions:
    """Everything that decides how a training goes, beside the data.

    Attributes
    ----------
    preset : {"default", "paper"}
        Where the values come from that nobody gave.
    epochs : int
        Passes over the training tiles.
    batch_size : int
        Crops or tiles per step.
    learning_rate : float
        Of the optimizer; the highest one of a schedule.
    learning_rate_floor : float
        Part of the learning rate, 0 to 1, at which a cosine schedule ends.
    loss : {"bce", "bce-dice"}
        Binary cross-entropy, alone or plus one minus the soft Dice of the batch.
    augment : {"none", "standard", "strong"}
        See `training.augment.augment_crop`.
    crop : int or None
        Side of the square crops in pixels; None trains on whole tiles.
    schedule : {"constant", "cosine"}
        Of the learning rate over the steps of the whole training.
    warm_up : int
        Steps over which a cosine schedule first rises.
    optimizer : {"adam", "adamw", "muon"}
        AdamW and Muon (see `training.muon.ConvolutionMuon`) decay kernels by `weight_decay` and
        clip gradients to a norm of 1.
    weight_decay : float
        For AdamW and Muon.
    patience : int
        Epochs without a lower validation loss after which training ends; 0 is never.
    precision : {"auto", "float32", "mixed_bfloat16", "mixed_float16"}
        Number format of the layers; "auto" takes what the device is fast in.
    base_filters, levels, dropout, activation, normalization, channel
        Of the network, see `UNetConfig`.
    validation_fraction : float
        Part of the tiles for validation where no manifest divides them.
    fold : int or None
        Fold of the manifest that validates; the other folds train.
    masks_are : {"labels", "binary", "classes"} or None
        What masks hold that are in no prepared dataset, where it is not what they look like.
    seed : int
        All randomness is a function of it, the epoch and the batch.

    Raises
    ------
    InputError
        If a value is of the wrong type or beyond its limits.
    """

    preset: Preset = "default"
    epochs: int = 50
    batch_size: int = 4
    learning_rate: float = 1e-3
    learning_rate_floor: float = 0.0
    loss: Loss = "bce-dice"
    augment: Augment = "strong"
    crop: int | None = 256
    schedule: Schedule = "cosine"
    warm_up: int = 100
    optimizer: Optimizer = "adamw"
    weight_decay: float = 1e-4
    patience: int = 0
    precision: Precision = "auto"
    base_filters: int = 16
    levels: int = 5
    dropout: float = 0.0
    activation: Activation = "relu"
    normalization: Normalization = "none"
    channel: Channel = "red"
    validation_fraction: float = 0.1
    fold: int | None = None
    seed: int = 0
    masks_are: MasksAre | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            _check_number(name, getattr(self, name), low, high)
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise _refusal(name, getattr(self, name), "one of " + ", ".join(choices))
        if self.masks_are is not None and self.masks_are not in MASKS_ARE:
            raise _refusal("masks_are", self.masks_are, "one of " + ", ".join(MASKS_ARE))
        if self.learning_rate_floor and self.schedule == "constant":
            expected = "0 where the learning rate is constant, as in the preset 'paper'"
            raise _refusal("learning_rate_floor", self.learning_rate_floor, expected)
        stride = 2 ** (self.levels - 1)
        if self.crop is not None and self.crop % stride:
            raise _refusal("crop", self.crop, f"a multiple of {stride} pixels")

    def network(self, **more: Any) -> UNetConfig:
        """Return the config of the network to train.

        Parameters
        ----------
        **more
            Further entries: name, trained_on, pixel_size_um, white.
        """
        return UNetConfig(
            base_filters=self.base_filters,
            levels=self.levels,
            dropout=self.dropout,
            activation=self.activation,
            normalization=self.normalization,
            channel=self.channel,
            **more,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the options as what JSON knows."""
        return asdict(self)


#: What differs from the values above. The paper: whole tiles, Adam, binary cross-entropy, dropout,
#: no augmentation; batch size and learning rate are not given in it.
PRESETS: dict[str, dict[str, Any]] = {
    "default": {},
    "paper": {
        "batch_size": 8,
        "loss": "bce",
        "augment": "none",
        "crop": None,
        "schedule": "constant",
        "warm_up": 0,
        "optimizer": "adam",
        "weight_decay": 0.0,
        "dropout": 0.1,
        "precision": "float32",
    },
}


def make_options(preset: str = "default", **given: Any) -> TrainingOptions:
    """Fill in a preset.

    Parameters
    ----------
    preset : {"default", "paper"}
        Where values come from that are not given.
    **given
        Fields of `TrainingOptions`; None stands for the preset's value.

    Returns
    -------
    TrainingOptions
        All values.

    Raises
    ------
    InputError
        If the preset or a field is unknown, or a value cannot be used.
    """
    if preset not in PRESETS:
        raise _refusal("preset", preset, "one of " + ", ".join(PRESETS))
    values = {name: value for name, value in given.items() if value is not None}
    return options_from_dict({"preset": preset, **PRESETS[preset], **values})


def whole_tiles(options: TrainingOptions) -> TrainingOptions:
    """Return the options without crops."""
    return replace(options, crop=None)


def options_from_dict(content: Any) -> TrainingOptions:
    """Read options from what `TrainingOptions.as_dict` returned, every entry checked.

    Raises
    ------
    InputError
        If an entry is unknown, of the wrong type or beyond its limits.
    """
    if not isinstance(content, dict):
        raise _refusal("the options", type(content).__name__, "a JSON object")
    known = {field.name for field in fields(TrainingOptions)}
    if unknown := sorted(set(content) - known):
        raise _refusal("the option", unknown[0], "one of " + ", ".join(sorted(known)))
    return TrainingOptions(**content)


def _check_number(name: str, value: Any, low: float, high: float) -> None:
    if value is None and name in _MAY_BE_MISSING:
        return
    whole = name in _WHOLE
    good = isinstance(value, int) or (isinstance(value, float) and not whole)
    if isinstance(value, bool) or not good or not math.isfinite(value):
        raise _refusal(name, value, "a whole number" if whole else "a number")
    if not low <= value <= high:
        raise _refusal(name, value, f"{low:g} to {high:g}")


def _refusal(name: str, received: object, expected: str) -> InputError:
    shown = repr(received)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    remedy = "Change this option of the training."
    return InputError(f"{name} {shown}", expected=expected, remedy=remedy)
