"""The current result against ground truth: scores that follow the slider, and colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from qtpy.QtCore import QObject

from napari_snow_unet.data.pixels.axes import as_in_file
from napari_snow_unet.widgets.common.comparison import (
    labels_layers_in,
    measured_pixels,
    why_not_compare,
)
from napari_snow_unet.widgets.common.scoring import Comparison
from napari_snow_unet.widgets.common.watched_layers import SettlingLayers
from napari_snow_unet.widgets.segment.current_result import OUTLINE
from napari_snow_unet.widgets.segment.form import COLOURS, NO_TRUTH

if TYPE_CHECKING:
    from napari.layers import Labels
    from napari.viewer import Viewer

    from napari_snow_unet.widgets.segment.current_result import CurrentResult
    from napari_snow_unet.widgets.segment.form import SegmentForm


class SegmentScores(QObject):
    """Counts the current probability map once per ground truth, for scores at any threshold."""

    def __init__(self, viewer: Viewer, form: SegmentForm, current: CurrentResult) -> None:
        super().__init__(form)
        self._viewer, self._form, self._current = viewer, form, current
        self._counted: tuple[Any, ...] | None = None
        self._painted = SettlingLayers(self, viewer, lambda: form.live.ask(None), self._recount)
        self._form.live.hide()
        form.truth.changed.connect(self.update)
        form.source.kind.changed.connect(self.refresh_layers)
        current.shown.connect(self.update)
        current.segmented.connect(self._count_again)

    def refresh_layers(self, event: Any = None) -> None:
        """Offer the Labels layers except results of this dock, and keep the chosen one."""
        box = self._form.truth
        chosen = box.value
        layers = [
            each
            for each in labels_layers_in(self._viewer)
            if self._current.results.get(each) is None
        ]
        with box.changed.blocked():
            box.choices = ()
            box.choices = [(NO_TRUTH, NO_TRUTH), *((layer.name, layer) for layer in layers)]
            if any(chosen is layer for layer in layers):
                box.value = chosen
        self._form.set_row_visible(box, bool(layers) and self._of_layer)
        self.update()

    def update(self, event: Any = None) -> None:
        """Show the scores of the current result against the chosen ground truth."""
        live, truth = self._form.live, self._form.truth.value
        result = self._current.result
        live.setVisible(truth not in (None, NO_TRUTH) and self._of_layer)
        self._painted.watch([] if truth in (None, NO_TRUTH) else [ref(truth)])
        if truth in (None, NO_TRUTH) or result is None:
            self._counted = None
            live.ask(None)
            return
        layer, record = result
        wanted = (record.probability, tuple(record.planes), truth)
        if self._counted is not None and all(
            one is other or (isinstance(one, tuple) and one == other)
            for one, other in zip(wanted, self._counted, strict=True)
        ):
            live.update_scores()
            return
        self._counted = wanted
        problem = why_not_compare(layer, truth, pixel_by_pixel=None)
        if problem:
            live.ask(None)
            live.show_text(problem, problem=True)
            return
        shape, planes = as_in_file(tuple(record.probability.shape), record.planes)
        live.ask(
            Comparison(
                record.probability.reshape(shape),
                measured_pixels(truth),
                planes,
                threshold=record.threshold,
                floor=record.floor,
            )
        )

    @property
    def compared(self) -> tuple[Labels, Labels] | None:
        """The current result and the chosen ground truth, if there are both."""
        layer, truth = self._current.layer, self._form.truth.value
        if layer is None or truth in (None, NO_TRUTH) or not self._of_layer:
            return None
        return layer, truth

    @property
    def _of_layer(self) -> bool:
        return self._form.chosen().of_layer

    def stop(self) -> None:
        """Stop counting."""
        self._painted.watch([])
        self._form.live.ask(None)

    def _recount(self) -> None:
        self._counted = None
        self.update()

    def _count_again(self) -> None:
        self._counted = None
        self.refresh_layers()  # the result is registered only now


@dataclass(eq=False)
class _Dress:
    """The original look of a layer, and its present colours."""

    role: str
    colormap: Any
    contour: int
    own: Any


class OutlineColours:
    """Draws two layers as outlines of one colour each, and restores their look afterwards.

    Changes that others have made meanwhile are kept.
    """

    def __init__(self) -> None:
        self._dressed: WeakKeyDictionary[Labels, _Dress] = WeakKeyDictionary()

    def show(self, prediction: Labels | None, truth: Labels | None) -> None:
        """Colour these two layers and restore others; both are None if nothing is compared."""
        wanted = {"prediction": prediction, "ground truth": truth}
        for layer, dress in list(self._dressed.items()):
            if wanted[dress.role] is not layer:
                self._undress(layer)
        for role, layer in wanted.items():
            if layer is not None and layer not in self._dressed:
                self._colour(layer, role)

    def _colour(self, layer: Labels, role: str) -> None:
        from napari.utils.colormaps import DirectLabelColormap

        former = layer.colormap, layer.contour
        layer.colormap = DirectLabelColormap(color_dict={None: COLOURS[role], 0: "transparent"})
        layer.contour = layer.contour or OUTLINE
        self._dressed[layer] = _Dress(role, *former, layer.colormap)

    def _undress(self, layer: Labels) -> None:
        dress = self._dressed.pop(layer)
        if layer.colormap is dress.own:
            layer.colormap = dress.colormap
        if dress.role == "ground truth" and layer.contour == (dress.contour or OUTLINE):
            layer.contour = dress.contour  # that of a prediction follows Outlines only
