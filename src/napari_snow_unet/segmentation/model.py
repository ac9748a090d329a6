"""What the pipeline needs to know of a model: plain values and one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def _any_window(edge: int) -> int:
    return edge


def _nothing() -> None:
    """Do what there is to do where nothing is held."""


@dataclass(frozen=True)
class Model:
    """A function from pixels to probabilities and the facts that belong to it.

    Attributes
    ----------
    predict : callable
        Takes float32 (1, Y, X, C) in unit range, Y and X multiples of 64, and returns the
        probability of nucleus, float32 (1, Y, X) in 0..1.
    name : str
        What people call it.
    checksum : str
        SHA-256 of its weights, empty if it has none.
    channel : str
        What it was trained on, one of `pixels.channels.CHANNELS`.
    halo : int
        Pixels at an inner edge of a window whose result is not used, a multiple of 16: as far as
        the network sees from windows that begin on its pooling stride.
    pixel_size_um : tuple of float or None
        Smallest and largest pixel size it was trained on, in micrometres; None if any will do.
    threshold_floor : float
        Smallest probability at which Otsu's method may cut; keeps tissue without nuclei empty.
    precision : str
        The number format it computes in.
    device : str
        What computes it, in words; empty for what is no network.
    folder : str
        Where it lies, if it can be opened by its folder only, not by its name.
    white : mapping from str to float
        Which value is white in the images it was trained on, by their data type.
    calls_at_once : int
        How many threads may call `predict` side by side, and gain by it.
    window_that_fits : callable
        From the edge of a square window in pixels to the largest, at most as large, for which there
        is memory now.
    messages : tuple of str
        What a person should be told of every result.
    release_memory : callable
        Gives back what the last windows took, once no more are to come soon.
    """

    predict: Predict
    name: str
    checksum: str = ""
    channel: str = "red"
    halo: int = 96
    pixel_size_um: tuple[float, float] | None = None
    threshold_floor: float = 0.3
    precision: str = "float32"
    device: str = ""
    folder: str = ""
    white: Mapping[str, float] = field(default_factory=dict)
    calls_at_once: int = 1
    window_that_fits: Callable[[int], int] = _any_window
    messages: tuple[str, ...] = ()
    release_memory: Callable[[], None] = _nothing
