"""Figure of the scores over the epochs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_snow_unet.base.files import written_whole
from napari_snow_unet.unet.runs.folder import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: The quantities of the paper's five figures.
QUANTITIES = {
    "accuracy": "Accuracy",
    "auc": "AUC",
    "precision": "Precision",
    "recall": "Recall",
    "loss": "Loss",
}
#: The curves of a training: those, and the usual score for nuclei.
CURVES = {**QUANTITIES, "dice": "Dice"}


def draw_curves(rows: Sequence[Row], path: Path) -> None:
    """Draw the paper's five quantities and Dice over the epochs as PNG."""
    if not rows:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(19, 3.4))
    # Margins for three decimals: an automatic layout takes 1.7 times as long.
    figure.subplots_adjust(left=0.03, right=0.995, bottom=0.16, top=0.9, wspace=0.2)
    for axes, (name, title) in zip(figure.subplots(1, len(CURVES)), CURVES.items(), strict=True):
        plot_quantity(axes, rows, name)
        axes.set(title=title, xlabel="Epoch")
        axes.grid(alpha=0.3)
    figure.axes[0].legend()
    FigureCanvasAgg(figure)
    with written_whole(path, overwrite=True) as temporary:
        figure.savefig(temporary, dpi=100, format="png")


def plot_quantity(
    axes: Axes,
    rows: Sequence[Row],
    name: str,
    *,
    colours: tuple[str | None, str | None] = (None, None),
    most_ticks: int = 10,
    **look: float,
) -> None:
    """Plot one quantity of training and validation over the epochs, with gaps for None."""
    from matplotlib.ticker import MaxNLocator

    epochs = [row["epoch"] for row in rows]
    marker = "o" if len(rows) == 1 else None
    columns = (name, "training"), (f"val_{name}", "validation")
    for (column, label), colour in zip(columns, colours, strict=True):
        values = [float("nan") if row.get(column) is None else row[column] for row in rows]
        axes.plot(epochs, values, color=colour, label=label, marker=marker, **look)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=most_ticks))
