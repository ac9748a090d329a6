"""The current result of the segment dock: its look, its description, and the sliders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.QtCore import QObject, QTimer, Signal

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.segmentation.corrections.adding import Guide
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.reproduction import Recipe
from napari_snow_unet.segmentation.stack_result import StackSegmentation, planes_in_words
from napari_snow_unet.widgets.common.layers import pixels_of, shown_plane, source_of, unwrapped
from napari_snow_unet.widgets.correct.surroundings import guide_by_image
from napari_snow_unet.widgets.segment import jobs, messages
from napari_snow_unet.widgets.segment.results import Compared, Record, Results, Status

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

    from napari_snow_unet.widgets.common.run_bar import RunBar
    from napari_snow_unet.widgets.segment.form import SegmentForm

OUTLINE = 2  # pixels
RELABEL_DELAY_MS = 60
QUIET_MS = 500  # shorter work shows no progress


class CurrentResult(QObject):
    """The result that the dock shows: kept, drawn, described, and labelled anew by the sliders.

    It emits `segmented` for a new probability map, and `shown` when a result is shown or was
    labelled anew.
    """

    segmented = Signal()
    shown = Signal()

    def __init__(self, viewer: Viewer, form: SegmentForm, bar: RunBar) -> None:
        super().__init__(bar)
        self._viewer, self._form, self._bar = viewer, form, bar
        self.results = Results(viewer)
        self._shown: ref[Labels] | None = None
        self._adding = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._relabel)
        for field in form.relabelling:
            field.changed.connect(self._relabel_soon)
        form.outlines.changed.connect(self.draw)

    @property
    def written(self) -> tuple[Labels, Recipe] | None:
        """The active layer and its recipe, if its labels are stored in files."""
        active = unwrapped(self._viewer.layers.selection.active)
        recipe = self.results.written(active)
        return None if recipe is None else (active, recipe)

    @property
    def result(self) -> tuple[Labels, Record] | None:
        """The result that the sliders change: the active layer, or else the latest of the image."""
        active = unwrapped(self._viewer.layers.selection.active)
        record = self.results.get(active)
        if record is not None:
            return active, record
        return next(iter(self.results.of(self._form.image.value)), None)

    @property
    def layer(self) -> Labels | None:
        """The layer of that result."""
        return None if self.result is None else self.result[0]

    def show(self) -> None:
        """Show the options of the current result if it is another one than before.

        While a folder is chosen, the options of the folder stay.
        """
        if self._adding:  # the new layer is not registered yet
            return
        result = self.result if self._of_layer else None
        before = self._shown() if self._shown is not None else None
        if result is not None and result[0] is not before:
            layer, record = result
            self._form.show_options(record.options, record.threshold)
            self._form.show_outlines(layer.contour > 0)
        self._shown = None if result is None else ref(result[0])
        self.shown.emit()

    def add(self, record: Record, labels: Any) -> Labels:
        """Show a result as a new layer without changing the form."""
        self._adding = True
        try:
            layer = self.results.add(record, labels)
        finally:
            self._adding = False
        self.draw(layer=layer)
        return layer

    def draw(self, event: Any = None, *, layer: Labels | None = None) -> None:
        """Draw a result, or the current one, filled or as outlines."""
        shown = layer or (self.written or (self.layer,))[0]
        if shown is not None:
            shown.contour = OUTLINE if self._form.outlines.value else 0

    @property
    def relabelling(self) -> bool:
        """Whether labels are about to follow a slider."""
        return self._timer.isActive()

    @property
    def _of_layer(self) -> bool:
        return self._form.chosen().of_layer

    def _relabel_soon(self) -> None:
        if not self._of_layer or self._timer.isActive():
            return
        if self._bar.running or self.layer is not None:
            self._timer.start(RELABEL_DELAY_MS)

    def _relabel(self) -> None:
        if not self._of_layer:
            return
        if self._bar.running:  # the slider has moved during the labelling
            self._timer.start(RELABEL_DELAY_MS)
            return
        if self.result is None:
            return
        layer, record = self.result
        was, now = record.options, self._form.options()
        now = replace(
            now,
            output=was.output,
            channel=was.channel,
            pixel_size_um=was.pixel_size_um,
            tile=was.tile,
            test_time_augmentation=was.test_time_augmentation,
        )
        if now.min_area_um2 is not None and record.pixel_size_um is None:
            self._bar.say(messages.AREA_OF_UNKNOWN_SIZE, problem=True)
            return
        steps = partial(
            jobs.relabel,
            record.probability,
            (layer.data, record.planes),
            now,
            floor=record.floor,
            pixel_size_um=record.pixel_size_um,
            region=None if record.roi is None else record.roi.region,
        )
        self._bar.start(
            steps,
            title=messages.labelling(record.source.name),
            on_done=partial(self._relabelled, ref(layer), record, record.changes, now),
            quiet_ms=QUIET_MS,
        )

    def _relabelled(
        self,
        target: ref[Labels],
        record: Record,
        changes: int,
        options: Options,
        relabelled: tuple[StackSegmentation, bool],
    ) -> None:
        layer, (result, differs) = target(), relabelled
        if layer is None or self.results.get(layer) is not record:
            return
        updated = record.updated(result, options)
        shown, compared = self.plane_shown(record.image()), Compared(changes, differs)
        if self.results.status(layer, shown, compared) is Status.UNTOUCHED:
            self.results.rewrite(layer, updated, result.labels, result.planes)
        else:
            layer = self.add(updated, result.labels)
            self.segmented.emit()
        self.describe(layer, updated, result)

    def describe(
        self, layer: Labels, record: Record, result: StackSegmentation, *notes: str
    ) -> None:
        """Describe a result in words, and show its threshold."""
        self._shown = ref(layer)
        self._form.show_threshold(record.threshold)
        text = [
            *in_words(layer, result.summary, record.options),
            *self._left_out(record),
            *result.messages,
            *as_stored(record.provenance),
        ]
        self._bar.say("\n".join([" ".join(text), *notes]))
        self.shown.emit()

    def _left_out(self, record: Record) -> list[str]:
        done = planes_in_words(record.planes, record.source.shape)
        every = self._form.source.all_slices.value
        return [messages.rest_of_stack(done)] if done and not every else []

    def guide_of(self, layer: Labels, plane: Index) -> Guide:
        """Return what a nucleus that a click adds grows in: the map and image of a result.

        For other labels it is the image under them.
        """
        record = self.results.get(layer)
        if record is None or plane not in record.planes:
            return guide_by_image(self._viewer, layer, plane)
        return Guide(
            probability=record.probability[plane],
            threshold=record.planes[plane].threshold,
            pixels=_pixels_under(record, plane),
            pixel_size_um=record.pixel_size_um,
        )

    def plane_shown(self, image: Image | None) -> Index | None:
        """Return the plane of an image that napari shows, if there is one."""
        if image is None:
            return None
        try:
            return shown_plane(self._viewer, image)
        except InputError:
            return None


def in_words(layer: Labels, summary: str, options: Options) -> list[str]:
    """Return the summary of a result, and whether its threshold was set by hand."""
    by_hand = [] if options.threshold == "otsu" else [messages.BY_HAND]
    return [f"{layer.name}: {summary}.", *by_hand]


def as_stored(facts: Mapping[str, Any]) -> list[str]:
    """Say that labels match pixels that other programs show rotated, if they do."""
    return [messages.as_stored(facts["unturned"])] if "unturned" in facts else []


def _pixels_under(record: Record, plane: Index) -> Any:
    """Return the image under a slice, or the region of it, while it is what it was."""
    image = record.image()
    if image is None:
        return None
    source = source_of(image)
    if record.roi is not None:
        source = source.cropped(record.roi.box)
    if source.shape != record.source.shape:
        return None
    pixels = pixels_of(image)[plane]
    if record.roi is None:
        return pixels
    top, left, bottom, right = record.roi.box
    return pixels[top:bottom, left:right]
