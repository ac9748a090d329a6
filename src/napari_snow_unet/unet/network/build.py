"""The U-Net as a Keras model, for training."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from napari_snow_unet.unet.network.config import UNetConfig


def build_unet(
    config: UNetConfig,
    *,
    precision: str = "float32",
    first: str | None = None,
) -> keras.Model:
    """Build the network with new random weights.

    Two convolutions per level, max-pooling in the encoder, transposed convolutions and
    concatenated skip connections in the decoder, dropout between the two convolutions, one sigmoid
    at the end. Convolutions are padded with zeros, so output and input have the same size. The
    bias of the transposed ones stays zero, since that of the next convolution has the same
    effect.

    Parameters
    ----------
    config : UNetConfig
        Architecture and channel.
    precision : {"float32", "mixed_bfloat16", "mixed_float16"}, default: "float32"
        Keras dtype policy of the layers. Weights and the sigmoid stay float32.
    first : str, optional
        Policy of the first convolution, whose input is the image, if it differs.

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
        up = layers.Conv2DTranspose(filters, 2, strides=2, name=f"up{level}", dtype=precision)
        maps = layers.Concatenate(name=f"skip{level}", dtype=precision)([skips[level], up(x)])
        up.bias.trainable = False
        x = _convolve_twice(maps, config, level, "decode", precision)
    logits = layers.Conv2D(1, 1, name="logits", dtype=precision)(x)
    probability = layers.Activation("sigmoid", name="probability", dtype="float32")(logits)
    return keras.Model(pixels, probability, name="unet")


def _convolve_twice(
    x: Any,
    config: UNetConfig,
    level: int,
    side: str,
    precision: str,
    *,
    first: str | None = None,
) -> Any:
    act, rate = config.activation, config.dropout * (1 + level // 2)
    for part in ("a", "b"):
        name = f"{side}{level}{part}"
        policy = (first or precision) if part == "a" else precision
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
        # in the format of its convolution, so that engines can fuse the two
        x = layers.Activation(act, name=f"{name}_{act}", dtype=policy)(x)
        if part == "a" and rate > 0:
            x = layers.Dropout(rate, name=f"{side}{level}_dropout", dtype=precision)(x)
    return x
