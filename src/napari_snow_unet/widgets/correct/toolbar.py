"""A toolbar that corrects labels of nuclei, and the count that follows every edit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QApplication,
    QGridLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.segmentation.corrections import adding, objects, separating
from napari_snow_unet.segmentation.corrections.adding import Guide
from napari_snow_unet.segmentation.corrections.change import Change, nucleus_at
from napari_snow_unet.segmentation.corrections.messages import NO_NUCLEUS
from napari_snow_unet.widgets.common.layers import shown_plane, unwrapped
from napari_snow_unet.widgets.correct import messages, tools
from napari_snow_unet.widgets.correct.applying import apply, why_not
from napari_snow_unet.widgets.correct.keys import ToolKeys
from napari_snow_unet.widgets.correct.layer_edits import LayerEdits
from napari_snow_unet.widgets.correct.mouse import MouseTool, Points
from napari_snow_unet.widgets.correct.surroundings import guide_by_image
from napari_snow_unet.widgets.correct.tools import TOOLS, Tool

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import Viewer

COLUMNS = 5
PADDING = 6  # pixels beside the text of a button

LayerOf = Callable[[], "Labels | None"]
GuideOf = Callable[["Labels", Index], Guide]


class Corrections(QWidget):
    """Tools for the labels that are active, and how many nuclei there are; empty without labels.

    Parameters
    ----------
    viewer : napari.Viewer
        Its active layer is corrected, or the topmost Labels layer where that is none.
    layer_of : callable, optional
        Returns the layer to correct, where it is another one.
    guide_of : callable, optional
        Returns what a nucleus is grown in, of a layer and the index of its slice; by default the
        image under the labels.
    """

    edited = Signal(object, object)  # the layer and the `Change`: after every edit by a tool
    counted = Signal(object)  # the layer: after every edit, undo and redo, by napari's tools too

    def __init__(
        self,
        viewer: Viewer,
        layer_of: LayerOf | None = None,
        guide_of: GuideOf | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layer_of = layer_of or self._active_labels
        self._guide_of = guide_of or (lambda layer, plane: guide_by_image(viewer, layer, plane))
        self._followed: WeakKeyDictionary[Labels, LayerEdits] = WeakKeyDictionary()
        self._first: tuple[Index, Points] | None = None  # the first click of two
        self.mouse = MouseTool(viewer, self, self._use)
        self.mouse.changed.connect(self._show_tool)
        self.buttons: dict[str, QPushButton] = {}
        self.note, self.count = QLabel(), QLabel()
        self._lay_out()
        self._keys = ToolKeys(viewer, TOOLS, self.choose)
        for tool in TOOLS:
            key = tool.key if tool.key in self._keys.bound else ""
            self.buttons[tool.name].setToolTip(tool.tip_with(key))
        self._emitters = self._events()
        for emitter, callback in self._emitters:
            emitter.connect(callback)
        self.refresh()

    def edits(self, layer: Labels) -> LayerEdits:
        """Return what is known of the edits of a layer, which is followed from now on."""
        layer = unwrapped(layer)
        if layer not in self._followed:
            edits = LayerEdits(layer, self)
            self._followed[layer] = edits
            edits.changed.connect(partial(self._count, ref(layer)))
            for emitter in (layer.events.editable, layer.events.visible):
                emitter.connect(self.refresh)
        return self._followed[layer]

    def select_next_id(self, layer: Labels) -> None:
        """Let the brush paint with the next free number, so that it adds a nucleus."""
        number = self.edits(layer).next_id
        if number <= np.iinfo(layer.data.dtype).max:
            layer.selected_label = number

    def refresh(self, event: Any = None) -> None:
        """Allow what can be done with the layer as it is shown, or say why nothing can."""
        layer = self._layer_of()
        problem = why_not(self._viewer, layer)
        if problem is not None:
            self.mouse.stop()
        for button in self.buttons.values():
            button.setEnabled(problem is None)
            button.setVisible(layer is not None)
        self._say(problem.text() if problem is not None else self._hint())
        self._show_count()

    def choose(self, tool: Tool) -> None:
        """Take a tool, or put it back where it is in use."""
        layer = self._layer_of()
        if self.mouse.tool is tool:
            self.mouse.stop()
            return
        problem = why_not(self._viewer, layer)
        if problem is None and layer is not None:
            self.edits(layer)
            self.mouse.start(tool, layer)
        else:
            self.refresh()

    def relabel(self) -> None:
        """Renumber the nuclei of the slice that is shown from 1."""
        layer = self._layer_of()
        if layer is None or why_not(self._viewer, layer) is not None:
            return
        plane = shown_plane(self._viewer, layer)
        QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)  # seconds, for large labels
        try:
            self._try(layer, plane, lambda: objects.relabel(layer.data[plane]))
        finally:
            QApplication.restoreOverrideCursor()

    def undo(self) -> None:
        """Undo the last edit of the layer, as napari does."""
        layer = self._layer_of()
        if layer is not None:
            layer.undo()

    def redo(self) -> None:
        """Redo what was undone last."""
        layer = self._layer_of()
        if layer is not None:
            layer.redo()

    def close_tools(self) -> None:
        """Give mouse and keys back to napari, and follow no layer any longer."""
        self.mouse.stop()
        self._keys.release()
        for emitter, callback in self._emitters:
            emitter.disconnect(callback)
        self._emitters = []
        for layer in list(self._followed):
            self._forget(layer)

    def _forget(self, layer: Labels) -> None:
        """Follow a layer no longer, and let go of its automatic labels."""
        edits = self._followed.pop(layer)
        for emitter in (layer.events.editable, layer.events.visible):
            emitter.disconnect(self.refresh)
        edits.stop()
        edits.deleteLater()

    def _layer_removed(self, event: Any = None) -> None:
        present = {unwrapped(layer) for layer in self._viewer.layers}
        for layer in set(self._followed) - present:
            self._forget(layer)
        self.refresh()

    def _use(self, layer: Labels, tool: Tool, points: Points) -> None:
        """Do what a tool does at the points of the layer that the mouse has been at."""
        plane = shown_plane(self._viewer, layer)
        places = points[:, -2:]
        if tool is tools.MERGE and self._first is None:
            if nucleus_at(layer.data[plane], places[0]):
                self._first = plane, places
                self._say(messages.SECOND_NUCLEUS)
            else:
                self._say(NO_NUCLEUS.text())
            return
        first, self._first = self._first, None
        if first is not None and first[0] == plane:
            places = np.concatenate([first[1], places])
        self._try(layer, plane, lambda: self._change(layer, tool, plane, places))

    def _change(self, layer: Labels, tool: Tool, plane: Index, places: Points) -> Change:
        labels, number = layer.data[plane], self.edits(layer).next_id
        if tool is tools.MERGE:
            return objects.merge(labels, places[0], places[-1])
        if tool is tools.SEPARATE:
            return separating.separate(labels, places, number)
        if tool is tools.OUTLINE:
            return adding.add_outline(labels, places, number)
        if tool is tools.ADD:
            return adding.add_at(labels, places[0], number, self._guide_of(layer, plane))
        clicked = {tools.DELETE: objects.delete, tools.FILL: objects.fill_holes}
        return clicked[tool](labels, places[0])

    def _try(self, layer: Labels, plane: Index, find: Callable[[], Change]) -> None:
        """Apply a correction, or say why there is none."""
        self.edits(layer)  # before anything changes
        try:
            change = find()
        except InputError as error:
            self._say(error.text())
            return
        apply(layer, change, plane)
        self.select_next_id(layer)
        self._say(self._hint())
        self.edited.emit(layer, change)

    def _active_labels(self) -> Labels | None:
        from napari.layers import Labels

        layers = [unwrapped(layer) for layer in self._viewer.layers]
        active = unwrapped(self._viewer.layers.selection.active)
        editable = [layer for layer in layers if isinstance(layer, Labels)]
        return active if active in editable else next(reversed(editable), None)

    def _count(self, layer: ref[Labels]) -> None:
        self._show_count()
        self.counted.emit(layer())

    def _show_count(self) -> None:
        layer = self._layer_of()
        text = ""
        if layer is not None and why_not(self._viewer, layer) is None:
            edits = self.edits(layer).of_plane(shown_plane(self._viewer, layer))
            numbers = edits.as_numbers()
            text = messages.summary(numbers.pop("n_now"), numbers.pop("n_automatic"), **numbers)
        self.count.setText(text)
        self.count.setVisible(bool(text))

    def _show_tool(self) -> None:
        self._first = None
        for tool in TOOLS:
            self.buttons[tool.name].setChecked(tool is self.mouse.tool)
        self._say(self._hint())

    def _hint(self) -> str:
        return self.mouse.tool.hint if self.mouse.tool is not None else ""

    def _say(self, text: str) -> None:
        self.note.setText(text)
        self.note.setVisible(bool(text) and self._layer_of() is not None)

    def _events(self) -> list[tuple[Any, Callable[..., None]]]:
        layers, dims = self._viewer.layers, self._viewer.dims
        emitters = [layers.selection.events.active, layers.events.inserted]
        emitters += [dims.events.ndisplay, dims.events.order, dims.events.current_step]
        refreshing = [(emitter, self.refresh) for emitter in emitters]
        return [*refreshing, (layers.events.removed, self._layer_removed)]

    def _lay_out(self) -> None:
        layout, grid = QVBoxLayout(self), QGridLayout()
        layout.setContentsMargins(2, 2, 2, 2)
        grid.setSpacing(2)
        for tool in TOOLS:
            self._add_button(tool.name, tool.label, tool.tip, partial(self.choose, tool))
            self.buttons[tool.name].setCheckable(True)
        others = {
            "relabel": (messages.RELABEL_LABEL, messages.RELABEL_TIP, self.relabel),
            "undo": (messages.UNDO_LABEL, messages.UNDO_TIP, self.undo),
            "redo": (messages.REDO_LABEL, messages.REDO_TIP, self.redo),
        }
        for name, (label, tip, act) in others.items():
            self._add_button(name, label, tip, act)
        for place, button in enumerate(self.buttons.values()):
            grid.addWidget(button, *divmod(place, COLUMNS))
        layout.addLayout(grid)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        for text in (self.count, self.note):
            text.setWordWrap(True)
            layout.addWidget(text)

    def _add_button(self, name: str, label: str, tip: str, act: Callable[[], None]) -> None:
        button = QPushButton()
        button.setText(label)
        button.setToolTip(tip)
        width = button.fontMetrics().horizontalAdvance(label)
        button.setMinimumWidth(width + 2 * PADDING)  # Qt makes it as wide as one of a dialog
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda: act())
        self.buttons[name] = button
