"""From pixels as stored to what is shown (8-bit RGB) and to what a network reads (unit range)."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels import messages
from napari_snow_unet.data.pixels.value_range import (
    COLOURS,
    EIGHT_BITS,
    ValueRange,
    check_type,
    check_values,
    extremes,
    is_rgb,
    white_of_largest,
)

Channel = Literal["red", "green", "blue", "grey", "hematoxylin", "rgb"]
CHANNELS: tuple[str, ...] = get_args(Channel)
LEVELS = 256  # of an 8-bit map
_LUMINANCE = np.array([0.2125, 0.7154, 0.0721], dtype=np.float32)  # ITU-R BT.709


def map_divisor(probability: Any) -> tuple[float, str]:
    """Return the divisor that scales a map to 0..1, and its assumption, to follow "a map"."""
    dtype = check_type(probability.dtype)
    if dtype == np.bool_ or dtype == np.uint8 or 0 in probability.shape:
        return 255.0 if dtype == np.uint8 else 1.0, ""
    low, high = extremes(probability)
    check_values(low, high)
    divisor = white_of_largest(dtype, high)
    # Whatever its maximum: a map is made by a program, not by a camera of 12 bits, and that of an
    # empty tile is dark.
    if dtype == np.uint16:
        dark = "of 16 bits without a value above 255, so no probability exceeds 0.004"
        return 65535.0, dark if divisor == 255 else ""
    if divisor == 1:
        return divisor, ""
    divisor = 255.0 if divisor == 255 else 65535.0
    return divisor, f"of type {dtype}, in which {divisor:,.0f} is taken as a probability of 1"


def to_grey(probability: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Quantise probabilities, cut to 0..1, to 8 bits, as the paper's grey-scale predictions."""
    return np.rint(np.clip(probability, 0, 1) * 255).astype(np.uint8)


def map_of_8_bits(pixels: NDArray[Any], divisor: float) -> NDArray[np.uint8]:
    """Bring a probability map as stored to 8 bits; one that has them is taken as it is."""
    return pixels if pixels.dtype == np.uint8 else to_grey(pixels / divisor)


def on_white(pixels: NDArray[Any], values: ValueRange = EIGHT_BITS) -> NDArray[Any]:
    """Place transparent pixels on white, like the glass of a slide, and drop alpha.

    Where anything shines through, types other than uint8 become float32.
    """
    if not is_rgb(pixels.shape) or pixels.shape[-1] != 4:
        return pixels
    colours, alpha = pixels[..., :3], pixels[..., 3:]
    if (alpha >= values.opaque).all():
        return colours
    share = np.minimum(alpha.astype(np.float32) / np.float32(values.opaque), 1)
    white = np.float32(values.white)
    laid = colours * share + white * (1 - share)
    if pixels.dtype == np.uint8:
        return np.rint(laid).astype(np.uint8)
    return laid.astype(np.float32)


def to_unit(pixels: NDArray[Any], values: ValueRange = EIGHT_BITS) -> NDArray[np.float32]:
    """Bring pixels as stored to float32 in 0..1, laid on white; what is beyond white is cut off."""
    laid = on_white(pixels, values)
    unit = laid.astype(np.float32) / np.float32(values.white)
    return unit if laid.dtype == np.uint8 else np.clip(unit, 0, 1)


def to_rgb8(pixels: NDArray[Any], values: ValueRange = EIGHT_BITS) -> NDArray[np.uint8]:
    """Bring (Y, X) or (Y, X, 3|4) as stored to 8-bit RGB: the one way to a picture.

    8 bits are never stretched.
    """
    laid = on_white(pixels, values)
    if laid.dtype != np.uint8:
        laid = to_grey(to_unit(laid, values))
    if laid.ndim == 2:
        return np.repeat(laid[..., None], 3, axis=-1)
    return np.ascontiguousarray(laid)


def network_input(
    pixels: NDArray[Any], channel: str, values: ValueRange = EIGHT_BITS
) -> NDArray[np.float32]:
    """Return a channel that a network was trained on, in 0..1: (Y, X, 3) for "rgb", else (Y, X, 1).

    A grey image is used for any channel. "hematoxylin" is the light that would pass without other
    stains: nuclei are dark in it as they are in the red channel.
    """
    if channel not in CHANNELS:
        raise InputError(messages.unknown_channel(channel, CHANNELS))
    if pixels.ndim == 2:
        return np.repeat(to_unit(pixels, values)[..., None], 3 if channel == "rgb" else 1, axis=-1)
    if pixels.ndim != 3 or pixels.shape[-1] not in COLOURS:
        raise InputError(messages.not_a_plane(pixels.shape))
    if channel in ("red", "green", "blue"):
        laid = on_white(pixels, values)
        return to_unit(laid[..., ("red", "green", "blue").index(channel)], values)[..., None]
    rgb = to_unit(pixels, values)
    if channel == "rgb":
        return rgb
    if channel == "grey":
        return (rgb @ _LUMINANCE).astype(np.float32)[..., None]
    return hematoxylin_transmission(rgb)[..., None]


def hematoxylin_transmission(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the light that hematoxylin alone would let pass, 0..1: 1 where there is none.

    By the colour deconvolution of Ruifrok and Johnston (2001), Analytical and Quantitative Cytology
    and Histology 23:291-299.
    """
    from skimage.color import hed_from_rgb, separate_stains

    density = separate_stains(rgb, hed_from_rgb)[..., 0]
    # separate_stains measures density in units of log(1e-6).
    return np.exp(np.log(1e-6) * np.clip(density, 0, 1)).astype(np.float32)
