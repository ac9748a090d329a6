"""Minimum area and border applied to edited labels, in steps that napari can undo."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.segmentation.corrections.change import Change
from napari_snow_unet.segmentation.corrections.filtering import refilter
from napari_snow_unet.widgets.correct.applying import apply_planes
from napari_snow_unet.widgets.correct.layer_edits import LayerEdits

if TYPE_CHECKING:
    from napari.layers import Labels


@dataclass(frozen=True, eq=False)
class State:
    """What is filtered out of the shown and of the automatic labels, slice by slice."""

    options: Any  # of whoever filters
    hidden: Mapping[Index, Change]
    automatic: Mapping[Index, Change]


@dataclass(eq=False)
class Step:
    """One filtering: what it did to the automatic labels, and its part of napari's history."""

    atoms: Sequence[Any]  # of an item of the history
    before: State
    after: State
    there: Mapping[Index, Change]  # the changes of the automatic labels
    back: Mapping[Index, Change]
    done: bool = True


class LayerFilter:
    """Takes small nuclei and those at the border out of a layer, and puts them back.

    The automatic labels, with which edits are compared, are filtered alike, so that what a filter
    takes out is not counted as deleted. Successive filterings are one step of the history.

    Parameters
    ----------
    layer, edits
        The labels and what follows their edits.
    options
        With which the labels were made.
    left_out : array
        The nuclei that these options have excluded, in the shape of the labels.
    followed : callable
        Called with the options that hold after an undo or redo.
    """

    def __init__(
        self,
        layer: Labels,
        edits: LayerEdits,
        options: Any,
        left_out: NDArray[Any],
        followed: Callable[[Any], None],
    ) -> None:
        self.edits, self._layer, self._followed = edits, ref(layer), followed
        hidden = _numbered(left_out, edits)
        self._state = State(options, hidden, hidden)
        self._steps: list[Step] = []
        layer.events.set_data.connect(self._follow)  # which holds this object weakly

    def apply(self, options: Any, *, min_area: float, clear_border: bool) -> None:
        """Filter the labels as they are now, as one undo step."""
        layer, edits = self._layer(), self.edits
        assert layer is not None
        if self._steps and self._steps[-1].done and _is_last(self._steps[-1], layer):
            self._state = self._steps[-1].before  # so that `_follow` has nothing to tell
            self._steps[-1].done = False
            self._shift(self._steps[-1].back)
            layer.undo()
        before = self._state
        filtered = partial(refilter, min_area=min_area, clear_border=clear_border)
        now, hidden, there, automatic, back = {}, {}, {}, {}, {}
        for plane in before.hidden:
            labels = edits.automatic(plane)
            there[plane], automatic[plane] = filtered(labels, before.automatic[plane])
            indices = there[plane].indices
            back[plane] = Change(indices, labels[indices], "filtered", ())
            now[plane], hidden[plane] = filtered(layer.data[plane], before.hidden[plane])
        self._state = State(options, hidden, automatic)
        depth = edits.strokes
        apply_planes(layer, now)
        atoms = tuple(layer._undo_history[-1]) if edits.strokes > depth else ()
        self._shift(there)
        self._steps.append(Step(atoms, before, self._state, there, back))

    def _follow(self, event: Any = None) -> None:
        """Undo or redo what belongs to a step that napari has undone or redone."""
        layer = self._layer()
        if layer is None or not self._steps or self.edits.stopped:
            return
        undoable = {id(atom) for item in layer._undo_history for atom in item}
        undone = {id(atom) for item in layer._redo_history for atom in item}
        state = self._state
        for step in reversed(self._steps):
            if step.done and any(id(atom) in undone for atom in step.atoms):
                step.done, self._state = False, step.before
                self._shift(step.back)
        for step in self._steps:
            if not step.done and any(id(atom) in undoable for atom in step.atoms):
                step.done, self._state = True, step.after
                self._shift(step.there)
        self._steps = [
            step
            for step in self._steps
            if step.done or any(id(atom) in undone for atom in step.atoms)
        ]
        if self._state is not state:
            self._followed(self._state.options)

    def _shift(self, changes: Mapping[Index, Change]) -> None:
        for plane, change in changes.items():
            self.edits.change_automatic(plane, change)
        self.edits.refresh_soon()


class Filters:
    """The filters of layers, each as long as the layer is followed and comes from one result."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[Labels, tuple[Any, LayerFilter]] = WeakKeyDictionary()

    def get(self, layer: Labels, edits: LayerEdits, result: object) -> LayerFilter | None:
        """Return the filter of a layer; None if it has none, or one of other labels."""
        made_of, made = self._made.get(layer, (None, None))
        return made if made is not None and made_of is result and made.edits is edits else None

    def begin(
        self,
        layer: Labels,
        edits: LayerEdits,
        result: object,
        options: Any,
        left_out: NDArray[Any],
        followed: Callable[[Any], None],
    ) -> None:
        """Make the filter of a layer; see `LayerFilter`."""
        self._made[layer] = result, LayerFilter(layer, edits, options, left_out, followed)


def _is_last(step: Step, layer: Labels) -> bool:
    """Tell whether nothing was edited since a step."""
    history = layer._undo_history
    return bool(history) and any(atom is step.atoms[0] for atom in history[-1] if step.atoms)


def _numbered(left_out: NDArray[Any], edits: LayerEdits) -> dict[Index, Change]:
    """Return nuclei that are not shown, slice by slice, with numbers that no other has."""
    numbered: dict[Index, Change] = {}
    for plane in np.ndindex(left_out.shape[:-2]):
        indices = np.nonzero(left_out[plane])
        ids, places = np.unique(left_out[plane][indices], return_inverse=True)
        first = edits.reserve(len(ids))
        values = (places + first).astype(left_out.dtype)
        numbered[plane] = Change(indices, values, "filtered", ())
    return numbered
