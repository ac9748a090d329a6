"""The line or outline that is being drawn, over napari's canvas: no layer, gone when it is done."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtWidgets import QApplication, QMainWindow, QWidget

UNDER, OVER = QColor(0, 0, 0, 160), QColor(255, 230, 60)  # seen on bright and on dark tissue
WIDTHS = (4.0, 2.0)  # pixels


class Preview(QWidget):
    """Draws over the canvas of a window, and lets the mouse through."""

    def __init__(self, canvas: QWidget) -> None:
        super().__init__(canvas)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setGeometry(canvas.rect())
        self.points: list[QPointF] = []
        self._closed = False

    def draw(self, points: Sequence[tuple[float, float]], *, closed: bool) -> None:
        """Show a path through points of the canvas, x and y."""
        self.points = [QPointF(float(x), float(y)) for x, y in points]
        self._closed = closed
        self.setGeometry(self.parentWidget().rect())
        self.show()
        self.raise_()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draw the path, bright on dark."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path = QPolygonF(self.points)
        for colour, width in zip((UNDER, OVER), WIDTHS, strict=True):
            painter.setPen(QPen(colour, width))
            if self._closed:
                painter.drawPolygon(path)
            else:
                painter.drawPolyline(path)


def canvas_of(widget: QWidget) -> QWidget | None:
    """Return the canvas of the napari window that a dock is in, floating or not."""
    above: QWidget | None = widget
    while above is not None and not isinstance(above, QMainWindow):
        above = above.parentWidget()
    windows = [above] if above is not None else QApplication.topLevelWidgets()
    canvases = (canvas for window in windows for canvas in window.findChildren(QOpenGLWidget))
    return next(canvases, None)
