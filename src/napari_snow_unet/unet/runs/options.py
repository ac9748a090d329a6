"""Options of a training: presets, checks, and their JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Annotated, Any, Literal

from napari_snow_unet.base.options import Option, check, refusal, without_numpy
from napari_snow_unet.data.masks.judgement import MASKS, MasksAre
from napari_snow_unet.data.pixels.channels import Channel
from napari_snow_unet.unet.network.config import Activation, Normalization, UNetConfig

Preset = Literal["default", "paper"]
Loss = Literal["bce", "bce-dice"]
Augment = Literal["none", "standard", "strong"]
Precision = Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"]
Schedule = Literal["constant", "cosine"]
Optimizer = Literal["adam", "adamw"]
_MUON = "muon"  # an optimizer of 0.1


@dataclass(frozen=True)
class TrainingOptions:
    """Options of a training; the flags, form fields and checks follow from these declarations.

    Raises
    ------
    InputError
        If a value is of the wrong type or beyond its limits.
    """

    preset: Annotated[
        Preset,
        Option(
            "'paper': whole tiles, Adam, cross-entropy, dropout, no augmentation.",
            tip="Sets all options except epochs, learning rate, filters, channel, fold, masks and "
            "random seed. default: augmented crops, cross-entropy with soft Dice, falling learning "
            "rate; paper: whole tiles, cross-entropy, dropout, no augmentation.",
            label="Preset",
            group="Training",
        ),
    ] = "default"
    epochs: Annotated[
        int,
        Option(
            "Passes over the training tiles.", low=1, high=100_000, label="Epochs", group="Training"
        ),
    ] = 50
    batch_size: Annotated[
        int,
        Option(
            "Crops or tiles per batch.",
            tip="Crops or tiles per batch. Larger batches need more memory.",
            low=1,
            high=1024,
            label="Batch size",
            group="Training",
        ),
    ] = 4
    learning_rate: Annotated[
        float,
        Option(
            "Initial (highest) learning rate.",
            low=1e-8,
            high=1.0,
            label="Learning rate",
            group="Training",
        ),
    ] = 1e-3
    learning_rate_floor: Annotated[
        float,
        Option(
            "Final learning rate as a fraction (0-1) of the highest.",
            low=0.0,
            high=1.0,
            group="Advanced",
        ),
    ] = 0.0
    loss: Annotated[
        Loss,
        Option(
            "'bce': binary cross-entropy; 'bce-dice': its sum with the soft Dice loss.",
            tip="Loss to minimise. bce: binary cross-entropy; bce-dice: its sum with the soft Dice "
            "loss.",
            label="Loss",
            group="Training",
        ),
    ] = "bce-dice"
    augment: Annotated[
        Augment,
        Option(
            "Strength of the augmentation.",
            tip="How strongly crops are rotated, scaled, recoloured and blurred.",
            label="Augmentation",
            group="Training",
        ),
    ] = "strong"
    stain: Annotated[
        float,
        Option("Strength of changes of the stain (0-2).", low=0.0, high=2.0, group="Advanced"),
    ] = 0.0
    stain_share: Annotated[
        float, Option("Fraction of the crops whose stain is changed.", low=0.0, high=1.0, flag="-")
    ] = 0.5
    artefacts: Annotated[
        float,
        Option(
            "Fraction (0-1) of the crops with uneven light, a fold, or only debris on glass.",
            low=0.0,
            high=1.0,
            group="Advanced",
        ),
    ] = 0.0
    crop: Annotated[
        int | None,
        Option(
            "Size of the square crops in pixels; 0 for whole tiles.",
            tip="Size of the square crops in pixels, a multiple of 16. 0 trains on whole tiles, "
            "which must all have the same size.",
            none="whole tiles",
            zero="none",
            low=16,
            high=4096,
            label="Crop (pixels)",
            group="Training",
        ),
    ] = 256
    schedule: Annotated[Schedule, Option("Schedule of the learning rate.", flag="-")] = "cosine"
    warm_up: Annotated[
        int, Option("Steps over which the learning rate rises.", low=0, high=1_000_000, flag="-")
    ] = 100
    optimizer: Annotated[Optimizer, Option("Optimizer.", group="Advanced")] = "adamw"
    weight_decay: Annotated[
        float, Option("Weight decay of AdamW.", low=0.0, high=1.0, flag="-")
    ] = 1e-4
    patience: Annotated[
        int,
        Option(
            "Stop after this many epochs without improvement in validation loss (0: off).",
            low=0,
            high=100_000,
            label="Patience (epochs)",
            group="Training",
        ),
    ] = 0
    precision: Annotated[
        Precision,
        Option(
            "Number format; 'auto' is the fastest that the device supports.",
            label="Number format",
            group="Speed",
        ),
    ] = "auto"
    base_filters: Annotated[
        int,
        Option(
            "Filters at the first level, doubled at each further one.",
            tip="Filters at the first level; each further level has twice as many. Half the "
            "filters make a network about four times as fast, but coarser.",
            low=1,
            high=256,
            label="Base filters",
            group="Model",
        ),
    ] = 16
    levels: Annotated[int, Option("Levels of the network.", low=2, high=7, flag="-")] = 5
    dropout: Annotated[
        float,
        Option(
            "Dropout rate at the first (full-resolution) level; deeper levels get more.",
            low=0.0,
            high=0.3,
            label="Dropout",
            group="Advanced",
        ),
    ] = 0.0
    activation: Annotated[Activation, Option("Activation after convolutions.", flag="-")] = "relu"
    normalization: Annotated[Normalization, Option("Normalisation of activations.", flag="-")] = (
        "none"
    )
    channel: Annotated[
        Channel,
        Option(
            "Channel of colour images that the network reads.", label="Channel", group="Advanced"
        ),
    ] = "red"
    validation_fraction: Annotated[
        float,
        Option(
            "Fraction of the tiles for validation if the dataset has no split.",
            low=0.01,
            high=0.9,
            flag="-",
        ),
    ] = 0.1
    fold: Annotated[
        int | None,
        Option(
            "Validate on this fold and train on the others; 'all': each fold in turn.",
            tip="Validate on this fold of a prepared dataset, and train on the others.",
            none="as prepared",
            low=0,
            high=999,
            label="Fold",
            group="Input",
        ),
    ] = None
    seed: Annotated[
        int,
        Option(
            "Random seed.",
            tip="Random seed: the same seed gives the same training.",
            low=0,
            high=2**32 - 1,
            label="Random seed",
            group="Training",
        ),
    ] = 0
    masks_are: Annotated[MasksAre | None, MASKS] = None

    def __post_init__(self) -> None:
        without_numpy(self)
        check(self)
        if self.learning_rate_floor and self.schedule == "constant":
            expected = "0 if the learning rate is constant, as in the preset 'paper'"
            raise refusal("learning_rate_floor", self.learning_rate_floor, expected)
        if self.augment == "none" and (amount := self.stain or self.artefacts):
            raise refusal("stain" if self.stain else "artefacts", amount, "0 without augmentation")
        stride = 2 ** (self.levels - 1)
        if self.crop is not None and self.crop % stride:
            raise refusal("crop", self.crop, f"a multiple of {stride} pixels")

    def network(self, **more: Any) -> UNetConfig:
        """Return the config of the network, with further entries such as its name."""
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
        """Return the options as plain values for JSON."""
        return asdict(self)


#: Differences from the defaults above. The paper states neither batch size nor learning rate.
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
    """Return a preset with some options replaced; None keeps the preset's value."""
    if preset not in PRESETS:
        raise refusal("preset", preset, "one of " + ", ".join(PRESETS))
    values = {name: value for name, value in given.items() if value is not None}
    return options_from_dict({"preset": preset, **PRESETS[preset], **values})


def whole_tiles(options: TrainingOptions) -> TrainingOptions:
    """Return the options without crops."""
    return replace(options, crop=None)


def options_from_dict(content: Any) -> TrainingOptions:
    """Return options from the values of `TrainingOptions.as_dict`, all checked."""
    if not isinstance(content, dict):
        raise refusal("options", content, "a JSON object")
    names = {field.name for field in fields(TrainingOptions)}
    if unknown := sorted(set(content) - names):
        raise refusal("an option", unknown[0], "one of " + ", ".join(sorted(names)))
    return TrainingOptions(**content)


def with_muon(content: Any) -> bool:
    """Tell whether stored options use Muon, an optimizer that only version 0.1 has."""
    return isinstance(content, dict) and content.get("optimizer") == _MUON


def without_muon(content: Any) -> Any:
    """Return stored options with AdamW instead of Muon, to show the training."""
    return {**content, "optimizer": "adamw"} if with_muon(content) else content
