"""The scores of a training over its epochs, in the colours of napari, drawn in a thread."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, QTimer
from qtpy.QtGui import QImage, QPixmap, QResizeEvent
from qtpy.QtWidgets import QLabel, QSizePolicy

from napari_snow_unet.base.progress import Progress
from napari_snow_unet.unet.runs.folder import Row
from napari_snow_unet.unet.training.curves import CURVES, plot_quantity
from napari_snow_unet.widgets.common.run import Run
from napari_snow_unet.widgets.train import messages

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from napari.viewer import Viewer

COLUMNS, LINES = 3, 2
LOWEST, USUAL = QSize(200, 130), QSize(340, 230)
TRAINING, VALIDATION = "#3f97e8", "#ef8a3c"  # safe for colour-blind people, on black and white
_SETTLED_MS = 150
_DOTS_PER_INCH = 100
_FONT = 7
_PIXELS_PER_TICK = 28


@dataclass(frozen=True)
class Look:
    """Size in pixels, screen dots per pixel, and colours of a figure."""

    width: int
    height: int
    dots_per_pixel: float
    background: str
    text: str
    grid: str


def curves_figure(rows: Sequence[Row], look: Look) -> Figure:
    """Draw accuracy, AUC, precision, recall, loss and Dice per epoch, training and validation."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    inches = look.width / _DOTS_PER_INCH, look.height / _DOTS_PER_INCH
    figure = Figure(figsize=inches, facecolor=look.background, layout="constrained")
    figure.set_dpi(_DOTS_PER_INCH * look.dots_per_pixel)
    last = max(len(rows), 2)
    ticks = min(4, max(1, look.height // LINES // _PIXELS_PER_TICK))
    for place, (name, title) in enumerate(CURVES.items(), start=1):
        axes = figure.add_subplot(LINES, COLUMNS, place, facecolor=look.background)
        colours = (TRAINING, VALIDATION)
        plot_quantity(axes, rows, name, colours=colours, most_ticks=4, markersize=3, linewidth=1.2)
        axes.set_title(title, color=look.text, fontsize=_FONT + 1, pad=2)
        axes.tick_params(colors=look.text, labelsize=_FONT, length=2, pad=1)
        axes.set_xlim(1 - 0.03 * last, last + 0.03 * last)
        axes.yaxis.set_major_locator(MaxNLocator(nbins=ticks))
        axes.grid(color=look.grid, lw=0.5)
        for spine in axes.spines.values():
            spine.set_color(look.grid)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=2,
        fontsize=_FONT,
        frameon=False,
        labelcolor=look.text,
    )
    return figure


def _drawing(
    rows: Sequence[Row], look: Look
) -> Generator[Progress, None, tuple[NDArray[np.uint8], Look]]:
    yield Progress(0, 0, messages.DRAWING_LABEL)
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(curves_figure(rows, look))
    canvas.draw()
    return np.array(canvas.buffer_rgba()), look


class Curves(QLabel):
    """Shows the curves of a training; the first ones import matplotlib in a thread."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self.rows: list[Row] = []
        self._run: Run | None = None
        self._changed = False
        self._settled = QTimer(self, singleShot=True, interval=_SETTLED_MS)
        self._settled.timeout.connect(self._draw)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Expanding)
        self.setToolTip(messages.CURVES)
        self.hide()

    def show_rows(self, rows: list[Row]) -> None:
        """Draw the history of a training; hide an empty one."""
        if rows != self.rows:
            self.rows = rows
            self.setVisible(bool(rows))
            self.update_colors()

    def update_colors(self, event: Any = None) -> None:
        """Draw again soon."""
        if self.rows and not self._settled.isActive():
            self._settled.start()

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the smallest readable size."""
        return LOWEST

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a comfortable size."""
        return USUAL

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Draw in the new size."""
        super().resizeEvent(event)
        self.update_colors()

    def _draw(self) -> None:
        if self._run is not None:
            self._changed = True
            return
        self._changed = False
        rows, look = list(self.rows), self._look()
        if not rows:
            return
        self._run = Run(
            self,
            lambda: _drawing(rows, look),
            title="Curves",
            on_done=self._show,
            on_finished=self._drawn,
            quiet_ms=5000,
        )
        self._run.start()

    def _drawn(self) -> None:
        self._run = None
        if self._changed:
            self.update_colors()

    def _show(self, drawn: tuple[NDArray[np.uint8], Look]) -> None:
        pixels, look = drawn
        height, width = pixels.shape[:2]
        image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
        pixmap = QPixmap.fromImage(image.copy())  # the copy owns its pixels
        pixmap.setDevicePixelRatio(look.dots_per_pixel)
        self.setPixmap(pixmap)

    def _look(self) -> Look:
        from napari.utils.theme import get_theme

        theme = get_theme(self._viewer.theme)
        return Look(
            max(self.width(), LOWEST.width()),
            max(self.height(), LOWEST.height()),
            self.devicePixelRatioF(),
            background=theme.background.as_hex("long"),
            text=theme.text.as_hex("long"),
            grid=theme.primary.as_hex("long"),
        )
