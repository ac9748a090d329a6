"""From pixels as stored to what is shown (8-bit RGB) and to what a network reads (unit range)."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
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
_LUMINANCE = np.array([0.2125, 0.7154, 0.0721], dtype=np.float32)


def map_divisor(probability: Any) -> tuple[float, str]:
    """Find the number that brings a probability map to the range 0..1, and say what is assumed.

    16-bit maps are divided by 65535 as 8-bit ones by 255, whatever their maximum is: a map is made
    by a program, not by a camera of 12 bits, and that of an empty tile is dark. Other types leave
    the question open: integers are divided by 255 or 65535, floats by 1 or 255.

    Parameters
    ----------
    probability : array-like
        NumPy, dask or Zarr array of any shape.

    Returns
    -------
    divisor : float
        The divisor.
    assumed : str
        What a person should know, behind "a map"; empty where the type alone tells the divisor.

    Raises
    ------
    InputError
        If values are negative, not finite, or too large for any of these ranges.
    """
    dtype = check_type(probability.dtype)
    if dtype == np.bool_ or dtype == np.uint8 or 0 in probability.shape:
        return 255.0 if dtype == np.uint8 else 1.0, ""
    low, high = extremes(probability)
    check_values(low, high)
    divisor = white_of_largest(dtype, high)
    if dtype == np.uint16:
        dark = "of 16 bits without a value above 255, so that no probability is above 0.004"
        return 65535.0, dark if divisor == 255 else ""
    if divisor == 1:
        return divisor, ""
    divisor = 255.0 if divisor == 255 else 65535.0
    return divisor, f"of type {dtype}, in which {divisor:,.0f} is taken for a probability of 1"


def to_grey(probability: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Quantise probabilities to 8 bits, as the paper's grey-scale predictions.

    Parameters
    ----------
    probability : ndarray of float
        Probabilities in 0..1, any shape.

    Returns
    -------
    ndarray of uint8
        Nearest multiple of 1/255.
    """
    return np.rint(np.clip(probability, 0, 1) * 255).astype(np.uint8)


def map_of_8_bits(pixels: NDArray[Any], divisor: float) -> NDArray[np.uint8]:
    """Bring a probability map as stored to 8 bits; one that has them is taken as it is.

    Parameters
    ----------
    pixels : ndarray
        Probabilities of any range that `map_divisor` knows, any shape.
    divisor : float
        What the values are divided by, see `map_divisor`.

    Returns
    -------
    ndarray of uint8
        Grey levels, 255 for a probability of 1.
    """
    return pixels if pixels.dtype == np.uint8 else to_grey(pixels / divisor)


def on_white(pixels: NDArray[Any], values: ValueRange = EIGHT_BITS) -> NDArray[Any]:
    """Lay what is transparent on white, as the glass of a slide is.

    Parameters
    ----------
    pixels : ndarray, shape (..., Y, X) or (..., Y, X, 3|4)
        As stored.
    values : ValueRange
        Which values are white and opaque.

    Returns
    -------
    ndarray, shape (..., Y, X) or (..., Y, X, 3)
        Of the same range, float32 where 8-bit colours shone through no alpha.
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
    """Bring pixels as stored to 0..1, transparent ones laid on white; what is beyond is cut off.

    Parameters
    ----------
    pixels : ndarray, shape (..., Y, X) or (..., Y, X, 3|4)
        As stored.
    values : ValueRange
        Which values are white and opaque.

    Returns
    -------
    ndarray of float32, shape (..., Y, X) or (..., Y, X, 3)
        The same picture.
    """
    laid = on_white(pixels, values)
    unit = laid.astype(np.float32) / np.float32(values.white)
    return unit if laid.dtype == np.uint8 else np.clip(unit, 0, 1)


def to_rgb8(pixels: NDArray[Any], values: ValueRange = EIGHT_BITS) -> NDArray[np.uint8]:
    """Bring pixels as stored to 8-bit RGB: the one way from an image to a picture.

    Parameters
    ----------
    pixels : ndarray, shape (Y, X) or (Y, X, 3|4)
        As stored; grey is tripled, transparent pixels are laid on white.
    values : ValueRange
        Which values are white and opaque; 8 bits are never stretched.

    Returns
    -------
    ndarray of uint8, shape (Y, X, 3)
        The picture.
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
    """Take the channel a network was trained on and bring it to unit range.

    Parameters
    ----------
    pixels : ndarray, shape (Y, X) or (Y, X, 3) or (Y, X, 4)
        Pixels as stored. A single-channel image is used as it is; transparent pixels are white.
    channel : {"red", "green", "blue", "grey", "hematoxylin", "rgb"}
        ``"grey"`` is the luminance of ITU-R BT.709. ``"hematoxylin"`` is the light that would
        pass if the tissue held no other stain, by the colour deconvolution of Ruifrok and
        Johnston (2001): nuclei are dark in it as they are in the red channel.
    values : ValueRange
        Which values are white and opaque, see `pixels.value_range.value_range`.

    Returns
    -------
    ndarray of float32, shape (Y, X, C)
        Values in 0..1; C is 3 for ``"rgb"`` and 1 otherwise.

    Raises
    ------
    InputError
        If `channel` is unknown or the pixels are neither grey nor colour.
    """
    if channel not in CHANNELS:
        raise InputError(
            f"the channel {channel!r}",
            expected="one of " + ", ".join(CHANNELS),
            remedy="Choose one of these.",
        )
    if pixels.ndim == 2:
        return np.repeat(to_unit(pixels, values)[..., None], 3 if channel == "rgb" else 1, axis=-1)
    if pixels.ndim != 3 or pixels.shape[-1] not in COLOURS:
        raise InputError(
            f"an image of shape {pixels.shape}",
            expected="(Y, X), (Y, X, 3) or (Y, X, 4)",
            remedy="Pick one plane, or move the colours to the last axis.",
        )
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
    """Return the light that hematoxylin alone would let pass.

    Parameters
    ----------
    rgb : ndarray of float32, shape (Y, X, 3)
        Colours in 0..1.

    Returns
    -------
    ndarray of float32, shape (Y, X)
        Transmission in 0..1, 1 where there is no hematoxylin.

    References
    ----------
    Ruifrok and Johnston (2001), Analytical and Quantitative Cytology and Histology 23:291-299.
    """
    from skimage.color import hed_from_rgb, separate_stains

    density = separate_stains(rgb, hed_from_rgb)[..., 0]
    # separate_stains measures density in units of log(1e-6).
    return np.exp(np.log(1e-6) * np.clip(density, 0, 1)).astype(np.float32)
