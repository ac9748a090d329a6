"""What the dock knows of the results it has made, for as long as their layers live."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
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


class Status(Enum):
    """Whether the labels of a result are still those that were found; see `Results.status`."""

    UNTOUCHED = "those that were found"
    EDITED = "others"
    UNKNOWN = "to be compared"


@dataclass(frozen=True)
class Compared:
    """How the labels of a result compared with what was found, all of them, in a thread."""

    changes: int  # of its record when it began: of later ones it says nothing
    differs: bool


@dataclass(eq=False)
class Record:
    """A result in memory: its source, its probability map, and how often it was changed."""

    image: ref[Image]  # the layer it was made from
    source: Source  # that layer, or the region of it that was segmented, as it was then
    model: str  # as `models.open_model` takes it
    probability: Any  # of nucleus times 255, uint8 (..., Y, X)
    planes: dict[Index, Plane]
    options: Options
    floor: float  # the smallest probability at which Otsu's method may cut
    pixel_size_um: float | None
    provenance: dict[str, Any]
    roi: RegionOfInterest | None = None  # None for all of the image
    mixed: bool = False  # whether slices were found with different choices
    changes: int = 0  # how often napari has told that the labels were painted in or exchanged

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
        probability, some_stay = result.probability, set(planes) != set(result.planes)
        if some_stay:
            probability = self.probability
            for index in result.planes:
                probability[index] = result.probability[index]
        provenance = {
            **self.provenance,
            **result.provenance,
            "options": asdict(options),
            **thresholds_of(planes),
        }
        precision = self.provenance.get("precision")
        same = options == self.options and precision == provenance.get("precision")
        return replace(
            self,
            probability=probability,
            planes=planes,
            options=options,
            provenance=provenance,
            mixed=some_stay and (self.mixed or not same),
        )

    def facts(self) -> dict[str, Any]:
        """Return what the layer's metadata say."""
        return {"image": self.source.name, **self.provenance}


@dataclass(frozen=True, eq=False)
class RecordInFiles:
    """A result whose labels lie in files: neither a slider nor a brush changes these."""

    image: ref[Image]
    recipe: Recipe
    roi: RegionOfInterest | None

    @property
    def variant(self) -> Variant:
        """What it was made with, for its name."""
        return Variant.of(self.recipe.model, self.recipe.provenance, self.roi)


class Results:
    """The results of one dock by their layers; of layers that were removed it says nothing."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._made: WeakKeyDictionary[Labels, Record | RecordInFiles] = WeakKeyDictionary()

    def get(self, layer: Labels | None) -> Record | None:
        """Return the record of a layer, if it is a result of this dock in memory."""
        made = self._known(layer)
        return made if isinstance(made, Record) else None

    def written(self, layer: Labels | None) -> Recipe | None:
        """Return what labels in files were made from, if this dock has written them."""
        made = self._known(layer)
        return made.recipe if isinstance(made, RecordInFiles) else None

    def of(self, image: Image | None) -> list[tuple[Labels, Record]]:
        """Return the results of an image in memory, the latest first."""
        return [
            (layer, made)
            for layer, made in reversed(self._all_of(image))
            if isinstance(made, Record)
        ]

    def add(self, record: Record, labels: Any) -> Labels:
        """Show a result as a new layer."""
        suffix = self._suffix(record)
        layer = add_labels(self._viewer, labels, record.source, suffix, record.facts())
        self._made[layer] = record
        self._count_changes(layer)
        return layer

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
        another image or model.
        """
        made = RecordInFiles(image, recipe, roi)
        facts = {"image": source.name, **recipe.provenance, "labels": str(path)}
        layer = next(
            (
                unwrapped(layer)
                for layer in self._viewer.layers
                if layer.metadata.get(PLUGIN, {}).get("labels") == str(path)
            ),
            None,
        )
        if layer is None:
            layer = add_labels(self._viewer, list(levels), source, self._suffix(made), facts)
        else:
            layer.data = list(levels)
            layer.metadata = {**layer.metadata, PLUGIN: facts}
            for name, value in source.placement.items():
                setattr(layer, name, value)
            former = self._made.pop(layer, None)
            if former is None or (former.image, former.variant) != (image, made.variant):
                layer.name = f"{source.name} {self._suffix(made)}"
        self._made[layer] = made
        return layer

    def rewrite(self, layer: Labels, record: Record, labels: Any, planes: Iterable[Index]) -> None:
        """Show a result in the layer of an earlier one, which nobody has edited.

        Planes of a stack that are not among `planes` stay as they are.
        """
        planes = list(planes)
        self._made.pop(layer, None)
        self._made[layer] = record  # the latest comes last
        if len(planes) < math.prod(record.source.shape[:-2]):
            found, labels = labels, layer.data
            for index in planes:
                labels[index] = found[index]
        layer.data = labels  # also where they are the same array: who measures it is told
        forget_edits(layer)
        layer.metadata = {**layer.metadata, PLUGIN: record.facts()}

    def status(
        self, layer: Labels, shown: Index | None = None, compared: Compared | None = None
    ) -> Status:
        """Tell whether the labels of a result in memory are still those that were found.

        EDITED where that shows at once: napari has strokes to undo (there are none when the dock
        has written), the labels have another shape, or the plane `shown`, in which somebody may be
        drawing, differs from what was found in it: of a stroke that is not ended only the pixels
        tell.

        UNTOUCHED where besides all planes were `compared`, none of them differs, and nobody has
        painted in or exchanged labels since that began.

        UNKNOWN otherwise: what a script writes into the pixels, or what was undone, is told of by
        nobody. To settle it, compare (`segmentation.stack_result.was_changed`), for long in a
        thread.
        """
        record = self._made[layer]
        assert isinstance(record, Record)
        undoable = getattr(layer, "_undo_history", ())
        if len(undoable) or tuple(layer.data.shape) != record.source.shape:
            return Status.EDITED
        found = {index: plane for index, plane in record.planes.items() if index == shown}
        if was_changed(layer.data, found):
            return Status.EDITED
        if compared is None or compared.changes != record.changes:
            return Status.UNKNOWN
        return Status.EDITED if compared.differs else Status.UNTOUCHED

    def _known(self, layer: Labels | None) -> Record | RecordInFiles | None:
        there = layer is not None and layer in self._viewer.layers
        return self._made.get(layer) if there else None

    def _all_of(self, image: Image | None) -> list[tuple[Labels, Record | RecordInFiles]]:
        """Return the results of an image, those in files too, in the order of their making."""
        return [
            (layer, made)
            for layer, made in self._made.items()
            if image is not None and made.image() is image and layer in self._viewer.layers
        ]

    def _suffix(self, made: Record | RecordInFiles) -> str:
        """Return the end of a name that tells a result from those of its image that are there."""
        return made.variant.suffix(other.variant for _, other in self._all_of(made.image()))

    def _count_changes(self, layer: Labels) -> None:
        results, known = self._made, ref(layer)

        def changed(event: Any = None) -> None:
            layer = known()
            record = results.get(layer) if layer is not None else None
            if isinstance(record, Record):
                record.changes += 1

        layer.events.paint.connect(changed)
        layer.events.data.connect(changed)
