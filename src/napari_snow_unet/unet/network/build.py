"""The U-Net as a Keras model, and how far one output pixel sees."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.network.fused_upsampling import UpsampledConvolution


def build_unet(
    config: UNetConfig,
    *,
    precision: str = "float32",
    first: str | None = None,
    merged: bool = False,
) -> keras.Model:
    """Build the network with fresh weights.

    Two convolutions per level, max-pooling on the way down, transposed convolutions and
    concatenated skip connections on the way up, dropout between the two convolutions, one sigmoid
    at the end. Convolutions are padded with zeros, so output and input have the same size. The
    transposed ones keep a bias of zero: the convolution behind has one that does the same.

    Parameters
    ----------
    config : UNetConfig
        Architecture and channel.
    precision : {"float32", "mixed_bfloat16", "mixed_float16"}, default: "float32"
        Keras dtype policy of the layers. Weights and the sigmoid stay float32.
    first : str, optional
        Another policy for the first convolution, whose input is the image.
    merged : bool, default: False
        Go up in the layers that `for_prediction` fills.

    Returns
    -------
    keras.Model
        From (N, Y, X, C) in unit range to the probability of nucleus (N, Y, X, 1), float32 in
        0..1; Y and X are multiples of `config.stride`.

    References
    ----------
    Ronneberger, Fischer, Brox (2015), MICCAI, LNCS 9351:234-241.
    Ding et al. (2023), Scientific Data 10:231.
    """
    pixels = keras.Input((None, None, config.channels), name="pixels")
    skips, x = [], pixels
    for level in range(config.levels - 1):
        entry = first if level == 0 else None
        skips.append(_convolve_twice(x, config, level, "down", precision, first=entry))
        x = layers.MaxPooling2D(2, name=f"pool{level}", dtype=precision)(skips[-1])
    x = _convolve_twice(x, config, config.levels - 1, "bottom", precision)
    for level in reversed(range(config.levels - 1)):
        filters = config.filters(level)
        if merged:
            layer = UpsampledConvolution(filters, name=f"decode{level}a", dtype=precision)
            maps: Any = [skips[level], x]
        else:
            layer = None
            up = layers.Conv2DTranspose(filters, 2, strides=2, name=f"up{level}", dtype=precision)
            maps = layers.Concatenate(name=f"skip{level}", dtype=precision)([skips[level], up(x)])
            up.bias.trainable = False
        x = _convolve_twice(maps, config, level, "decode", precision, by=layer)
    logits = layers.Conv2D(1, 1, name="logits", dtype=precision)(x)
    probability = layers.Activation("sigmoid", name="probability", dtype="float32")(logits)
    return keras.Model(pixels, probability, name="unet")


def for_prediction(model: keras.Model, config: UNetConfig) -> keras.Model:
    """Return a network with the same output up to rounding, faster, and not to be trained.

    It is the network itself where kernels are not 3 x 3, transposed convolutions have biases, or
    the engine is not TensorFlow.
    """
    ups = [model.get_layer(f"up{level}").get_weights() for level in range(config.levels - 1)]
    biased = any(bias.any() for _, bias in ups)
    if config.kernel_size != 3 or biased or keras.config.backend() != "tensorflow":
        return model
    precision, first = (model.get_layer(name).dtype_policy.name for name in ("logits", "down0a"))
    merged = build_unet(config, precision=precision, first=first, merged=True)
    for layer in merged.layers:
        if not isinstance(layer, UpsampledConvolution):
            layer.set_weights(model.get_layer(layer.name).get_weights())
    for level, (kernel, _) in enumerate(ups):
        name = f"decode{level}a"
        merged.get_layer(name).merge(kernel, *model.get_layer(name).get_weights())
    return merged


def _convolve_twice(
    x: Any,
    config: UNetConfig,
    level: int,
    side: str,
    precision: str,
    *,
    first: str | None = None,
    by: Any = None,
) -> Any:
    act, rate = config.activation, config.dropout * (1 + level // 2)
    for part in ("a", "b"):
        name = f"{side}{level}{part}"
        policy = (first or precision) if part == "a" else precision
        if by is not None and part == "a":
            x = by(x)
        else:
            x = layers.Conv2D(
                config.filters(level),
                config.kernel_size,
                padding="same",
                kernel_initializer="he_normal",
                name=name,
                dtype=policy,
            )(x)
        if config.normalization == "batch":
            x = layers.BatchNormalization(name=f"{name}_norm", dtype=precision)(x)
        # in the format of its convolution, which engines then compute in one go with it
        x = layers.Activation(act, name=f"{name}_{act}", dtype=policy)(x)
        if part == "a" and rate > 0:
            x = layers.Dropout(rate, name=f"{side}{level}_dropout", dtype=precision)(x)
    return x


def window_halo(config: UNetConfig) -> int:
    """Return how many pixels at the edge of a window are not to be used: 96 for the default."""
    # A multiple of 16 and of the stride: windows begin on the coarsest grid and the used part does
    # too, so what counts is how far a block of that grid sees beyond itself, less than one pixel
    # does.
    ends = [_reach(config, pixel) for pixel in range(config.stride)]
    beyond = max(max(-low, high - config.stride + 1) for low, high in ends)
    grid = max(config.stride, 16)  # both are powers of two
    return -(-beyond // grid) * grid


def _reach(config: UNetConfig, pixel: int) -> tuple[int, int]:
    """Return the first and last input pixel, on one axis, that an output pixel depends on."""
    # Followed back through the deepest path: each pair of convolutions widens the interval, a
    # transposed convolution of stride 2 reads pixel x // 2 of the level below, a pooled pixel reads
    # two of the level above.
    reach = 2 * (config.kernel_size // 2)
    low = high = pixel
    for _ in range(config.levels - 1):
        low, high = (low - reach) // 2, (high + reach) // 2
    low, high = low - reach, high + reach
    for _ in range(config.levels - 1):
        low, high = 2 * low - reach, 2 * high + 1 + reach
    return low, high
