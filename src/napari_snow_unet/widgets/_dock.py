"""What every dock is: a widget that lets go of everything when napari closes it."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QWidget


class Dock(QWidget):
    """A widget in one of napari's docks.

    Closing a dock takes the widget out of its window and nothing else, and so does, for a moment,
    undocking it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._docked = False

    def closed(self) -> None:
        """Let go of everything: called once, after napari has closed the dock."""

    def event(self, event: QEvent) -> bool:
        """Notice when napari closes the dock."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is None and self._docked:
                QTimer.singleShot(0, self._end_if_closed)
            self._docked = self.parent() is not None
        return super().event(event)

    def _end_if_closed(self) -> None:
        if self.parent() is None:
            self.closed()
            self.deleteLater()
