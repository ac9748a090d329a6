"""How the labels of a layer differ from those it had at first, through edits, undo and redo."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from weakref import ref

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.segmentation.corrections.change import Change
from napari_snow_unet.segmentation.corrections.tally import Areas, Edits, Pairs, compare

if TYPE_CHECKING:
    from napari.layers import Labels

TILE = 256  # pixels: the labels of before are kept in squares of this edge

Box = tuple[slice, ...]  # of all axes
Key = tuple[Index, int, int]  # of a tile: its plane, and its place in rows and columns of tiles


class LayerEdits(QObject):
    """Keeps what was under every edit, by napari's own tools too, and compares with it.

    napari tells of strokes before or after the pixels have changed, and of undo and redo only that
    the layer is drawn. So an event only says where something may differ; the counts come from the
    pixels, once napari is done. Labels that are replaced, as by Run, are a new beginning.
    """

    changed = Signal()

    def __init__(self, layer: Labels, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layer = ref(layer)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.refresh)
        self._connections = [
            (layer.events.paint, self._painted),
            (layer.events.set_data, self._drawn),
            (layer.events.data, self.start_anew),
        ]
        for emitter, callback in self._connections:
            emitter.connect(callback)  # which holds this object weakly
        self.stopped = False
        self.strokes = 0  # changes by tools and by napari's brushes, but no undo or redo
        self._seen = self.version
        self._forget()

    def stop(self) -> None:
        """Follow the layer no longer."""
        self.stopped = True
        self._timer.stop()
        for emitter, callback in self._connections:
            emitter.disconnect(callback)

    def start_anew(self, event: Any = None) -> None:
        """Take the labels as they are for the automatic ones."""
        self.strokes += 1
        self._forget()
        self._timer.start(0)

    def _forget(self) -> None:
        self._before: dict[Key, NDArray[Any]] = {}  # the automatic labels of edited tiles
        self._pairs: dict[Key, Pairs] = {}
        self._stale: set[Key] = set()
        self._automatic: dict[Index, Areas] = {}
        self._edits: dict[Index, Edits] = {}
        self._highest: int | None = None

    @property
    def next_id(self) -> int:
        """A number that no nucleus has or had, in any slice."""
        layer = self._layer()
        if self._highest is None:
            self._highest = 0 if layer is None else int(layer.data.max(initial=0))
        return self._highest + 1

    @property
    def version(self) -> tuple[int, int, int]:
        """What differs after every edit, undo and redo."""
        layer = self._layer()
        histories = getattr(layer, "_undo_history", ()), getattr(layer, "_redo_history", ())
        return self.strokes, len(histories[0]), len(histories[1])

    def resume(self, automatic: NDArray[Any]) -> None:
        """Take other labels for the automatic ones: those from before an earlier session."""
        layer = self._layer()
        assert layer is not None
        everywhere = tuple(slice(0, length) for length in layer.data.shape)
        for key in self._keys(everywhere):
            window = self._window(key)
            if not np.array_equal(automatic[window], layer.data[window]):
                self._before[key] = np.array(automatic[window])
                self._stale.add(key)
        self._automatic.clear()
        self._timer.start(0)

    def reserve(self, count: int) -> int:
        """Keep some free numbers for nuclei that are not shown; return the first of them."""
        first = self.next_id
        self._highest = first + count - 1
        return first

    def change_automatic(self, plane: Index, change: Change) -> None:
        """Change the automatic labels, after a filter that is for them and the edited ones."""
        layer = self._layer()
        assert layer is not None
        rows, columns = change.indices
        tiles = np.unique(np.stack([rows // TILE, columns // TILE]), axis=1).T.tolist()
        for row, column in tiles:
            key = (plane, row, column)
            if key not in self._before:
                self._before[key] = np.array(layer.data[self._window(key)])
            here = (rows // TILE == row) & (columns // TILE == column)
            self._before[key][rows[here] % TILE, columns[here] % TILE] = change.values[here]
            self._stale.add(key)
        self._automatic.pop(plane, None)
        self._edits.pop(plane, None)

    def of_plane(self, plane: Index = ()) -> Edits:
        """Return the edits of a slice, () for labels that are one plane."""
        self._recount()
        if plane not in self._edits:
            pairs = [pairs for key, pairs in self._pairs.items() if key[0] == plane]
            together = Pairs.together(pairs)
            self._edits[plane] = compare(self._areas(plane, together), together)
        return self._edits[plane]

    def total(self) -> dict[str, int]:
        """Return the numbers of `Edits` added up over all slices."""
        layer = self._layer()
        shape = () if layer is None else layer.data.shape[:-2]
        each = [self.of_plane(plane).as_numbers() for plane in np.ndindex(*shape)]
        return {name: sum(numbers[name] for numbers in each) for name in each[0]} if each else {}

    @property
    def is_edited(self) -> bool:
        """Whether any pixel differs from the automatic labels."""
        self._recount()
        return any(len(pairs.pixels) for pairs in self._pairs.values())

    def automatic(self, plane: Index = ()) -> NDArray[Any]:
        """Return a copy of the labels, or of a slice, as they were before all edits."""
        layer = self._layer()
        assert layer is not None
        labels = np.array(layer.data[plane])
        for key, before in self._before.items():
            if key[0][: len(plane)] == plane:
                labels[self._window(key)[len(plane) :]] = before
        return labels

    def refresh_soon(self) -> None:
        """Compare once napari is done."""
        self._timer.start(0)

    def refresh(self) -> None:
        """Compare what may have changed, and tell if anything has."""
        if self._layer() is None:
            return
        if self._recount() or self.version != self._seen:
            self._seen = self.version
            self.changed.emit()

    def _painted(self, event: Any) -> None:
        """Keep what was there before a stroke: napari hands over what it has changed."""
        layer = self._layer()
        assert layer is not None
        boxes = list(_boxes(event.value))
        if boxes:
            together = zip(*boxes, strict=True)
            box = tuple(
                slice(min(s.start for s in sides), max(s.stop for s in sides)) for sides in together
            )
            self._keep(layer.data, box, event.value)
        self.strokes += 1
        highest = max((_highest(atom) for atom in event.value), default=0)
        self._highest = max(self.next_id - 1, highest)
        self._timer.start(0)

    def _drawn(self, event: Any = None) -> None:
        """Look again at the last strokes: one of them may have been undone or redone."""
        layer = self._layer()
        for history in (getattr(layer, "_undo_history", ()), getattr(layer, "_redo_history", ())):
            for box in _boxes(history[-1]) if history else ():
                self._stale |= self._before.keys() & set(self._keys(box))
        if self._stale:
            self._timer.start(0)

    def _keep(self, data: NDArray[Any], box: Box, strokes: Sequence[Any]) -> None:
        """Keep the labels of before of the tiles that a box reaches into."""
        keys = list(self._keys(box))
        self._stale.update(keys)
        if all(key in self._before for key in keys):
            return
        whole = tuple(
            slice(side.start // TILE * TILE, -(-side.stop // TILE) * TILE) if axis < 2 else side
            for axis, side in zip(range(len(box) - 1, -1, -1), box, strict=True)
        )
        before = np.array(data[whole])
        for atom in reversed(strokes):
            _restore(before, whole, atom)
        for plane, row, column in keys:
            at = (*plane, TILE * row, TILE * column)
            *leading, top, left = (n - side.start for n, side in zip(at, whole, strict=True))
            tile = before[(*leading, slice(top, top + TILE), slice(left, left + TILE))]
            self._before.setdefault((plane, row, column), tile.copy())

    def _recount(self) -> bool:
        """Compare what is stale; tell whether any tile has changed since it was compared last."""
        layer, changed = self._layer(), False
        if layer is None:
            return False
        for key in self._stale:
            was = self._pairs.get(key)
            now = Pairs.of(self._before[key], layer.data[self._window(key)])
            changed = changed or was is None or not now.equals(was)
            self._pairs[key] = now
            self._edits.pop(key[0], None)
        self._stale.clear()
        return changed

    def _areas(self, plane: Index, pairs: Pairs) -> Areas:
        """Return the areas of the automatic nuclei, counted once for each slice."""
        layer = self._layer()
        if layer is not None and plane not in self._automatic:
            self._automatic[plane] = Areas.of(layer.data[plane]).before(pairs)
        return self._automatic[plane]

    def _keys(self, box: Box) -> Iterator[Key]:
        """Yield the tiles that a box reaches into."""
        *leading, rows, columns = box
        places = [range(side.start // TILE, -(-side.stop // TILE)) for side in (rows, columns)]
        for plane in itertools.product(*(range(side.start, side.stop) for side in leading)):
            for row, column in itertools.product(*places):
                yield plane, row, column

    def _window(self, key: Key) -> tuple[int | slice, ...]:
        plane, row, column = key
        return *plane, *(slice(TILE * at, TILE * (at + 1)) for at in (row, column))


def _boxes(strokes: Iterable[Any]) -> Iterator[Box]:
    """Yield the boxes that the changes of an item of napari's history lie in.

    A change has indices, old values and new ones, or, by a brush, a box, a mask in it or None for
    all of it, old values and the new one.
    """
    for atom in strokes:
        if hasattr(atom, "mask"):
            yield tuple(atom.slice_key)
        else:
            yield tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in atom[0])


def _highest(atom: Any) -> int:
    """Return the highest label that a change has written."""
    return int(np.max(atom.new_value if hasattr(atom, "mask") else atom[2]))


def _restore(region: NDArray[Any], box: Box, atom: Any) -> None:
    """Put the old values of a change back into a copy of the box that it lies in."""
    if hasattr(atom, "mask"):
        changed = region[
            tuple(
                slice(side.start - start.start, side.stop - start.start)
                for side, start in zip(atom.slice_key, box, strict=True)
            )
        ]
        changed[... if atom.mask is None else atom.mask] = atom.old_values
    else:
        places = (axis - side.start for axis, side in zip(atom[0], box, strict=True))
        region[tuple(places)] = atom[1]
