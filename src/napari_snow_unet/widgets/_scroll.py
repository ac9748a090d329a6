"""A form that scrolls where the dock is too low for it, and takes no more room than it needs."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QSizePolicy, QWidget

LOWEST = 100


class VerticalScroll(QScrollArea):
    """Shows a widget as wide as the dock, with a vertical scroll bar where it is needed.

    Parameters
    ----------
    content : QWidget
        What scrolls.
    """

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size of the whole content."""
        hint, frame = self.widget().sizeHint(), self.contentsMargins()
        height = hint.height() + frame.top() + frame.bottom()
        return QSize(hint.width() + self._bar_width, height)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the width of the content and a height to scroll in."""
        hint = self.widget().minimumSizeHint()
        return QSize(hint.width() + self._bar_width, min(LOWEST, hint.height()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Take another size when the content does."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    @property
    def _bar_width(self) -> int:
        return self.verticalScrollBar().sizeHint().width()
