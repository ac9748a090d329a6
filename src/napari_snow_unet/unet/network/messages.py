"""Texts about networks: configs, memory, number formats."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted

NO_BFLOAT16 = "This computer does not compute in bfloat16, so float32 was used."
NO_MEMORY_FOR_WINDOW = "There is not enough memory for one window."
CORRECT_CONFIG = "Correct the model's config.json, or choose another model."
UPDATE = "Update napari-snow-unet, or choose another model."


def network_too_large(parameters: int, most: int, base_filters: int, levels: int) -> Message:
    """Return the refusal of a network with too many parameters."""
    return Message(
        f"The network would have {counted(parameters, 'parameter')} (base_filters "
        f"{base_filters}, levels {levels}). The limit is {most:,}.",
        "Use fewer filters or levels.",
        ("base_filters",),
    )


def config_too_long(characters: int, most: int) -> Message:
    """Return the refusal of a config by its length."""
    return Message(
        f"The length of the config is {counted(characters, 'character')}. The limit is {most:,}.",
        CORRECT_CONFIG,
    )


def config_not_json(start: str, reason: str) -> Message:
    """Return the refusal of a config that cannot be parsed."""
    return Message(f"The config is not JSON ({reason}). It starts with {start!r}.", CORRECT_CONFIG)


def config_of_another_kind(start: str, kind: str) -> Message:
    """Return the refusal of JSON that describes something else."""
    return Message(
        f'The config lacks "format": "{kind}". It starts with {start!r}.', CORRECT_CONFIG
    )


def config_version(version: str, supported: int) -> Message:
    """Return the refusal of a config of another version."""
    return Message(
        f"The config has version {version}; this program reads version {supported}.", UPDATE
    )


def config_entry(name: str) -> Message:
    """Return the refusal of an entry that this version does not have."""
    return Message(f"The config has an unknown entry, {name!r}.", f"Remove the entry. {UPDATE}")


def batch_too_large(crops: int, height: int, width: int, needed: int, most: int) -> Message:
    """Return the refusal of a batch by its bytes."""
    return Message(
        f"A batch of {crops} x {height} x {width} px needs {_memory(needed, most)}",
        "Choose smaller batches or crops, or fewer filters.",
        ("batch_size", "crop", "base_filters"),
    )


def window_too_large(height: int, width: int, needed: int, most: int) -> Message:
    """Return the refusal of a window by its bytes."""
    return Message(
        f"A window of {height} x {width} px needs {_memory(needed, most)}",
        "Use a smaller tile size, or close other programs.",
        ("tile",),
    )


def window_shape(shape: tuple[int, ...], channels: int, stride: int) -> Message:
    """Return the refusal of an array that the network does not take."""
    return Message(
        f"The array has the shape {shape}. The network takes (N, Y, X, {channels}) with Y and X "
        f"multiples of {stride}.",
        "Pad the array.",
    )


def precision_unavailable(precision: str, processor: str, available: tuple[str, ...]) -> Message:
    """Return the refusal of a number format on this processor."""
    return Message(
        f"This processor cannot compute in {precision} ({processor}).",
        f"Choose {' or '.join(available)}. Earlier results in {precision} can only be continued "
        "on the device that made them: use another folder for the new ones.",
        ("precision",),
    )


def _memory(needed: int, most: int) -> str:
    return f"at least {_size(needed)} of memory, and this computer has {_size(most)}."


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"
