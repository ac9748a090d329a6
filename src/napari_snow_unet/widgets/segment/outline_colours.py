"""Outlines of a prediction and a truth in one colour each, for as long as both are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from napari_snow_unet.metrics.scores.objects import ERROR_COLOURS, FALSE_NEGATIVE, FALSE_POSITIVE

if TYPE_CHECKING:
    from napari.layers import Labels

OUTLINE = 2  # pixels
#: Those of the errors layer for what is in the prediction only and in the truth only.
COLOURS = {
    "prediction": ERROR_COLOURS[FALSE_POSITIVE],
    "truth": ERROR_COLOURS[FALSE_NEGATIVE],
}


@dataclass(eq=False)
class _Dress:
    """How a layer was drawn before, and how it is drawn since."""

    role: str
    colormap: Any
    contour: int
    own: Any


class OutlineColours:
    """Draws two layers as outlines of one colour each, and gives back how they were drawn before.

    What somebody else has changed meanwhile is left as it is.
    """

    def __init__(self) -> None:
        self._dressed: WeakKeyDictionary[Labels, _Dress] = WeakKeyDictionary()

    def show(self, prediction: Labels | None, truth: Labels | None) -> None:
        """Draw these two, and no others any more; both are None where nothing is compared."""
        wanted = {"prediction": prediction, "truth": truth}
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
        if dress.role == "truth" and layer.contour == (dress.contour or OUTLINE):
            layer.contour = dress.contour  # that of a prediction follows the box
