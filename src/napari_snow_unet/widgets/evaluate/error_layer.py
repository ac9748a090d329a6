"""Labels that show where prediction and ground truth agree and differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from napari_snow_unet.metrics.scores.objects import ERROR_COLOURS, ERROR_NAMES
from napari_snow_unet.widgets.common.comparison import ERRORS_OF
from napari_snow_unet.widgets.common.layers import Source, add_labels, forget_edits, source_of
from napari_snow_unet.widgets.common.watched_layers import WatchedLayers

if TYPE_CHECKING:
    from napari.layers import Labels, Layer
    from napari.viewer import Viewer

SUFFIX = "errors"
OPACITY = 1  # the colours match the legend


class ErrorLayers:
    """The error layers of one dock, one for each pair of compared layers."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        # The compared layers, and whether a user has edited their errors since.
        self._shown: WeakKeyDictionary[Labels, tuple[Any, WatchedLayers]] = WeakKeyDictionary()

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
        else:
            self._shown[layer][1].stop()
            layer.data = errors
            forget_edits(layer)
        watched = WatchedLayers(self._viewer, [ref(layer)], lambda: None, moves=False)
        self._shown[layer] = (prediction, truth), watched
        return layer

    def _layer_of(self, pair: tuple[Any, Any], source: Source) -> Labels | None:
        for layer, (layers, watched) in self._shown.items():
            same = layers == pair and source_of(layer).lies_like(source)
            if same and not watched.changed:  # neither edited nor removed
                return layer
        return None

    def _colour(self, layer: Labels) -> None:
        from napari.utils.colormaps import DirectLabelColormap

        colours: dict[Any, str] = {None: "transparent", 0: "transparent", **ERROR_COLOURS}
        layer.colormap = DirectLabelColormap(color_dict=colours)
        layer.opacity = OPACITY
        layer.features = {"index": list(ERROR_NAMES), "error": list(ERROR_NAMES.values())}
