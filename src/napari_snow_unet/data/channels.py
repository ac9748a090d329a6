"""From pixels as stored to what a network reads: one channel, or three, in unit range."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.files import InputError

Channel = Literal["red", "green", "blue", "grey", "hematoxylin", "rgb"]
CHANNELS: tuple[str, ...] = get_args(Channel)
COLOURS = (3, 4)
_INTEGER_RANGES = (255, 4095, 65535)
_OVERSHOT = 1.25
_LUMINANCE = np.array([0.2125, 0.7154, 0.0721], dtype=np.float32)


def unit_divisor(image: Any) -> float:
    """Find the number that brings an image to the range 0..1, once for a whole layer or file.

    Unsigned 8-bit images are divided by 255; other integers by the smallest of 255, 4095 and
    65535 (8, 12 and 16 bits) that holds their maximum; floats are taken as they are up to 1, and a
    quarter more since filters overshoot, and divided by 255 up to 255.

    Parameters
    ----------
    image : array-like
        NumPy, dask or Zarr array of any shape. It is only read when its data type leaves the
        question open.

    Returns
    -------
    float
        The divisor.

    Raises
    ------
    InputError
        If values are negative, not finite, or too large for any of these ranges.
    """
    dtype = np.dtype(image.dtype)
    if dtype == np.bool_:
        return 1.0
    if dtype == np.uint8:
        return 255.0
    if dtype.kind not in "uif":
        raise InputError(
            f"an image of data type {dtype}",
            expected="integers or floating-point numbers",
            remedy="Convert the image, for example to 8 bits.",
        )
    if 0 in image.shape:
        return 1.0
    low, high = (float(np.asarray(extreme)) for extreme in _extremes(image))
    if not (np.isfinite(low) and np.isfinite(high)) or low < 0:
        raise InputError(
            f"an image with values from {low:g} to {high:g}",
            expected="finite values that are not negative",
            remedy="Clip or rescale the image first.",
        )
    ranges = _INTEGER_RANGES if dtype.kind in "ui" else (1, 255)
    for largest in ranges:
        if high <= (_OVERSHOT if largest == 1 else largest):
            return float(largest)
    raise InputError(
        f"an image of data type {dtype} with values up to {high:g}",
        expected=f"at most {ranges[-1]}",
        remedy="Rescale it to 0..255 or 0..1.",
    )


def map_divisor(probability: Any) -> tuple[float, str]:
    """Find the number that brings a probability map to the range 0..1, and say what is assumed.

    16-bit maps are divided by 65535 as 8-bit ones by 255, whatever their maximum is: a map is made
    by a program, not by a camera of 12 bits, and that of an empty tile is dark. Other types leave
    the question open: integers are divided by 255 or 65535, floats by 1 or 255.

    Parameters
    ----------
    probability : array-like
        NumPy, dask or Zarr array of any shape; see `unit_divisor`.

    Returns
    -------
    divisor : float
        The divisor.
    assumed : str
        What a person should know, behind "a map"; empty where the type alone tells the divisor.

    Raises
    ------
    InputError
        As `unit_divisor`.
    """
    divisor, dtype = unit_divisor(probability), np.dtype(probability.dtype)
    if dtype == np.uint16:
        dark = "of 16 bits without a value above 255, so that no probability is above 0.004"
        return 65535.0, dark if divisor == 255 else ""
    if dtype.kind == "b" or dtype == np.uint8 or divisor == 1:
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


def _extremes(image: Any) -> tuple[Any, Any]:
    if hasattr(image, "compute"):
        import dask

        low, high = dask.compute(image.min(), image.max())
        return low, high
    array = np.asarray(image)
    return array.min(), array.max()


def network_input(pixels: NDArray[Any], channel: str, divisor: float) -> NDArray[np.float32]:
    """Take the channel a network was trained on and bring it to unit range.

    Parameters
    ----------
    pixels : ndarray, shape (Y, X) or (Y, X, 3) or (Y, X, 4)
        Pixels as stored. A single-channel image is used as it is; an alpha channel is ignored.
    channel : {"red", "green", "blue", "grey", "hematoxylin", "rgb"}
        ``"grey"`` is the luminance of ITU-R BT.709. ``"hematoxylin"`` is the light that would
        pass if the tissue held no other stain, by the colour deconvolution of Ruifrok and
        Johnston (2001): nuclei are dark in it as they are in the red channel.
    divisor : float
        What the values are divided by, see `unit_divisor`.

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
        grey = pixels.astype(np.float32) / np.float32(divisor)
        return np.repeat(grey[..., None], 3 if channel == "rgb" else 1, axis=-1)
    if pixels.ndim != 3 or pixels.shape[-1] not in COLOURS:
        raise InputError(
            f"an image of shape {pixels.shape}",
            expected="(Y, X), (Y, X, 3) or (Y, X, 4)",
            remedy="Pick one plane, or move the colours to the last axis.",
        )
    if channel in ("red", "green", "blue"):
        plane = pixels[..., ("red", "green", "blue").index(channel)]
        return (plane.astype(np.float32) / np.float32(divisor))[..., None]
    rgb = pixels[..., :3].astype(np.float32) / np.float32(divisor)
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
