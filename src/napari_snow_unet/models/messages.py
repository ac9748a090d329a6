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
