"""Diagrams of the pipeline and of the network."""

from __future__ import annotations

from typing import Any

from napari_snow_unet.paper.drawing import new_figure
from napari_snow_unet.unet.network.config import UNetConfig, parameter_count

PREPARING = (
    ("SNOW release", "image .png\nmask .mat"),
    ("pair, rename", "000000.png ..."),
    ("binarise", "id > 0 becomes 255"),
    ("split", "train, val, test"),
    ("red channel", "0 to 1"),
)
APPLYING = (
    ("U-Net", "sigmoid"),
    ("grey-scale", "probability x 255"),
    ("Otsu", "one threshold\nper tile"),
    ("binary mask", "0 or 255"),
    ("scores", "accuracy, AUC,\nprecision, recall"),
)
DATA, WORK = "#e8eef7", "#fbe9dc"  # colours of boxes


def draw_pipeline() -> Any:
    """Draw the steps from the archives to the scores, in two rows, as a matplotlib figure."""
    figure, axes = new_figure(9.0, 3.0)
    for row, steps in enumerate((PREPARING, APPLYING)):
        for column, (title, detail) in enumerate(steps):
            x, y = 2.0 * column, -1.5 * row
            _box(axes, (x, y), (1.6, 0.95), title, detail, WORK if row else DATA)
            if column:
                _arrow(axes, (x - 0.4, y), (x, y))
    last = 2.0 * (len(PREPARING) - 1) + 0.8
    axes.plot([last, last, 0.8], [-0.475, -0.75, -0.75], color="black", linewidth=1)
    _arrow(axes, (0.8, -0.75), (0.8, -1.025))
    _frame(axes, (-0.1, 2.0 * len(PREPARING) - 0.3), (-2.1, 0.6))
    return figure


def draw_network(config: UNetConfig) -> Any:
    """Draw the levels of a network, their filters and connections, as a matplotlib figure."""
    figure, axes = new_figure(9.0, 4.6)
    bottom, right = config.levels - 1, 2.4 * (config.levels - 1)
    convolution = f"2 x conv {config.kernel_size} x {config.kernel_size}"
    for level in range(config.levels):
        filters, size = config.filters(level), f"1/{2**level} size" if level else "full size"
        places = [level * 1.2, right * 2 - level * 1.2] if level < bottom else [right]
        for x in places:
            _box(axes, (x - 0.8, -level), (1.6, 0.7), f"{filters} filters", size, DATA)
        if level < bottom:
            below = level * 1.2 + 1.2 if level + 1 < bottom else right
            back = right * 2 - level * 1.2 - 1.2 if level + 1 < bottom else right
            _arrow(axes, (places[0] + 0.3, -level - 0.35), (below - 0.3, -level - 0.65))
            _arrow(axes, (back + 0.3, -level - 0.65), (places[1] - 0.3, -level - 0.35))
            _arrow(axes, (places[0] + 0.8, -level), (places[1] - 0.8, -level), dashed=True)
    axes.text(0, 0.55, f"{config.channel} channel", ha="center", fontsize=8)
    axes.text(right * 2, 0.55, "1 x 1 conv, sigmoid", ha="center", fontsize=8)
    dropout = f", dropout from {config.dropout:g}" if config.dropout else ""
    axes.text(
        right,
        0.75,
        f"{convolution}, {config.activation}{dropout} in every box; {parameter_count(config):,} "
        "parameters\ndown: 2 x 2 max-pooling; up: 2 x 2 transposed convolution; dashed: skip",
        ha="center",
        fontsize=8,
    )
    _frame(axes, (-1.0, right * 2 + 1.0), (-bottom - 0.5, 1.3))
    return figure


def _box(
    axes: Any,
    place: tuple[float, float],
    size: tuple[float, float],
    title: str,
    detail: str,
    colour: str,
) -> None:
    """Draw a box at the centre of its left edge."""
    from matplotlib.patches import FancyBboxPatch

    (x, y), (width, height) = place, size
    box = FancyBboxPatch(
        (x, y - height / 2),
        width,
        height,
        boxstyle="round,pad=0,rounding_size=0.08",
        linewidth=1,
        facecolor=colour,
        edgecolor="black",
    )
    axes.add_patch(box)
    lines = detail.count("\n") + 1
    axes.text(x + width / 2, y + 0.1 * lines, title, ha="center", va="center", fontsize=8)
    axes.text(
        x + width / 2, y - 0.2, detail, ha="center", va="center", fontsize=6.5, color="#444444"
    )


def _arrow(
    axes: Any, begin: tuple[float, float], end: tuple[float, float], *, dashed: bool = False
) -> None:
    style = {"arrowstyle": "-|>", "linewidth": 1, "color": "#888888" if dashed else "black"}
    axes.annotate("", end, begin, arrowprops=style | {"linestyle": "--" if dashed else "-"})


def _frame(axes: Any, across: tuple[float, float], up: tuple[float, float]) -> None:
    axes.set(xlim=across, ylim=up)
    axes.set_axis_off()
