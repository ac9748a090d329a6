"""A mark under a slider where Otsu's method puts the threshold."""

from __future__ import annotations

from magicgui.widgets import FloatSlider
from qtpy.QtCore import QEvent, QObject, QPoint, QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QPainter, QPaintEvent, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QSlider, QStyle, QStyleOptionSlider, QWidget

TRIANGLE = 6  # pixels


class OtsuMark(QWidget):
    """A triangle that points at a value of the slider above it, and its name.

    Parameters
    ----------
    slider : magicgui FloatSlider
        From 0 to 1.
    """

    def __init__(self, slider: FloatSlider) -> None:
        super().__init__()
        self._slider: QSlider = slider.native.findChild(QSlider)
        self._slider.installEventFilter(self)
        self.value: float | None = None
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setToolTip("Where Otsu's method puts the threshold; the mean of several slices.")

    def show_value(self, value: float | None) -> None:
        """Move the mark, or take it away."""
        self.value = value
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a line's height."""
        return QSize(80, TRIANGLE + self.fontMetrics().height())

    def position(self) -> float | None:
        """Return where the mark stands, in pixels from the left."""
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
        """Draw the triangle and the text, which stays inside."""
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
        """Follow the slider when it moves or takes another size."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show):
            self.update()
        return super().eventFilter(watched, event)
