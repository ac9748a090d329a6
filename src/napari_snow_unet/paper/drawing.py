"""Figures without a window, saved as PNG and SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_snow_unet.base.files import written_whole

DPI = 300


def new_figure(width: float, height: float, *, columns: int = 1) -> tuple[Any, Any]:
    """Return a figure (size in inches) and its axes, an array of them for several columns."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns)


def save(figure: Any, folder: Path, name: str) -> None:
    """Write a figure as PNG (300 dpi) and SVG, overwriting existing files."""
    import matplotlib as mpl

    # Without dates and random element names the files are reproducible.
    with mpl.rc_context({"svg.hashsalt": name}):
        for kind, metadata in (("png", None), ("svg", {"Date": None})):
            with written_whole(folder / f"{name}.{kind}", overwrite=True) as temporary:
                figure.savefig(temporary, format=kind, dpi=DPI, metadata=metadata)
