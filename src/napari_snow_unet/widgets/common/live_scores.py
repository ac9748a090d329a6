"""Scores that follow a threshold slider, and a mark for Otsu's threshold under it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from magicgui.widgets import FloatSlider
from qtpy.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QPainter, QPaintEvent, QPolygonF
from qtpy.QtWidgets import (
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionSlider,
    QVBoxLayout,
    QWidget,
)

from napari_snow_unet.metrics.planes.thresholds import LevelCounts
from napari_snow_unet.metrics.report.values import score_in_words
from napari_snow_unet.metrics.scores.score_names import TITLES
from napari_snow_unet.segmentation.plane.threshold import level_of, rounded_threshold
from napari_snow_unet.widgets.common import messages
from napari_snow_unet.widgets.common.form import Note, wrapped
from napari_snow_unet.widgets.common.run import Run
from napari_snow_unet.widgets.common.scoring import Comparison, count

SHOWN = ("dice", "precision", "recall")
NO_BREAK = "\N{NO-BREAK SPACE}"
QUIET_MS = 1000  # shorter counting does not show in napari's activity dock


class LiveScores(QWidget):
    """Dice, precision and recall of a probability map at the threshold of a slider.

    The map is counted once, in a thread; after that any threshold is free. Call `update_scores`
    when the slider moves; `on_counted` is called with Otsu's threshold after counting.
    """

    def __init__(
        self,
        slider: FloatSlider,
        threshold: Callable[[], float | Literal["otsu"]],
        on_counted: Callable[[float], None] | None = None,
    ) -> None:
        super().__init__()
        self._threshold, self._on_counted = threshold, on_counted
        self.counts: LevelCounts | None = None
        self.mark = OtsuMark(slider)
        self.text = Note()
        self.text.setToolTip(wrapped(messages.SCORES_TIP))
        self.text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._run: Run | None = None
        self._next: Comparison | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.mark)
        layout.addWidget(self.text)

    @property
    def counting(self) -> bool:
        """Whether a map is being counted."""
        return self._run is not None

    def ask(self, chosen: Comparison | None) -> None:
        """Count another map; None shows nothing."""
        self._next = chosen
        self._take(None)
        if self._run is not None:
            self._run.cancel()  # the next map is counted after its end
        else:
            self._start_next()

    def show_counts(self, counts: LevelCounts) -> None:
        """Show the scores of counts that another thread has made."""
        self.ask(None)
        self._take(counts)

    def show_text(self, text: str, *, problem: bool = False) -> None:
        """Show a sentence instead of scores."""
        self.text.say(text, problem=problem)

    def update_scores(self) -> None:
        """Show the scores at the current threshold."""
        if self.counts is None:
            return
        threshold = self._threshold()
        scores = self.counts.scores_above(None if threshold == "otsu" else level_of(threshold))
        words = [
            f"{TITLES[key].split()[0]}{NO_BREAK}{score_in_words(key, scores[key])}" for key in SHOWN
        ]
        self.show_text(messages.pixel_scores(words))

    def _start_next(self) -> None:
        chosen, self._next = self._next, None
        if chosen is None:
            return
        self.show_text(messages.COUNTING)
        self._run = Run(
            self,
            partial(count, chosen),
            title=messages.COUNTING,
            on_done=self._counted,
            on_finished=self._finished,
            quiet_ms=QUIET_MS,
        )
        self._run.start()

    def _counted(self, result: LevelCounts | str) -> None:
        if isinstance(result, str):
            self.show_text(result, problem=True)
        else:
            self._take(result)

    def _take(self, counts: LevelCounts | None) -> None:
        self.counts = counts
        mark = None if counts is None else rounded_threshold(counts.otsu_threshold)
        self.mark.show_value(mark)
        self.show_text("")
        if mark is not None and self._on_counted is not None:
            self._on_counted(mark)
        self.update_scores()

    def _finished(self) -> None:
        if self.text.text() == messages.COUNTING:
            self.show_text("")
        self._run = None
        self._start_next()


TRIANGLE = 6  # pixels


class OtsuMark(QWidget):
    """A triangle under a slider that points at a value (0 to 1), with its name."""

    def __init__(self, slider: FloatSlider) -> None:
        super().__init__()
        self._slider: QSlider = slider.native.findChild(QSlider)
        self._slider.installEventFilter(self)
        self.value: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip(messages.OTSU_TIP)

    def show_value(self, value: float | None) -> None:
        """Move the mark; None hides it."""
        self.value = value
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a line's height."""
        return QSize(80, TRIANGLE + self.fontMetrics().height())

    def position(self) -> float | None:
        """Return the position of the mark, in pixels from the left."""
        if self.value is None:
            return None
        slider, option = self._slider, QStyleOptionSlider()
        slider.initStyleOption(option)
        part = QStyle.SubControl
        groove, handle = (
            slider.style().subControlRect(QStyle.ComplexControl.CC_Slider, option, control, slider)
            for control in (part.SC_SliderGroove, part.SC_SliderHandle)
        )
        left = groove.left() + handle.width() / 2
        x = left + self.value * (groove.width() - handle.width())
        return x + self.mapFromGlobal(slider.mapToGlobal(QPoint(0, 0))).x()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw the triangle, and the text within the widget."""
        x = self.position()
        if x is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().text())
        corners = [(x, 0.0), (x - TRIANGLE / 2, TRIANGLE), (x + TRIANGLE / 2, TRIANGLE)]
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
        painter.setPen(self.palette().text().color())
        text = f"Otsu {self.value:.3f}"
        width = self.fontMetrics().horizontalAdvance(text) + 2
        start = min(max(x - width / 2, 0), self.width() - width)
        box = QRectF(start, TRIANGLE, width, self.height() - TRIANGLE)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Follow the slider when it moves or is resized."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show):
            self.update()
        return super().eventFilter(watched, event)
