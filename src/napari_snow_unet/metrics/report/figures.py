"""Plots and images of a report, as image files in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_snow_unet.data.pixels.channels import to_rgb8
from napari_snow_unet.data.pixels.value_range import ValueRange
from napari_snow_unet.metrics.scores.objects import ERROR_COLOURS, error_map

LARGEST_SIDE = 384  # pixels of a picture
LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
OUTSIDE = np.array([235, 235, 235], np.uint8)
_PALETTE = np.random.default_rng(7).integers(90, 256, (61, 3)).astype(np.uint8)


def draw_roc(curve: tuple[NDArray[np.float64], NDArray[np.float64]], area: float) -> bytes:
    """Draw a ROC curve, of false and true positive rates, as PNG."""
    figure, axes = _new_figure(4.2, 4.2)
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    axes.plot(*curve, color=LINES[0], linewidth=2, label=f"area {area:.4f}")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", aspect="equal")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(loc="lower right", frameon=False)
    return _png(figure)


def draw_histogram(values: Mapping[str, Sequence[float | None]], title: str) -> bytes:
    """Draw histograms of a score from 0 to 1 over the tiles of each prediction, as PNG."""
    figure, axes = _new_figure(5.6, 4.2)
    bins = np.linspace(0, 1, 41)
    for number, (name, scores) in enumerate(values.items()):
        defined = [score for score in scores if score is not None]
        style = {"color": LINES[number % len(LINES)], "label": name}
        if len(values) == 1:
            axes.hist(defined, bins, **style)
        else:
            axes.hist(defined, bins, histtype="step", linewidth=2, **style)
    axes.set(xlabel=title, ylabel="tiles", xlim=(0, 1))
    axes.yaxis.get_major_locator().set_params(integer=True)
    if len(values) > 1:
        axes.legend(loc="upper left", frameon=False)
    return _png(figure)


def picture_of_image(image: NDArray[Any], values: ValueRange) -> bytes:
    """Return one plane of an image as JPEG."""
    return _encode(to_rgb8(image, values), "JPEG", Image.Resampling.LANCZOS)


def picture_of_labels(labels: NDArray[Any]) -> bytes:
    """Return labels in colours on black as PNG."""
    colours = _PALETTE[(labels.astype(np.int64) * 37) % len(_PALETTE)]
    colours[labels == 0] = 0
    return _encode(colours, "PNG", Image.Resampling.NEAREST)


def picture_of_errors(
    prediction: NDArray[Any], truth: NDArray[Any], region: NDArray[np.bool_] | None = None
) -> bytes:
    """Return true positives, false positives and false negatives in `ERROR_COLOURS` as PNG."""
    palette = np.full((4, 3), 255, np.uint8)
    for code, colour in ERROR_COLOURS.items():
        palette[code] = tuple(bytes.fromhex(colour[1:]))
    colours = palette[error_map(prediction, truth, region=region)]
    if region is not None:
        colours[~region] = OUTSIDE
    return _encode(colours, "PNG", Image.Resampling.NEAREST)


def _encode(pixels: NDArray[np.uint8], kind: str, resampling: Image.Resampling) -> bytes:
    image = Image.fromarray(pixels)
    image.thumbnail((LARGEST_SIDE, LARGEST_SIDE), resampling)
    buffer = BytesIO()
    image.save(buffer, kind, **({"quality": 88} if kind == "JPEG" else {"optimize": True}))
    return buffer.getvalue()


def _new_figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # without pyplot there is no window and no global state

    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _png(figure: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
