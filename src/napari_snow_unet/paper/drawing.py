"""A figure without a window, and its two files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from napari_snow_unet.base.files import written_whole

DPI = 300


def new_figure(width: float, height: float, *, columns: int = 1) -> tuple[Any, Any]:
    """Make a figure of `width` by `height` inches with a row of axes.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Drawn without pyplot, so without a window and without global state.
    axes : matplotlib.axes.Axes or array of them
        One for each column.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns)


def save(figure: Any, folder: Path, name: str) -> list[Path]:
    """Write a figure as PNG of 300 dpi and as SVG, in place of files that are there.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to write.
    folder : pathlib.Path
        Where to; made when it is missing.
    name : str
        Without an ending.

    Returns
    -------
    list of pathlib.Path
        The two files.
    """
    import matplotlib as mpl

    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    # A date and random names of elements would make every file differ from the last one.
    with mpl.rc_context({"svg.hashsalt": name}):
        for path in paths:
            kind = path.suffix[1:]
            metadata = {"Date": None} if kind == "svg" else None
            with written_whole(path, overwrite=True) as temporary:
                figure.savefig(temporary, format=kind, dpi=DPI, metadata=metadata)
    return paths
