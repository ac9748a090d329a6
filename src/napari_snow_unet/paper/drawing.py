"""A figure without a window, and its two files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_snow_unet.base.files import written_whole

DPI = 300


def new_figure(width: float, height: float, *, columns: int = 1) -> tuple[Any, Any]:
    """Make a figure in inches and its axes (several columns: an array), without pyplot's window."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns)


def save(figure: Any, folder: Path, name: str) -> None:
    """Write a figure as PNG of 300 dpi and as SVG, in place of files that are there."""
    import matplotlib as mpl

    # A date and random names of elements would make every file differ from the last one.
    with mpl.rc_context({"svg.hashsalt": name}):
        for kind, metadata in (("png", None), ("svg", {"Date": None})):
            with written_whole(folder / f"{name}.{kind}", overwrite=True) as temporary:
                figure.savefig(temporary, format=kind, dpi=DPI, metadata=metadata)
