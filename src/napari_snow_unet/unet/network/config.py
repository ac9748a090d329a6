"""The config of a U-Net: a checked dataclass, stored as JSON beside the weights."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Annotated, Any, Literal

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import Option, check, refusal, without_numpy
from napari_snow_unet.data.pixels.channels import Channel
from napari_snow_unet.unet.network import messages

Activation = Literal["relu", "elu", "silu"]
Normalization = Literal["none", "batch"]

FORMAT = "napari-snow-unet model"
FORMAT_VERSION = 1
LARGEST_JSON = 1_000_000  # characters; a config has a few hundred
LARGEST_NETWORK = 200_000_000  # parameters; the original of 2015 has 31 million

_PIXEL_SIZE_LIMITS = (0.01, 20.0)
_DATA_TYPES = (
    *("int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
)


def _check_range(value: object) -> None:
    low, high = _PIXEL_SIZE_LIMITS
    ends = value if isinstance(value, list | tuple) else ()
    numbers = all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends)
    if len(ends) != 2 or not numbers or not low <= ends[0] <= ends[1] <= high:
        expected = f"null or [smallest, largest] in micrometres, from {low:g} to {high:g}"
        raise refusal("pixel_size_um", value, expected, messages.CORRECT_CONFIG)


@dataclass(frozen=True)
class UNetConfig:
    """Architecture of a U-Net, its input, and the origin of its weights.

    Attributes
    ----------
    base_filters : int
        Filters of the first level; each further level has twice as many. 16 is the network of
        Ding et al. (2023), 64 the original of Ronneberger et al. (2015).
    levels : int
        Number of resolutions. Five halve the image four times.
    kernel_size : int
        Size of the convolution kernels in pixels, odd.
    dropout : float
        Fraction of activations dropped in training at the two finest levels; it grows by the same
        amount every second level (0.1, 0.1, 0.2, 0.2, 0.3).
    activation : {"relu", "elu", "silu"}
        After every convolution except the last.
    normalization : {"none", "batch"}
        Between convolution and activation.
    channel : {"red", "green", "blue", "grey", "hematoxylin", "rgb"}
        Channel of the image that is the input, in unit range.
    pixel_size_um : tuple of float or None
        Smallest and largest pixel size of the training data, in micrometres; None if unknown.
    white : dict from str to float
        Value of white in the training images, by data type; empty for 8-bit images. Images of that
        type are normalised in the same way.
    threshold_floor : float
        Lower bound of Otsu's threshold, as a probability.
    name : str
        Display name of the model.
    trained_on : str
        Training data and their licences, in one paragraph.

    Raises
    ------
    InputError
        If a value is of the wrong type or beyond its limits.

    References
    ----------
    Ronneberger, Fischer, Brox (2015), MICCAI, LNCS 9351:234-241.
    Ding et al. (2023), Scientific Data 10:231.
    """

    base_filters: Annotated[int, Option(low=1, high=256)] = 16
    levels: Annotated[int, Option(low=2, high=7)] = 5
    kernel_size: Annotated[int, Option(low=1, high=9)] = 3
    dropout: Annotated[float, Option(low=0, high=0.3)] = 0.1
    activation: Activation = "relu"
    normalization: Normalization = "none"
    channel: Channel = "red"
    pixel_size_um: Annotated[tuple[float, float] | None, Option(by=_check_range)] = None
    threshold_floor: Annotated[float, Option(low=0, high=0.95)] = 0.3
    name: Annotated[str, Option(longest=100)] = "unnamed"
    trained_on: Annotated[str, Option(longest=5000)] = ""
    white: Annotated[dict[str, float], Option(low=1, high=65535)] = field(default_factory=dict)

    def __post_init__(self) -> None:
        without_numpy(self)
        check(self, messages.CORRECT_CONFIG)
        if self.kernel_size % 2 == 0:
            raise refusal("kernel_size", self.kernel_size, "an odd number", messages.CORRECT_CONFIG)
        if not set(self.white) <= set(_DATA_TYPES):
            expected = f"the largest value of any of these: {', '.join(_DATA_TYPES)}"
            raise refusal("white", self.white, expected, messages.CORRECT_CONFIG)
        if self.pixel_size_um is not None:  # JSON has lists
            object.__setattr__(self, "pixel_size_um", tuple(map(float, self.pixel_size_um)))
        object.__setattr__(self, "white", {name: float(x) for name, x in self.white.items()})
        if parameter_count(self) > LARGEST_NETWORK:
            raise InputError(
                messages.network_too_large(
                    parameter_count(self), LARGEST_NETWORK, self.base_filters, self.levels
                )
            )

    @property
    def channels(self) -> int:
        """Planes of the input: 3 for ``"rgb"``, otherwise 1."""
        return 3 if self.channel == "rgb" else 1

    @property
    def stride(self) -> int:
        """Image pixels per pixel of the coarsest level; input sizes are multiples of it."""
        return int(2 ** (self.levels - 1))

    def filters(self, level: int) -> int:
        """Return the number of filters at a level, 0 being the finest."""
        return int(self.base_filters * 2**level)

    def to_json(self) -> str:
        """Return the config as the text of ``config.json``."""
        content = {"format": FORMAT, "version": FORMAT_VERSION, **as_entries(self)}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> UNetConfig:
        """Read a config; refuse unknown entries and values beyond their limits."""
        return cls(**_checked_entries(text, {field.name for field in fields(cls)}))


def as_entries(config: UNetConfig) -> dict[str, Any]:
    """Return the entries of ``config.json``; new ones only if needed, for earlier versions."""
    entries = asdict(config)
    if not config.white:
        del entries["white"]
    return entries


def parameter_count(config: UNetConfig) -> int:
    """Count the trainable parameters without building the network: 1,940,817 for the default."""
    area, depth = config.kernel_size**2, config.levels
    scale = 2 if config.normalization == "batch" else 0  # gamma and beta of each filter
    total, inputs = 0, config.channels
    for level in range(depth):
        filters = config.filters(level)
        total += (area * inputs + 1 + scale) * filters + (area * filters + 1 + scale) * filters
        if level < depth - 1:
            total += (4 * 2 * filters + 1) * filters  # transposed convolution from below
            total += (area * 2 * filters + 1 + scale) * filters
            total += (area * filters + 1 + scale) * filters
        inputs = filters
    return total + config.base_filters + 1


def _checked_entries(text: str, names: set[str]) -> dict[str, Any]:
    if len(text) > LARGEST_JSON:
        raise InputError(messages.config_too_long(len(text), LARGEST_JSON))
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(messages.config_not_json(text[:40], str(error))) from error
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise InputError(messages.config_of_another_kind(text[:40], FORMAT))
    version = content.pop("version", None)
    if version != FORMAT_VERSION:
        raise InputError(messages.config_version(repr(version)[:40], FORMAT_VERSION))
    if unknown := sorted(set(content) - names):
        raise InputError(messages.config_entry(unknown[0][:80]))
    return content
