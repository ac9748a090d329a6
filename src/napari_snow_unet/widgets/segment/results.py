"""What the dock knows of the results it has made, for as long as their layers live."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.reproduction import Recipe
from napari_snow_unet.segmentation.stack_result import (
    Plane,
    StackSegmentation,
    thresholds_of,
    was_changed,
)
from napari_snow_unet.widgets.common.layers import Source, add_labels, forget_edits, unwrapped
from napari_snow_unet.widgets.segment.region import RegionOfInterest
from napari_snow_unet.widgets.segment.result_names import Variant

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer


@dataclass(eq=False)
class Record:
    """A result: its source, its probability map, and whether somebody's hand was on it.

    Attributes
    ----------
    image : weak reference to napari.layers.Image
        The layer it was made from.
    source : Source
        That layer, or the region of it that was segmented, as it was then.
    model : str
        The model, as `models.open_model` takes it.
    probability : ndarray of uint8, shape (..., Y, X)
        Probability of nucleus times 255.
    planes : dict from tuple of int to Plane
        What was found.
    options : Options
        What the person had chosen.
    floor : float
        Smallest probability at which Otsu's method may cut.
    pixel_size_um : float or None
        Micrometres per pixel, if known.
    provenance : dict
        How it came about.
    roi : RegionOfInterest or None
        The region of the image it is of; None for all of it.
    mixed : bool
        Whether slices were found with different choices.
    edits : int
        How often the labels were painted in or exchanged by others since they were last known to be
        those that were found.
    """

    image: ref[Image]
    source: Source
    model: str
    probability: Any
    planes: dict[Index, Plane]
    options: Options
    floor: float
    pixel_size_um: float | None
    provenance: dict[str, Any]
    roi: RegionOfInterest | None = None
    mixed: bool = False
    edits: int = 0
    writing: bool = field(default=False, repr=False)

    @property
    def edited(self) -> bool:
        """Whether the labels may be others than those found; then they are never rewritten."""
        return self.edits > 0

    @property
    def threshold(self) -> float:
        """The threshold that was used, averaged over planes."""
        return float(thresholds_of(self.planes)["threshold"])

    @property
    def variant(self) -> Variant:
        """What it was made with, for its name."""
        return Variant.of(self.model, self.provenance, self.roi)

    def updated(self, result: StackSegmentation, options: Options) -> Record:
        """Return the record after some or all planes were found or labelled anew."""
        planes = {**self.planes, **result.planes}
        probability = result.probability
        if set(planes) != set(result.planes):
            probability = self.probability
            for index in result.planes:
                probability[index] = result.probability[index]
        provenance = {
            **self.provenance,
            **result.provenance,
            "options": asdict(options),
            **thresholds_of(planes),
        }
        others = set(planes) != set(result.planes)
        precision = self.provenance.get("precision")
        same = options == self.options and precision == provenance.get("precision")
        return replace(
            self,
            probability=probability,
            planes=planes,
            options=options,
            provenance=provenance,
            mixed=others and (self.mixed or not same),
        )

    def facts(self) -> dict[str, Any]:
        """Return what the layer's metadata say."""
        return {"image": self.source.name, **self.provenance}


