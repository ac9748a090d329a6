"""The results that the dock has made, as long as their layers live."""

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
from napari_snow_unet.segmentation.corrections.adding import Guide
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.reproduction import Recipe
from napari_snow_unet.segmentation.stack_result import (
    Plane,
    StackSegmentation,
    thresholds_of,
    was_changed,
)
from napari_snow_unet.widgets.common.layers import (
    Source,
    add_labels,
    forget_edits,
    pixels_of,
    source_of,
    unwrapped,
)
from napari_snow_unet.widgets.segment.region import RegionOfInterest
from napari_snow_unet.widgets.segment.result_names import Variant

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer


class Status(Enum):
    """Whether the labels of a result were edited; see `Results.status`."""

    UNTOUCHED = "untouched"
    EDITED = "edited"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Compared:
    """The comparison of all labels of a result with those segmented, made in a thread."""

    changes: int  # of its record at the start; later ones were not compared
    differs: bool


@dataclass(eq=False)
class Record:
    """A result in memory: its source, its probability map, and the number of changes."""

    image: ref[Image]  # the layer it was made from
    source: Source  # that layer, or the segmented region of it, as it was then
    model: str  # as `models.open_model` takes it
    probability: Any  # of nucleus times 255, uint8 (..., Y, X)
    planes: dict[Index, Plane]
    options: Options
    floor: float  # lower bound of the Otsu threshold
    pixel_size_um: float | None
    provenance: dict[str, Any]
    roi: RegionOfInterest | None = None  # None for all of the image
    mixed: bool = False  # whether slices were segmented with different options
    changes: int = 0  # events of napari: labels painted or replaced

    @property
    def threshold(self) -> float:
        """The threshold, averaged over planes."""
        return float(thresholds_of(self.planes)["threshold"])

    @property
    def variant(self) -> Variant:
        """The choices behind it, for its name."""
        return Variant.of(self.model, self.provenance, self.roi)

    def updated(self, result: StackSegmentation, options: Options) -> Record:
        """Return the record after some or all planes were segmented or labelled anew."""
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
        """Return the metadata of the layer."""
        return {"image": self.source.name, **self.provenance}

    def guide_of(self, plane: Index) -> Guide:
        """Return what a nucleus that a click adds grows in: the map and image of a slice."""
        return Guide(
            probability=self.probability[plane],
            threshold=self.planes[plane].threshold,
            pixels=self._pixels_under(plane),
            pixel_size_um=self.pixel_size_um,
        )

    def _pixels_under(self, plane: Index) -> Any:
        """Return the image under a slice, or the region of it, while it is what it was."""
        image = self.image()
        if image is None:
            return None
        source = source_of(image) if self.roi is None else source_of(image).cropped(self.roi.box)
        if source.shape != self.source.shape:
            return None
        top, left, bottom, right = self.roi.box if self.roi is not None else (0, 0, None, None)
        return pixels_of(image)[plane][top:bottom, left:right]


@dataclass(frozen=True, eq=False)
class RecordInFiles:
    """A result whose labels are stored in files, which sliders and brushes do not change."""

    image: ref[Image]
    recipe: Recipe
    roi: RegionOfInterest | None

    @property
    def variant(self) -> Variant:
        """The choices behind it, for its name."""
        return Variant.of(self.recipe.model, self.recipe.provenance, self.roi)


class Results:
    """The results of one dock by their layers; removed layers are ignored."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._made: WeakKeyDictionary[Labels, Record | RecordInFiles] = WeakKeyDictionary()

    def get(self, layer: Labels | None) -> Record | None:
        """Return the record of a layer that is a result of this dock in memory."""
        made = self._made_by(layer)
        return made if isinstance(made, Record) else None

    def written(self, layer: Labels | None) -> Recipe | None:
        """Return the recipe of labels in files that this dock has written."""
        made = self._made_by(layer)
        return made.recipe if isinstance(made, RecordInFiles) else None

    def of(self, image: Image | None) -> list[tuple[Labels, Record]]:
        """Return the results of an image in memory, latest first."""
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
        layer.selected_label = int(layer.data.max(initial=0)) + 1  # painting adds a nucleus
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
        """Show labels stored in files, in the layer that shows these files if there is one.

        Such a layer moves to the image, and is renamed if it showed the result of another image
        or model.
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
        """Show a result in the layer of an earlier one that was not edited.

        Planes of a stack that are not among `planes` are kept.
        """
        planes = list(planes)
        self._made.pop(layer, None)
        self._made[layer] = record  # the latest comes last
        if len(planes) < math.prod(record.source.shape[:-2]):
            new, labels = labels, layer.data
            for index in planes:
                labels[index] = new[index]
        layer.data = labels  # also for the same array, so that napari emits the change
        forget_edits(layer)
        layer.selected_label = int(labels.max(initial=0)) + 1
        layer.metadata = {**layer.metadata, PLUGIN: record.facts()}

    def take_options(self, layer: Labels, options: Options) -> None:
        """Note with which options the labels of an edited result are filtered."""
        record = self._made[layer]
        assert isinstance(record, Record)
        record.options = options
        record.provenance = {**record.provenance, "options": asdict(options)}
        facts = {**layer.metadata[PLUGIN], **record.facts()}
        layer.metadata = {**layer.metadata, PLUGIN: facts}

    def status(
        self, layer: Labels, shown: Index | None = None, compared: Compared | None = None
    ) -> Status:
        """Tell whether the labels of a result in memory were edited.

        EDITED if there are strokes to undo (the dock itself leaves none), the labels have another
        shape, or the plane `shown` differs from its segmentation: an unfinished stroke changes only
        the pixels.

        UNTOUCHED if all planes were `compared`, none differs, and no labels were painted or
        replaced since the comparison started.

        UNKNOWN otherwise: a script that writes pixels, or an undo, emits no event. Compare with
        `segmentation.stack_result.was_changed` to find out, in a thread if that takes long.
        """
        record = self._made[layer]
        assert isinstance(record, Record)
        undoable = getattr(layer, "_undo_history", ())
        if len(undoable) or tuple(layer.data.shape) != record.source.shape:
            return Status.EDITED
        segmented = {index: plane for index, plane in record.planes.items() if index == shown}
        if was_changed(layer.data, segmented):
            return Status.EDITED
        if compared is None or compared.changes != record.changes:
            return Status.UNKNOWN
        return Status.EDITED if compared.differs else Status.UNTOUCHED

    def _made_by(self, layer: Labels | None) -> Record | RecordInFiles | None:
        there = layer is not None and layer in self._viewer.layers
        return self._made.get(layer) if there else None

    def _all_of(self, image: Image | None) -> list[tuple[Labels, Record | RecordInFiles]]:
        """Return all results of an image, also those in files, oldest first."""
        return [
            (layer, made)
            for layer, made in self._made.items()
            if image is not None and made.image() is image and layer in self._viewer.layers
        ]

    def _suffix(self, made: Record | RecordInFiles) -> str:
        """Return the suffix that distinguishes a result from the others of its image."""
        return made.variant.suffix(other.variant for _, other in self._all_of(made.image()))

    def _count_changes(self, layer: Labels) -> None:
        results, counted = self._made, ref(layer)

        def changed(event: Any = None) -> None:
            layer = counted()
            record = results.get(layer) if layer is not None else None
            if isinstance(record, Record):
                record.changes += 1

        layer.events.paint.connect(changed)
        layer.events.data.connect(changed)
