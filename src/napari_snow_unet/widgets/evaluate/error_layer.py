"""Labels that show where prediction and ground truth agree and differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from napari_snow_unet.metrics.scores.objects import ERROR_COLOURS, ERROR_NAMES
from napari_snow_unet.widgets.common.comparison import ERRORS_OF
from napari_snow_unet.widgets.common.layers import Source, add_labels, forget_edits, source_of

if TYPE_CHECKING:
    from napari.layers import Labels, Layer
    from napari.viewer import Viewer

SUFFIX = "errors"
OPACITY = 1  # the colours match the legend


class ErrorLayers:
    """The error layers of one dock, one for each pair of compared layers."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._pairs: WeakKeyDictionary[Labels, tuple[Any, Any]] = WeakKeyDictionary()
        self._writing = False

    def show(
        self,
        errors: Any,  # uint8 (..., Y, X), from `scores.objects.error_map`
        source: Source,  # the prediction when Run was clicked
        prediction: ref[Layer],
        truth: ref[Layer],
        truth_name: str,
    ) -> Labels:
        """Show errors in a new layer, or in the unedited layer of the same pair."""
        layer = self._layer_of((prediction, truth), source)
        if layer is None:
            facts = {ERRORS_OF: source.name, "truth": truth_name}
            layer = add_labels(self._viewer, errors, source, SUFFIX, facts)
            self._colour(layer)
            self._watch(layer)
        else:
            self._rewrite(layer, errors)
        self._pairs[layer] = (prediction, truth)
        return layer

    def _layer_of(self, pair: tuple[Any, Any], source: Source) -> Labels | None:
        for layer, layers in self._pairs.items():
            if (
                layers == pair
                and layer in self._viewer.layers
                and source_of(layer).lies_like(source)
            ):
                return layer
        return None

    def _rewrite(self, layer: Labels, errors: Any) -> None:
        self._writing = True
        try:
            layer.data = errors
            forget_edits(layer)
        finally:
            self._writing = False

    def _colour(self, layer: Labels) -> None:
        from napari.utils.colormaps import DirectLabelColormap

        colours: dict[Any, str] = {None: "transparent", 0: "transparent", **ERROR_COLOURS}
        layer.colormap = DirectLabelColormap(color_dict=colours)
        layer.opacity = OPACITY
        layer.features = {"index": list(ERROR_NAMES), "error": list(ERROR_NAMES.values())}

    def _watch(self, layer: Labels) -> None:
        pairs, watched, me = self._pairs, ref(layer), ref(self)

        def edited(event: Any = None) -> None:
            layer, errors = watched(), me()
            if layer is not None and not (errors is not None and errors._writing):
                pairs.pop(layer, None)  # user-edited: never overwritten

        layer.events.paint.connect(edited)
        layer.events.data.connect(edited)
