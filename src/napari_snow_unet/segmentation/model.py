"""A model as the pipeline uses it: plain values and one function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.shown import Shown

Predict = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def _any_window(edge: int) -> int:
    return edge


def _nothing() -> None:
    """Release nothing."""


@dataclass(frozen=True, repr=False)
class Model(Shown):
    """A function from pixels to probabilities, and its properties.

    Attributes
    ----------
    predict : callable
        Takes float32 (1, Y, X, C) in unit range, Y and X multiples of 64, and returns the
        probability of nucleus, float32 (1, Y, X) in 0..1.
    name : str
        Name shown to the user.
    checksum : str
        SHA-256 of its weights; empty if it has none.
    channel : str
        Channel it was trained on, one of `pixels.channels.CHANNELS`.
    halo : int
        Margin in pixels that is discarded at inner edges of windows, a multiple of 16: the radius
        of the receptive field for windows aligned with the pooling stride.
    pixel_size_um : tuple of float or None
        Smallest and largest pixel size it was trained on, in micrometres; None for any.
    threshold_floor : float
        Lower bound of the Otsu threshold, which keeps tissue without nuclei empty.
    precision : str
        Number format it computes in.
    device : str
        Description of the device; empty for the classical method.
    folder : str
        Its folder, if it cannot be opened by its name.
    white : mapping from str to float
        White value of its training images, by data type.
    calls_at_once : int
        Number of threads that may call `predict` at once and gain by it.
    window_that_fits : callable
        Takes the edge of a square window in pixels and returns the largest edge, up to that one,
        that fits into memory now.
    messages : tuple of str
        Notes for the user on every result.
    release_memory : callable
        Releases the memory of the last windows; call it after a run.
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

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        return ", ".join(filter(None, (self.name, self.precision, self.device)))
