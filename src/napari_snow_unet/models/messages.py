"""Texts about models: what cannot be opened or exported."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message

CLASSICAL_METHOD = (
    "No training: Gaussian blur, Otsu's threshold of the red channel, and a watershed."
)
NOT_A_NETWORK = Message(
    "The classical method is not a network, so it cannot be exported.",
    "Choose a network.",
    ("list_models",),
)
NO_EPOCH = Message(
    "The training has not finished its first epoch yet.",
    "Wait for it, or resume it.",
    ("resume_training",),
)


def unknown_model(name: str, names: tuple[str, ...], similar: str | None) -> Message:
    """Return the refusal of a name that no model has, with the most similar name."""
    return Message(
        f"The model {name!r} does not exist. The models are {', '.join(names)}.",
        f"Did you mean {similar!r}?" if similar else "Choose one of them, or a model folder.",
        () if similar else ("list_models",),
    )


def channels_of_mean(channels: tuple[str, ...]) -> Message:
    """Return the refusal of a mean of models that read channels without a common image."""
    return Message(
        f"These models read different channels ({', '.join(channels)}), so they have no mean.",
        "Choose models of one channel, or of red, green, blue and rgb.",
        ("list_models",),
    )


def sizes_of_mean(ranges: tuple[tuple[float, float], ...]) -> Message:
    """Return the refusal of a mean of models that were trained at different pixel sizes."""
    texts = " and ".join(f"{low:g} to {high:g}" for low, high in ranges)
    return Message(
        f"These models have no pixel size in common: they were trained at {texts} µm per pixel.",
        "Choose models of similar pixel sizes.",
        ("list_models",),
    )


def other_white(dtype: str, one: float, other: float) -> Message:
    """Return the refusal of a mean of models that take different values as white."""
    return Message(
        f"These models take different values as white in {dtype} images: {one:g} and {other:g}.",
        "Choose models that were trained on similar images.",
        ("list_models",),
    )
