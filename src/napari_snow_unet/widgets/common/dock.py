"""The base of every dock: a form that scrolls, and the clean-up when napari closes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QEvent, QObject, QSize, Qt, QTimer
from qtpy.QtWidgets import QFrame, QLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

if TYPE_CHECKING:
    from napari.viewer import Viewer


class Dock(QWidget):
    """A widget in one of napari's docks.

    Closing a dock only removes the widget from its window; undocking does so for a moment.
    """

    def __init__(self) -> None:
        super().__init__()
        self._docked = False
        self._followed: list[tuple[Any, Callable[..., None]]] = []

    def lay_out(self, form: QWidget, *below: QWidget | QLayout, last: QWidget) -> None:
        """Put a scrolling form on top, other widgets below, and one that fills the rest last."""
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        layout = QVBoxLayout(self)
        layout.addWidget(VerticalScroll(form))
        for item in below:
            layout.addLayout(item) if isinstance(item, QLayout) else layout.addWidget(item)
        layout.addWidget(last, 1)
        layout.addStretch()

    def follow(self, emitter: Any, callback: Callable[..., None]) -> None:
        """Call a function at every event of a napari emitter until the dock is closed."""
        emitter.connect(callback)
        self._followed.append((emitter, callback))

    def follow_layers(self, viewer: Viewer, callback: Callable[..., None]) -> None:
        """Call a function when layers are added, removed, moved or renamed."""
        events = viewer.layers.events
        for emitter in (events.inserted, events.removed, events.reordered, events.renamed):
            self.follow(emitter, callback)

    def closed(self) -> None:
        """Stop what runs: called once, after napari has closed the dock."""

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
            for emitter, callback in self._followed:
                emitter.disconnect(callback)
            self._followed.clear()
            self.deleteLater()


LOWEST = 90


class VerticalScroll(QScrollArea):
    """Shows a widget as wide as the dock, with a vertical scroll bar where it is needed."""

    def __init__(self, content: QWidget) -> None:
        super().__init__()
        self.setWidget(content)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size of the whole content."""
        content, hint = self.widget(), self.widget().sizeHint()
        # With texts that wrap, the minimum may be higher than the hint.
        height = max(hint.height(), content.minimumSizeHint().height())
        around = self.height() - self.viewport().height()
        return QSize(hint.width() + self._bar_width, height + around)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the width of the content and a height to scroll in."""
        hint = self.widget().minimumSizeHint()
        return QSize(hint.width() + self._bar_width, min(LOWEST, hint.height()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Follow the size of the content."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    @property
    def _bar_width(self) -> int:
        return self.verticalScrollBar().sizeHint().width()
