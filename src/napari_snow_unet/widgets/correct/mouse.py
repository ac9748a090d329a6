"""One tool at a time for the mouse: on one layer, until Escape, another mode or layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from napari_snow_unet.widgets.common.layers import unwrapped
from napari_snow_unet.widgets.correct.preview import Preview, canvas_of
from napari_snow_unet.widgets.correct.tools import Tool

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

Points = NDArray[np.float64]  # (N, axes of the layer), in its pixels
CLICK_PX = 5  # on the screen: a mouse that moves farther drags the view
STEP_PX = 2  # on the screen, between two points of a drawn path
PAN_ZOOM, ESCAPE = "pan_zoom", "Escape"


class MouseTool(QObject):
    """Lends the mouse to a tool; what it has clicked or drawn is handed to `use`."""

    changed = Signal()

    def __init__(
        self, viewer: Viewer, dock: QWidget, use: Callable[[Labels, Tool, Points], None]
    ) -> None:
        super().__init__(dock)
        self._viewer, self._dock, self._use = viewer, dock, use
        self._layer: Labels | None = None
        self._preview: Preview | None = None
        self.tool: Tool | None = None

    def start(self, tool: Tool, layer: Labels) -> None:
        """Begin to use a tool on a layer, instead of another one."""
        self.stop()
        self._viewer.layers.selection.active = layer
        layer.mode = PAN_ZOOM
        self.tool, self._layer = tool, layer
        layer.mouse_pan = not tool.drawn
        layer.cursor = "cross"
        layer.help = tool.hint
        layer.mouse_drag_callbacks.append(self._pressed)
        layer.bind_key(ESCAPE, lambda _: self.stop(), overwrite=True)
        layer.events.mode.connect(self._mode_changed)
        self._viewer.layers.selection.events.active.connect(self._active_changed)
        self.changed.emit()

    def stop(self) -> None:
        """Give the mouse back to napari."""
        layer, self._layer, self.tool = self._layer, None, None
        if layer is None:
            return
        self._viewer.layers.selection.events.active.disconnect(self._active_changed)
        layer.events.mode.disconnect(self._mode_changed)
        layer.mouse_drag_callbacks.remove(self._pressed)
        layer.bind_key(ESCAPE, None)
        layer.help = ""
        if layer.mode == PAN_ZOOM:
            layer.mouse_pan, layer.cursor = True, "standard"
        self._hide_preview()
        self.changed.emit()

    def _mode_changed(self, event: Any = None) -> None:
        if self._layer is not None and self._layer.mode != PAN_ZOOM:
            self.stop()

    def _active_changed(self, event: Any = None) -> None:
        if unwrapped(self._viewer.layers.selection.active) is not self._layer:
            self.stop()

    def _pressed(self, layer: Labels, event: Any) -> Iterator[None]:
        """Follow the mouse from its press to its release, as napari calls it."""
        tool = self.tool
        if tool is None or event.button != 1 or len(event.modifiers):
            return
        path, screen = [event.position], [tuple(event.pos)]
        yield
        while event.type == "mouse_move":
            if np.hypot(*np.subtract(event.pos, screen[-1])) >= STEP_PX:
                path.append(event.position)
                screen.append(tuple(event.pos))
                if tool.drawn and tool is self.tool:
                    self._show_preview(screen, closed=tool.closed)
            yield
        self._hide_preview()
        farthest = np.hypot(*np.subtract(screen, screen[0]).T).max()
        if tool is self.tool and (tool.drawn or farthest < CLICK_PX):
            place = np.array([layer.world_to_data(position) for position in path])
            self._use(layer, tool, place if tool.drawn else place[:1])

    def _show_preview(self, screen: list[tuple[float, ...]], *, closed: bool) -> None:
        canvas = canvas_of(self._dock)
        if canvas is None:
            return
        if self._preview is None:
            self._preview = Preview(canvas)
        self._preview.draw([(x, y) for x, y in screen], closed=closed)

    def _hide_preview(self) -> None:
        if self._preview is not None:
            self._preview.hide()
            self._preview.deleteLater()
            self._preview = None
