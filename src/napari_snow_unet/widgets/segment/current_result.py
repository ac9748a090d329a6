"""The current result of the segment dock: its look, its description, and the sliders."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.QtCore import QObject, QTimer, Signal

from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.segmentation.corrections.adding import Guide
from napari_snow_unet.segmentation.corrections.tally import recounted
from napari_snow_unet.segmentation.messages import UNKNOWN_SIZE
from napari_snow_unet.segmentation.options import Options, smallest_area_px
from napari_snow_unet.segmentation.reproduction import Recipe
from napari_snow_unet.segmentation.stack_result import StackSegmentation, planes_in_words
from napari_snow_unet.widgets.common.layers import unwrapped
from napari_snow_unet.widgets.correct.applying import why_not
from napari_snow_unet.widgets.correct.filtering import Filters
from napari_snow_unet.widgets.correct.surroundings import guide_by_image, image_under
from napari_snow_unet.widgets.correct.toolbar import Corrections
from napari_snow_unet.widgets.segment import jobs, messages
from napari_snow_unet.widgets.segment.results import Compared, Record, Results, Status
from napari_snow_unet.widgets.segment.state import as_stored, in_words, plane_shown

if TYPE_CHECKING:
    from napari.layers import Image, Labels, Layer
    from napari.viewer import Viewer

    from napari_snow_unet.widgets.common.run_bar import RunBar
    from napari_snow_unet.widgets.segment.form import SegmentForm

OUTLINE = 2  # pixels
RELABEL_DELAY_MS = 60
OF_A_RUN = ("output", "channel", "pixel_size_um", "tile", "test_time_augmentation")
LIMITS = ("min_area", "min_area_um2", "clear_border")  # options that filter nuclei
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
        self._corrections: Corrections | None = None
        self._filters = Filters()
        self._adding = self._by_hand = False  # whether edits by hand were described last
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._relabel)
        for field in form.relabelling:
            field.changed.connect(self._relabel_soon)
        form.outlines.changed.connect(self.draw)

    def follow_edits(self, corrections: Corrections) -> None:
        """Let counts and sliders follow the edits that are made by hand."""
        self._corrections = corrections
        corrections.counted.connect(self._recount)

    @property
    def active(self) -> Layer | None:
        """The active layer."""
        return unwrapped(self._viewer.layers.selection.active)

    @property
    def written(self) -> tuple[Labels, Recipe] | None:
        """The active layer and its recipe, if its labels are stored in files."""
        recipe = self.results.written(self.active)
        return None if recipe is None else (self.active, recipe)

    @property
    def result(self) -> tuple[Labels, Record] | None:
        """The result that the sliders change: the active layer, or else the latest of the image."""
        record = self.results.get(self.active)
        if record is not None:
            return self.active, record
        return next(iter(self.results.of(self._form.image.value)), None)

    @property
    def layer(self) -> Labels | None:
        """The layer of that result."""
        return None if self.result is None else self.result[0]

    def show(self) -> None:
        """Show options and counts if the result is another one; those of a folder stay."""
        if self._adding:  # the new layer is not registered yet
            return
        result = self.result if self._form.chosen().of_layer else None
        before = self._shown() if self._shown is not None else None
        self._shown = None if result is None else ref(result[0])
        if result is not None and result[0] is not before:
            layer, record = result
            self._form.show_options(record.options, record.threshold)
            self._form.show_outlines(layer.contour > 0)
            self._recount(layer, chosen=True)
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

    def _relabel_soon(self) -> None:
        if not self._form.chosen().of_layer or self._timer.isActive():
            return
        if self._bar.running or self.layer is not None:
            self._timer.start(RELABEL_DELAY_MS)

    def _relabel(self) -> None:
        if not self._form.chosen().of_layer:
            return
        if self._bar.running:  # the slider has moved during the labelling
            self._timer.start(RELABEL_DELAY_MS)
            return
        if self.result is None:
            return
        layer, record = self.result
        now = self._wanted(record)
        if now.min_area_um2 is not None and record.pixel_size_um is None:
            self._bar.say(messages.AREA_OF_UNKNOWN_SIZE, problem=True)
            return
        if self.is_edited(layer):
            self._refilter(layer, record, now)
            return
        earlier = layer.data, record.planes
        steps = partial(jobs.relabel, record.probability, earlier, now, **_terms(record))
        title = messages.labelling(record.source.name)
        done = partial(self._relabelled, ref(layer), record, record.changes, now)
        self._bar.start(steps, title=title, on_done=done, quiet_ms=QUIET_MS)

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
        shown, compared = plane_shown(self._viewer, record.image()), Compared(changes, differs)
        if self.results.status(layer, shown, compared) is Status.UNTOUCHED:
            self.results.rewrite(layer, updated, result.labels, result.planes)
            self.describe(layer, updated, result)
        else:
            self._refilter(layer, record, options)

    def _wanted(self, record: Record) -> Options:
        """Return the options of the form, but for those that need another run."""
        fixed = {name: getattr(record.options, name) for name in OF_A_RUN}
        return replace(self._form.options(), **fixed)

    def is_edited(self, layer: Labels) -> bool:
        """Tell whether the labels of a result are known to be edited."""
        record = self.results.get(layer)
        shown = None if record is None else plane_shown(self._viewer, record.image())
        by_tools = self._corrections is not None and self._corrections.edits(layer).is_edited
        return by_tools or self.results.status(layer, shown) is Status.EDITED

    def _refilter(
        self, layer: Labels, record: Record, wanted: Options, left_out: Any = None
    ) -> None:
        """Apply minimum area and border to edited labels; other options need another run."""
        limits = {name: getattr(wanted, name) for name in LIMITS}
        options, kept = replace(record.options, **limits), messages.edits_kept(layer.name)
        possible = record.options.output == "nuclei" and layer.data.shape == record.source.shape
        if not possible or why_not(self._viewer, layer) is not None or self._corrections is None:
            self._bar.say(kept)
            return
        edits = self._corrections.edits(layer)
        if left_out is not None:
            followed = partial(self._filter_followed, ref(layer), record)
            self._filters.begin(layer, edits, record, record.options, left_out, followed)
            self._corrections.select_next_id(layer)
        labels_filter = self._filters.get(layer, edits, record)
        if labels_filter is None:
            self._find_left_out(layer, record, wanted)
            return
        if options != record.options:
            smallest = smallest_area_px(options, record.pixel_size_um)
            labels_filter.apply(options, min_area=smallest, clear_border=options.clear_border)
            self.results.take_options(layer, options)
        self._describe_edited(layer, record)

    def _find_left_out(self, layer: Labels, record: Record, wanted: Options) -> None:
        job, target = (
            partial(jobs.left_out, record.probability, list(record.planes), record.options),
            ref(layer),
        )

        def refilter(left_out: Any) -> None:
            layer = target()
            if layer is not None and self.results.get(layer) is record:
                self._refilter(layer, record, wanted, left_out)

        title, steps = messages.labelling(record.source.name), partial(job, **_terms(record))
        self._bar.start(steps, title=title, on_done=refilter, quiet_ms=QUIET_MS)

    def _filter_followed(self, target: ref[Labels], record: Record, options: Options) -> None:
        """Show the options that hold after napari has undone or redone a slider's step."""
        layer = target()
        if layer is None or self.results.get(layer) is not record:
            return
        self.results.take_options(layer, options)
        if layer is self.layer and self._form.chosen().of_layer:
            self._form.show_options(options, record.threshold)

    def _recount(self, layer: Labels, *, chosen: bool = False) -> None:
        """Describe a result that is chosen or was edited, if it is the current one."""
        record = self.results.get(layer)
        if record is None or layer is not self.layer or self._bar.running:
            return
        if chosen or self._by_hand or self.is_edited(layer):
            self._describe_edited(layer, record)

    def _describe_edited(self, layer: Labels, record: Record) -> None:
        """Describe a result by its labels as they are now."""
        if self._corrections is None:  # the dock is still being built
            return
        edits, planes = self._corrections.edits(layer), record.planes
        if record.options.output == "nuclei" and layer.data.shape == record.source.shape:
            planes = recounted(planes, {index: edits.of_plane(index) for index in planes})
        now = StackSegmentation(layer.data, record.probability, planes, record.pixel_size_um)
        notes = [messages.EDITED_BY_HAND] if self.is_edited(layer) else []
        if notes and self._wanted(record) != record.options:
            notes = [messages.edits_kept(layer.name)]
        self.describe(layer, record, now, *notes)
        self._by_hand = bool(notes)

    def describe(
        self, layer: Labels, record: Record, result: StackSegmentation, *notes: str
    ) -> None:
        """Describe a result in words, and show its threshold."""
        self._shown, self._by_hand = ref(layer), False
        self._form.show_threshold(record.threshold)
        once = self._form.size_note  # which says the same
        text = [
            *in_words(layer, result.summary, record.options),
            *self._left_out(record),
            *(note for note in result.messages if not once or UNKNOWN_SIZE not in note),
            *as_stored(record.provenance),
        ]
        self._bar.say("\n".join([" ".join(text), *notes]))
        self.shown.emit()

    def _left_out(self, record: Record) -> list[str]:
        done = planes_in_words(record.planes, record.source.shape)
        every = self._form.source.all_slices.value
        return [messages.rest_of_stack(done)] if done and not every else []

    def image_of(self, layer: Labels) -> Image | None:
        """Return the image of a result, or the one that other labels lie on."""
        record = self.results.get(layer)
        return image_under(self._viewer, layer) if record is None else record.image()

    def guide_of(self, layer: Labels, plane: Index) -> Guide:
        """Return what a nucleus that a click adds grows in: the map and image of a result.

        For other labels it is the image under them.
        """
        record = self.results.get(layer)
        if record is None or plane not in record.planes:
            return guide_by_image(self._viewer, layer, plane)
        return record.guide_of(plane)


def _terms(record: Record) -> dict[str, Any]:
    """Return what a map is labelled with besides the options."""
    region = None if record.roi is None else record.roi.region
    return {"floor": record.floor, "pixel_size_um": record.pixel_size_um, "region": region}
