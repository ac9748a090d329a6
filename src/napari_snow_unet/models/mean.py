"""The mean prediction of several models, used like one model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.models import messages
from napari_snow_unet.models.listing import UnknownModelError, find_model
from napari_snow_unet.segmentation.model import Model, Predict

PLUS = "+"  # between the names of the models of a mean
_OF_RGB = ("red", "green", "blue")


def names_in(wanted: str) -> list[str]:
    """Return the models whose mean is wanted: one, unless their names are joined by a plus."""
    if PLUS not in wanted or Path(wanted).expanduser().exists():
        return [wanted]
    try:
        find_model(wanted)
    except UnknownModelError:
        return [name.strip() for name in wanted.split(PLUS)]
    return [wanted]


def mean_of(models: Sequence[Model]) -> Model:
    """Return a model that averages the probabilities of others.

    Raises
    ------
    InputError
        If no channel, pixel size or white value suits all of them.
    """
    channel = _common_channel(models)
    white: dict[str, float] = {}
    for model in models:
        for dtype, value in model.white.items():
            if white.setdefault(dtype, value) != value:
                raise InputError(messages.other_white(dtype, white[dtype], value))
    folders = [model.folder for model in models]
    return Model(
        predict=_mean([_seen_by(model, channel) for model in models]),
        name=PLUS.join(model.name for model in models),
        checksum=PLUS.join(model.checksum for model in models),
        channel=channel,
        halo=max(model.halo for model in models),
        pixel_size_um=_common_sizes(models),
        threshold_floor=sum(model.threshold_floor for model in models) / len(models),
        white=white,
        precision=PLUS.join(dict.fromkeys(model.precision for model in models)),
        device=PLUS.join(dict.fromkeys(filter(None, (model.device for model in models)))),
        folder=PLUS.join(model.folder or model.name for model in models) if any(folders) else "",
        calls_at_once=min(model.calls_at_once for model in models),
        window_that_fits=lambda edge: min(model.window_that_fits(edge) for model in models),
        messages=tuple(dict.fromkeys(text for model in models for text in model.messages)),
        release_memory=_all([model.release_memory for model in models]),
    )


def _common_channel(models: Sequence[Model]) -> str:
    channels = {model.channel for model in models}
    if len(channels) == 1:
        return channels.pop()
    if not channels <= {*_OF_RGB, "rgb"}:
        raise InputError(messages.channels_of_mean(tuple(sorted(channels))))
    return "rgb"


def _common_sizes(models: Sequence[Model]) -> tuple[float, float] | None:
    ranges = [model.pixel_size_um for model in models if model.pixel_size_um is not None]
    if not ranges:
        return None
    low, high = max(least for least, _ in ranges), min(largest for _, largest in ranges)
    if low > high:
        raise InputError(messages.sizes_of_mean(tuple(ranges)))
    return low, high


def _seen_by(model: Model, channel: str) -> Predict:
    """Return the prediction from the pixels of all colours, of which a model may read one."""
    if model.channel == channel:
        return model.predict
    plane = _OF_RGB.index(model.channel)
    return lambda pixels: model.predict(np.ascontiguousarray(pixels[..., plane : plane + 1]))


def _mean(predictions: Sequence[Predict]) -> Predict:
    def mean(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        first, *others = (predict(pixels) for predict in predictions)
        return sum(others, first) / np.float32(len(predictions))

    return mean


def _all(calls: Sequence[Callable[[], None]]) -> Callable[[], None]:
    def call() -> None:
        for each in calls:
            each()

    return call
