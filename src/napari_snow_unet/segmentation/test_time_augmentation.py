"""Test-time augmentation: the mean prediction over a window and its mirror images."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.segmentation.model import Model, Predict
from napari_snow_unet.segmentation.options import Options

MIRRORS = ((), (1,), (2,), (1, 2))  # axes of (1, Y, X, C) and of (1, Y, X)


def augmented(model: Model, options: Options) -> Model:
    """Return a model that averages over four mirror images, if the options say so."""
    if not options.test_time_augmentation:
        return model
    return replace(model, predict=_averaged(model.predict, model.calls_at_once))


def _averaged(predict: Predict, at_once: int) -> Predict:
    def mean(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        def mirrored(axes: tuple[int, ...]) -> NDArray[np.float32]:
            prediction = predict(np.ascontiguousarray(np.flip(pixels, axes)))
            return np.flip(prediction, axes)

        if at_once == 1:
            first, *others = map(mirrored, MIRRORS)
        else:
            with ThreadPoolExecutor(at_once) as threads:
                first, *others = threads.map(mirrored, MIRRORS)
        return sum(others, first) / np.float32(len(MIRRORS))

    return mean