class Results:
    """The results of one dock, addressed by their layers.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Where the layers are.
    """

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._records: WeakKeyDictionary[Labels, Record] = WeakKeyDictionary()
        self._written: WeakKeyDictionary[Labels, Recipe] = WeakKeyDictionary()
        self._variants: WeakKeyDictionary[Labels, tuple[ref[Image], Variant]] = WeakKeyDictionary()

    def get(self, layer: Any) -> Record | None:
        """Return the record of a layer, if it is a result of this dock."""
        return self._records.get(layer) if layer is not None else None

    def written(self, layer: Any) -> Recipe | None:
        """Return what labels in files were made from, if this dock has written them."""
        return self._written.get(layer) if layer is not None else None

    def of(self, image: Image | None) -> list[tuple[Labels, Record]]:
        """Return the results of an image whose layers are still in the viewer, the latest first."""
        found = [
            (layer, record)
            for layer, record in self._records.items()
            if image is not None and record.image() is image and layer in self._viewer.layers
        ]
        return found[::-1]

    def add(self, record: Record, labels: Any) -> Labels:
        """Show a result as a new layer."""
        suffix = self._suffix(record.image, record.variant)
        layer = add_labels(self._viewer, labels, record.source, suffix, record.facts())
        self._variants[layer] = record.image, record.variant
        self._watch(layer, record)
        return layer

    def _suffix(self, image: ref[Image], variant: Variant) -> str:
        """Return the end of a name that tells a result from those of its image that are there."""
        known = image()
        return variant.suffix(
            other
            for layer, (of, other) in self._variants.items()
            if known is not None and of() is known and layer in self._viewer.layers
        )

    def add_written(
        self,
        image: ref[Image],
        source: Source,
        recipe: Recipe,
        roi: RegionOfInterest | None,
        path: Path,
        levels: Sequence[Any],
    ) -> Labels:
        """Show labels that lie in files, in the layer that shows these files already if any does.

        Such a layer gets the place of the image, and another name where it showed the result of
        another image or model. They are no record: neither a slider nor a brush changes what lies
        on disk.
        """
        facts = {"image": source.name, **recipe.provenance, "labels": str(path)}
        variant = Variant.of(recipe.model, recipe.provenance, roi)
        layer = next(
            (
                unwrapped(layer)
                for layer in self._viewer.layers
                if layer.metadata.get(PLUGIN, {}).get("labels") == str(path)
            ),
            None,
        )
        if layer is None:
            suffix = self._suffix(image, variant)
            layer = add_labels(self._viewer, list(levels), source, suffix, facts)
        else:
            layer.data = list(levels)
            layer.metadata = {**layer.metadata, PLUGIN: facts}
            for name, value in source.placement.items():
                setattr(layer, name, value)
            if self._variants.pop(layer, None) != (image, variant):
                layer.name = f"{source.name} {self._suffix(image, variant)}"
        self._written[layer], self._variants[layer] = recipe, (image, variant)
        return layer

    def rewrite(self, layer: Labels, record: Record, labels: Any, planes: Iterable[Index]) -> None:
        """Show a result in the layer of an earlier one, which nobody has edited.

        Planes of a stack that are not among `planes` stay as they are.
        """
        planes = list(planes)
        self._records.pop(layer, None)
        self._records[layer] = record  # the latest comes last
        record.writing = True
        try:
            if len(planes) < math.prod(record.source.shape[:-2]):
                found, labels = labels, layer.data
                for index in planes:
                    labels[index] = found[index]
            layer.data = labels  # also where they are the same array: who measures it is told
            forget_edits(layer)
        finally:
            record.writing = False
        layer.metadata = {**layer.metadata, PLUGIN: record.facts()}

    def may_rewrite(self, layer: Labels | None, shown: Index | None = None) -> bool:
        """Tell whether a layer is a result of this dock as the dock has left it.

        Parameters
        ----------
        layer : napari.layers.Labels or None
            The layer.
        shown : tuple of int, optional
            A plane to compare pixel by pixel: the one in which somebody may be drawing.
        """
        record = self.get(layer)
        if record is None or record.edited or not self.may_be_unchanged(layer):
            return False
        if shown in record.planes and was_changed(layer.data, {shown: record.planes[shown]}):
            record.edits += 1
        return not record.edited

    def may_be_unchanged(self, layer: Labels | None) -> bool:
        """Tell whether a layer is a result of this dock in which nothing is left to be undone.

        Whether its labels are those that were found is only known once they have been compared.
        """
        record = self.get(layer)
        if layer is None or record is None or layer not in self._viewer.layers:
            return False
        undoable = getattr(layer, "_undo_history", ())  # emptied whenever the dock writes
        return not len(undoable) and tuple(layer.data.shape) == record.source.shape

    def mark_compared(self, layer: Labels | None, edits: int, *, changed: bool) -> None:
        """Note whether labels were changed by hand, once they have been compared.

        Parameters
        ----------
        layer : napari.layers.Labels or None
            The layer.
        edits : int
            The edits of its record when the comparison began: of later ones it says nothing.
        changed : bool
            Whether the labels were others than those found.
        """
        record = self.get(layer)
        if record is not None and (changed or record.edits == edits):
            record.edits = max(record.edits, 1) if changed else 0

    def _watch(self, layer: Labels, record: Record) -> None:
        records, known = self._records, ref(layer)
        records[layer] = record

        def edited(event: Any = None) -> None:
            layer = known()
            record = records.get(layer) if layer is not None else None
            if record is not None and not record.writing:
                record.edits += 1

        layer.events.paint.connect(edited)
        layer.events.data.connect(edited)
