"""Layers that results come from, watched for what makes these results those of the past."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

if TYPE_CHECKING:
    from napari.layers import Layer
    from napari.viewer import Viewer


class WatchedLayers:
    """Notes when one of some layers is changed or removed, for as long as it is kept itself.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    layers : sequence of weak references to layers
        Which to watch.
    on_change : callable
        Called without arguments at every change.

    Attributes
    ----------
    changed : bool
        Whether anything has changed so far.
    """

    def __init__(
        self, viewer: Viewer, layers: Sequence[ref[Layer]], on_change: Callable[[], None]
    ) -> None:
        self._viewer, self._layers, self._on_change = viewer, list(layers), on_change
        self.changed = False
        self._undone = self._count_undone()
        for emitter, callback in self._connections():
            emitter.connect(callback)  # which holds this object weakly

    def watches(self, layers: Sequence[ref[Layer]]) -> bool:
        """Tell whether these are the layers that are watched."""
        return self._layers == list(layers)

    def stop(self) -> None:
        """Listen no longer."""
        for emitter, callback in self._connections():
            emitter.disconnect(callback)

    def _connections(self) -> list[tuple[Any, Callable[..., None]]]:
        events = [layer.events for known in self._layers if (layer := known()) is not None]
        found = [
            (getattr(each, name), callback)
            for each in events
            for name, callback in (
                ("data", self._edited),
                ("paint", self._edited),
                ("set_data", self._drawn),
            )
            if hasattr(each, name)  # an image is not painted in
        ]
        return [*found, (self._viewer.layers.events.removed, self._removed)]

    def _edited(self, event: Any = None) -> None:
        self.changed = True
        self._on_change()

    def _drawn(self, event: Any = None) -> None:
        """Notice an undo or redo, of which napari tells no more than that the layer is drawn."""
        undone = self._count_undone()
        if undone != self._undone:
            self._undone = undone
            self._edited()

    def _count_undone(self) -> list[int]:
        """Count the strokes of every layer that can be redone."""
        return [len(getattr(known(), "_redo_history", ())) for known in self._layers]

    def _removed(self, event: Any = None) -> None:
        if any(known() not in self._viewer.layers for known in self._layers):
            self._edited()
