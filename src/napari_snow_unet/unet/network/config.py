"""What a U-Net is built from and belongs to: a checked dataclass, kept as JSON by its weights."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.channels import Channel

Activation = Literal["relu", "elu", "silu"]
Normalization = Literal["none", "batch"]

FORMAT = "napari-snow-unet model"
FORMAT_VERSION = 1
LARGEST_JSON = 1_000_000  # characters; a config has a few hundred
LARGEST_NETWORK = 200_000_000  # parameters; the original of 2015 has 31 million

# Smallest and largest value of every number, named in the error that refuses another one.
_LIMITS: dict[str, tuple[float, float]] = {
    "base_filters": (1, 256),
    "levels": (2, 7),
    "kernel_size": (1, 9),
    "dropout": (0.0, 0.3),
    "threshold_floor": (0.0, 0.95),
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "activation": get_args(Activation),
    "normalization": get_args(Normalization),
    "channel": get_args(Channel),
}
_PIXEL_SIZE_LIMITS = (0.01, 20.0)
_DATA_TYPES = (
    *("int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64"),
)
_LONGEST_TEXT = {"name": 100, "trained_on": 5000}


@dataclass(frozen=True)
class UNetConfig:
    """Architecture of a U-Net, what its input is, and where its weights come from.

    Attributes
    ----------
    base_filters : int
        Filters of the first level; every level below has twice as many. 16 is the network of
        Ding et al. (2023), 64 the original of Ronneberger et al. (2015).
    levels : int
        Resolutions, the finest and the coarsest included. Five halve the image four times.
    kernel_size : int
        Edge of the convolutions in pixels, odd.
    dropout : float
        Part of the activations dropped in training at the two finest levels; it grows by as much
        every second level (0.1, 0.1, 0.2, 0.2, 0.3).
    activation : {"relu", "elu", "silu"}
        After every convolution but the last.
    normalization : {"none", "batch"}
        Between convolution and activation.
    channel : {"red", "green", "blue", "grey", "hematoxylin", "rgb"}
        What of the image the network reads, in unit range.
    pixel_size_um : tuple of float or None
        Smallest and largest pixel size it was trained on, in micrometres; None if unknown.
    white : dict from str to float
        Which value was white in the images it was trained on, by their data type; empty for 8-bit
        images. Images of that type are read in the same way.
    threshold_floor : float
        Smallest probability at which Otsu's method may cut.
    name : str
        What people call the model.
    trained_on : str
        Data with their licences, in one paragraph.

    Raises
    ------
    InputError
        If a value is of the wrong type or beyond its limits.

    References
    ----------
    Ronneberger, Fischer, Brox (2015), MICCAI, LNCS 9351:234-241.
    Ding et al. (2023), Scientific Data 10:231.
    """

    base_filters: int = 16
    levels: int = 5
    kernel_size: int = 3
    dropout: float = 0.1
    activation: Activation = "relu"
    normalization: Normalization = "none"
    channel: Channel = "red"
    pixel_size_um: tuple[float, float] | None = None
    threshold_floor: float = 0.3
    name: str = "unnamed"
    trained_on: str = ""
    white: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (low, high) in _LIMITS.items():
            _check_number(name, getattr(self, name), low, high, whole=name in _WHOLE)
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise _refusal(name, getattr(self, name), "one of " + ", ".join(choices))
        for name, longest in _LONGEST_TEXT.items():
            _check_text(name, getattr(self, name), longest)
        if self.kernel_size % 2 == 0:
            raise _refusal("kernel_size", self.kernel_size, "an odd number")
        if self.pixel_size_um is not None:
            object.__setattr__(self, "pixel_size_um", _checked_range(self.pixel_size_um))
        object.__setattr__(self, "white", _checked_white(self.white))
        if parameter_count(self) > LARGEST_NETWORK:
            sizes = f"base_filters {self.base_filters}, levels {self.levels}"
            raise InputError(
                f"a network of {parameter_count(self):,} parameters ({sizes})",
                expected=f"at most {LARGEST_NETWORK:,}",
                remedy="Use fewer filters or levels.",
            )

    @property
    def channels(self) -> int:
        """Planes of the input: 3 for ``"rgb"``, otherwise 1."""
        return 3 if self.channel == "rgb" else 1

    @property
    def stride(self) -> int:
        """Pixels of the image per pixel of the coarsest level; input sizes are multiples of it."""
        return int(2 ** (self.levels - 1))

    def filters(self, level: int) -> int:
        """Return the number of filters at a level, 0 being the finest."""
        return int(self.base_filters * 2**level)

    def to_json(self) -> str:
        """Return the config as the text of a ``config.json``."""
        content = {"format": FORMAT, "version": FORMAT_VERSION, **as_entries(self)}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> UNetConfig:
        """Read a config; every entry is known and within its limits, or it is refused.

        Parameters
        ----------
        text : str
            What `to_json` returned.

        Returns
        -------
        UNetConfig
            The config.

        Raises
        ------
        InputError
            If the text is no JSON, no config of this package, or holds an entry that is unknown,
            of the wrong type or beyond its limits.
        """
        return cls(**_checked_entries(text, {field.name for field in fields(cls)}))


def as_entries(config: UNetConfig) -> dict[str, Any]:
    """Return the entries of a ``config.json``; what earlier versions do not know only if needed."""
    entries = asdict(config)
    if not config.white:
        del entries["white"]
    return entries


_WHOLE = frozenset({"base_filters", "levels", "kernel_size"})
_REMEDY = "Correct the model's config.json, or choose another model."


def parameter_count(config: UNetConfig) -> int:
    """Count the trainable parameters without building the network.

    Parameters
    ----------
    config : UNetConfig
        Architecture.

    Returns
    -------
    int
        1,940,817 for the default.
    """
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


def _refusal(name: str, received: object, expected: str) -> InputError:
    shown = repr(received)
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return InputError(f"{name} is {shown}", expected=expected, remedy=_REMEDY)


def _check_number(name: str, value: object, low: float, high: float, *, whole: bool) -> None:
    kind = "a whole number" if whole else "a number"
    allowed: tuple[type, ...] = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, allowed):
        raise _refusal(name, value, f"{kind} from {low:g} to {high:g}")
    if not low <= value <= high:  # type: ignore[operator]
        raise _refusal(name, value, f"{kind} from {low:g} to {high:g}")


def _check_text(name: str, value: object, longest: int) -> None:
    if not isinstance(value, str) or len(value) > longest:
        raise _refusal(name, value, f"text of at most {longest} characters")
    if not "".join(value.split()).isprintable():  # what a terminal would obey, half characters
        raise _refusal(name, value, "text of printable characters")


def _checked_range(value: object) -> tuple[float, float]:
    low, high = _PIXEL_SIZE_LIMITS
    expected = f"null or [smallest, largest] in micrometres, from {low:g} to {high:g}"
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise _refusal("pixel_size_um", value, expected)
    for end in value:
        if isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end):
            raise _refusal("pixel_size_um", value, expected)
    if not low <= value[0] <= value[1] <= high:
        raise _refusal("pixel_size_um", value, expected)
    return float(value[0]), float(value[1])


def _checked_white(value: object) -> dict[str, float]:
    expected = f"the largest value of each of these: {', '.join(_DATA_TYPES)}"
    if not isinstance(value, dict) or not set(value) <= set(_DATA_TYPES):
        raise _refusal("white", value, expected)
    for white in value.values():
        if isinstance(white, bool) or not isinstance(white, int | float) or not 1 <= white <= 65535:
            raise _refusal("white", value, expected + ", from 1 to 65535")
    return {name: float(white) for name, white in value.items()}


def _checked_entries(text: str, known: set[str]) -> dict[str, Any]:
    if len(text) > LARGEST_JSON:
        raise _refusal("the config's length", len(text), f"at most {LARGEST_JSON:,} characters")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _refusal("the config", text[:40], f"JSON ({error})") from error
    if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
        raise _refusal("the config", text[:40], f'a JSON object with "format": "{FORMAT}"')
    version = content.pop("version", None)
    if version != FORMAT_VERSION:
        raise InputError(
            f"the config has version {version!r}",
            expected=f"version {FORMAT_VERSION}",
            remedy="Update napari-snow-unet, or choose another model.",
        )
    if unknown := sorted(set(content) - known):
        raise _refusal("the config's entry " + repr(unknown[0]), "unknown", "only known entries")
    return content
