"""The scores over the epochs, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_snow_unet.data.files import written_whole
from napari_snow_unet.unet.run_directory import Row

#: The quantities of the five figures in the paper.
QUANTITIES = {
    "accuracy": "Accuracy",
    "auc": "AUC",
    "precision": "Precision",
    "recall": "Recall",
    "loss": "Loss",
}
#: What is drawn of a training: those, and the score that nuclei are usually judged by.
CURVES = {**QUANTITIES, "dice": "Dice"}


def draw_curves(rows: Sequence[Row], path: Path) -> None:
    """Draw the paper's five quantities and Dice over the epochs as PNG, replaced as a whole.

    Parameters
    ----------
    rows : sequence of dict
        History of a training; nothing is drawn of an empty one.
    path : pathlib.Path
        The file.
    """
    if not rows:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(19, 3.4))
    # Margins that suit three decimals: a layout that measures every label takes 1.7 times as long.
    figure.subplots_adjust(left=0.03, right=0.995, bottom=0.16, top=0.9, wspace=0.2)
    epochs = [row["epoch"] for row in rows]
    marker = "o" if len(rows) == 1 else None
    for axes, (name, title) in zip(figure.subplots(1, len(CURVES)), CURVES.items(), strict=True):
        for column, label in ((name, "training"), (f"val_{name}", "validation")):
            values = [_number(row.get(column)) for row in rows]
            axes.plot(epochs, values, label=label, marker=marker)
        axes.set(title=title, xlabel="Epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    figure.axes[0].legend()
    FigureCanvasAgg(figure)
    with written_whole(path, overwrite=True) as temporary:
        figure.savefig(temporary, dpi=100, format="png")


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
