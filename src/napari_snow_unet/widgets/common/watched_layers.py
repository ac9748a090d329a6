"""Watches the layers of a result for changes that make it outdated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer


SETTLED_MS = 300
_MOVES = ("affine", "rotate", "scale", "shear", "translate", "units")


class WatchedLayers:
    """Notes every change to some layers, or their removal, as long as this object lives.

    A layer that is moved or scaled has changed too, unless `moves` is false.
    """

    def __init__(
        self,
        viewer: Viewer,
        layers: Sequence[ref[Layer]],
        on_change: Callable[[], None],
        *,
        moves: bool = True,
    ) -> None:
        self._viewer, self._layers, self._on_change = viewer, list(layers), on_change
        self.changed, self._moves = False, _MOVES if moves else ()
        self._undone = self._count_undone()
        for emitter, callback in self._connections():
            emitter.connect(callback)  # which refers to this object weakly

    def stop(self) -> None:
        """Stop listening."""
        for emitter, callback in self._connections():
            emitter.disconnect(callback)

    def _connections(self) -> list[tuple[Any, Callable[..., None]]]:
        events = [layer.events for each in self._layers if (layer := each()) is not None]
        emitters = [
            (getattr(each, name), callback)
            for each in events
            for name, callback in (
                ("data", self._edited),
                ("paint", self._edited),
                ("set_data", self._drawn),
                *((move, self._edited) for move in self._moves),
            )
            if hasattr(each, name)  # an image has no paint event
        ]
        return [*emitters, (self._viewer.layers.events.removed, self._removed)]

    def _edited(self, event: Any = None) -> None:
        self.changed = True
        self._on_change()

    def _drawn(self, event: Any = None) -> None:
        """Notice an undo or redo, for which napari only emits that the layer is drawn."""
        undone = self._count_undone()
        if undone != self._undone:
            self._undone = undone
            self._edited()

    def _count_undone(self) -> list[int]:
        """Count the strokes of every layer that can be redone."""
        return [len(getattr(each(), "_redo_history", ())) for each in self._layers]

    def _removed(self, event: Any = None) -> None:
        if any(each() not in self._viewer.layers for each in self._layers):
            self._edited()


class SettlingLayers(QObject):
    """Calls a function at every change of some layers, and another when the changes stop.

    napari announces a stroke before the pixels change, and a stroke is many changes.
    """

    def __init__(
        self,
        parent: QObject,
        viewer: Viewer,
        on_change: Callable[[], None],
        on_settled: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self._viewer, self._on_change = viewer, on_change
        self._layers: list[ref[Layer]] = []
        self._watched: WatchedLayers | None = None
        self._timer = QTimer(self, singleShot=True, interval=SETTLED_MS)
        self._timer.timeout.connect(on_settled)

    def watch(self, layers: Sequence[ref[Layer]]) -> None:
        """Watch these layers instead of others; watching the same ones again changes nothing."""
        if self._layers == list(layers):
            return
        self._timer.stop()
        if self._watched is not None:
            self._watched.stop()
        self._layers = list(layers)
        self._watched = WatchedLayers(self._viewer, layers, self._changed) if layers else None

    def _changed(self) -> None:
        self._on_change()
        self._timer.start()
