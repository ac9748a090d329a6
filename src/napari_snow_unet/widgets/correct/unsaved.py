"""Unsaved edits: kept on disk while they are made, and asked for before they would be lost."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QObject, QTimer
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.datasets.truth_origin import EDITS
from napari_snow_unet.data.formats.origin import facts_for_file
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.widgets.common.comparison import is_segmented
from napari_snow_unet.widgets.common.layers import pixels_of, source_of, unwrapped
from napari_snow_unet.widgets.common.run import Run
from napari_snow_unet.widgets.correct import messages
from napari_snow_unet.widgets.correct.kept import Corrections, Kept, checksum_of
from napari_snow_unet.widgets.correct.layer_edits import LayerEdits
from napari_snow_unet.widgets.correct.toolbar import Corrections as Tools

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

EVERY_EDITS, EVERY_MS = 20, 60_000  # whatever comes first

LATER = (messages.KEEP_LABEL, messages.DISCARD_LABEL)


@dataclass(eq=False)
class Draft:
    """The edits of a layer that are not saved."""

    edits: LayerEdits
    kept: Kept | None = None
    version: tuple[int, int, int] = (0, 0, 0)  # of the edits that were counted last
    strokes: int = 0  # at that time
    pending: int = 0  # edits that are not on disk
    copies: int = 0


#: What was edited in a dock that is closed, with the automatic labels, as long as the layer lives.
_left: WeakKeyDictionary[Labels, tuple[NDArray[Any], Kept | None]] = WeakKeyDictionary()


class UnsavedEdits(QObject):
    """Follows the edits of results, and of other labels that the tools have changed.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose window asks before it closes.
    tools : toolbar.Corrections
        Which follow the layers.
    image_of : callable
        Returns the image that a Labels layer belongs to, if there is one.
    """

    def __init__(
        self, viewer: Viewer, tools: Tools, image_of: Callable[[Labels], Image | None]
    ) -> None:
        super().__init__(tools)
        self._viewer, self._tools, self._image_of = viewer, tools, image_of
        self._drafts: WeakKeyDictionary[Labels, Draft] = WeakKeyDictionary()
        self._removed: list[tuple[Labels, NDArray[Any], Draft]] = []
        self._window: QWidget | None = None
        self._timer, self._asking = QTimer(self), QTimer(self)
        for timer, slot in ((self._timer, self._keep_pending), (self._asking, self._ask_removed)):
            timer.setSingleShot(True)
            timer.timeout.connect(slot)
        tools.edited.connect(self._follow)
        tools.counted.connect(self._counted)
        self._events = [
            (viewer.layers.events.removing, self._removing),
            (viewer.layers.events.inserted, self._take_up),
        ]
        for emitter, callback in self._events:
            emitter.connect(callback)
        self._take_up()

    @property
    def layers(self) -> list[Labels]:
        """The layers with unsaved edits."""
        return [layer for layer, draft in self._drafts.items() if draft.edits.is_edited]

    def saved(self, layer: Labels, version: tuple[int, int, int]) -> None:
        """Forget the edits of a layer up to a version, which are in a file of the user's now."""
        draft = self._drafts.get(layer)
        if draft is not None and draft.edits.version == version:
            self._forget(layer)

    def adopt(self, layer: Labels, automatic: NDArray[Any], kept: Kept | None) -> None:
        """Go on with edits of an earlier session."""
        edits = self._tools.edits(layer)
        edits.resume(automatic)
        draft = self._drafts[layer] = Draft(edits, kept, edits.version, edits.strokes)
        draft.copies = 1
        self._tools.select_next_id(layer)
        self._watch_window()

    def close(self) -> None:
        """Ask what to do with unsaved edits when the dock is closed: the layers stay."""
        for emitter, callback in self._events:
            emitter.disconnect(callback)
        layers = self.layers
        if layers and self._ask(messages.dock_closed(_names(layers)), LATER) == 1:
            self._forget(*layers)
        for layer in self.layers:
            self._write(layer)
            _left[layer] = self._drafts[layer].edits.automatic(), self._drafts[layer].kept
        self._drafts.clear()
        self._unwatch_window()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Ask before the window closes."""
        if event.type() == QEvent.Type.Close and watched is self._window and self._stays_open():
            event.ignore()
            return True
        return bool(super().eventFilter(watched, event))

    def _stays_open(self) -> bool:
        """Keep or discard the edits; tell whether the user does not want to close."""
        layers = self.layers
        if layers:
            text = messages.closing(_names(layers))
            choice = self._ask(text, (*LATER, messages.CANCEL_LABEL))
            if choice == 2:
                return True
            if choice == 1:
                self._forget(*layers)
        for layer in self.layers:
            self._write(layer)
        self._release()
        return False

    def _release(self) -> None:
        """Let the next start of napari offer what is kept."""
        for draft in (*self._drafts.values(), *(draft for _, _, draft in self._removed)):
            if draft.kept is not None:
                draft.kept.release()
        self._drafts.clear()
        self._removed.clear()
        self._unwatch_window()

    def _ask(self, text: str, choices: Sequence[str]) -> int:
        """Return which of some choices the user makes; the first in a window that is not shown."""
        if self._window is None or not self._window.isVisible():
            return 0
        box = QMessageBox(QMessageBox.Icon.Question, messages.UNSAVED_LABEL, text)
        box.setParent(self._window, box.windowFlags())
        box.setInformativeText(messages.KEEP_TIP)
        buttons = [box.addButton(each, QMessageBox.ButtonRole.ActionRole) for each in choices]
        box.setDefaultButton(buttons[0])
        box.setEscapeButton(buttons[-1] if messages.CANCEL_LABEL in choices else buttons[0])
        box.exec()
        chosen = buttons.index(box.clickedButton()) if box.clickedButton() in buttons else 0
        box.deleteLater()
        return chosen

    def _follow(self, layer: Labels, change: object = None) -> Draft:
        if layer not in self._drafts:
            self._drafts[layer] = Draft(self._tools.edits(layer))
            self._watch_window()
        return self._drafts[layer]

    def _counted(self, layer: Labels) -> None:
        """Note what was edited in the layer's facts, and keep a copy now and then."""
        if layer is None or (layer not in self._drafts and not is_segmented(layer)):
            return
        draft = self._follow(layer)
        edits = draft.edits
        _note(layer, edits.total() if edits.is_edited else None)
        if edits.version == draft.version:
            return
        draft.pending += max(edits.strokes - draft.strokes, 1)
        draft.version, draft.strokes = edits.version, edits.strokes
        if not edits.is_edited:  # all is undone
            self._forget(layer)
        elif draft.pending >= EVERY_EDITS:
            self._keep(layer)
        elif not self._timer.isActive():
            self._timer.start(EVERY_MS)

    def _keep_pending(self) -> None:
        for layer in self.layers:
            if self._drafts[layer].pending:
                self._keep(layer)

    def _keep(self, layer: Labels) -> None:
        """Write a copy in a thread."""
        Run(self, self._writing(layer), title=messages.KEEPING).start()

    def _write(self, layer: Labels) -> None:
        """Write a copy at once."""
        for _ in self._writing(layer)():
            pass

    def _writing(self, layer: Labels) -> Callable[[], Generator[Progress, None, None]]:
        """Copy a layer, and return what writes the copy."""
        draft = self._drafts[layer]
        draft.pending, draft.copies = 0, draft.copies + 1
        if draft.kept is None:
            draft.kept = Kept.new()
        image = self._image_of(layer)
        copy = Corrections(
            labels=np.array(layer.data),
            automatic=draft.edits.automatic(),
            layer=layer.name,
            image="" if image is None else image.name,
            checksum=None,
            edits=draft.edits.total(),
            placement=_plain(source_of(layer).placement),
            facts=facts_for_file(layer.metadata.get(PLUGIN, {}), None),
        )
        pixels = None if image is None else pixels_of(image)
        return partial(_write, draft.kept, copy, pixels, draft.copies)

    def _forget(self, *layers: Labels) -> None:
        """Remove the copies of edits that are saved, undone or discarded."""
        for layer in layers:
            draft = self._drafts.pop(layer)
            if draft.kept is not None:
                draft.kept.remove()

    def _removing(self, event: Any) -> None:
        """Write a copy before napari removes a layer, and ask afterwards."""
        layer = unwrapped(self._viewer.layers[event.index])
        if layer in self.layers:
            self._write(layer)
            draft = self._drafts.pop(layer)
            self._removed.append((layer, draft.edits.automatic(), draft))
            self._asking.start(0)

    def _ask_removed(self) -> None:
        removed, self._removed = self._removed, []
        text = messages.removed(_names(layer for layer, _, _ in removed))
        choice = self._ask(text, (*LATER, messages.PUT_BACK_LABEL)) if removed else 0
        for layer, automatic, draft in removed:
            assert draft.kept is not None
            if choice == 0:
                draft.kept.release()
            elif choice == 1:
                draft.kept.remove()
            else:
                self._viewer.layers.append(layer)
                self.adopt(layer, automatic, draft.kept)

    def _take_up(self, event: Any = None) -> None:
        """Go on with what was edited in a dock that was closed."""
        for layer in map(unwrapped, self._viewer.layers):
            if layer in _left:
                self.adopt(layer, *_left.pop(layer))

    def _watch_window(self) -> None:
        """Ask before the window closes that the tools are in, docked or not."""
        window: QWidget = self._tools
        while window.parentWidget() is not None:
            window = window.parentWidget()
        if self._window is None and window is not self._tools:
            self._window = window
            window.installEventFilter(self)

    def _unwatch_window(self) -> None:
        if self._window is not None:
            self._window.removeEventFilter(self)
        self._window = None


def _write(
    kept: Kept, copy: Corrections, pixels: Any, number: int
) -> Generator[Progress, None, None]:
    yield Progress(0, 0, messages.KEEPING)
    kept.write(replace(copy, checksum=checksum_of(pixels)), number)


def _note(layer: Labels, numbers: dict[str, int] | None) -> None:
    """Note in a layer's facts, if it has any, what was edited."""
    facts = dict(layer.metadata.get(PLUGIN, {}))
    if facts and facts.get(EDITS) != numbers:
        facts.pop(EDITS, None)
        facts |= {EDITS: numbers} if numbers else {}
        layer.metadata = {**layer.metadata, PLUGIN: facts}


def _names(layers: Iterable[Labels]) -> str:
    return ", ".join(f"“{layer.name}”" for layer in layers)


def _plain(placement: dict[str, Any]) -> dict[str, Any]:
    """Return napari's arguments that place a layer in values for JSON."""
    plain = {name: np.asarray(value, object).tolist() for name, value in placement.items()}
    return plain | {"units": [str(unit) for unit in plain["units"]]}
