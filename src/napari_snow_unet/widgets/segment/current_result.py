"""The result in the segment dock: which one it is, how it is shown, and what the sliders change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import ref

from qtpy.QtCore import QObject, QTimer, Signal

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.axes import Index
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.reproduction import Recipe
from napari_snow_unet.segmentation.stack_result import StackSegmentation, planes_in_words
from napari_snow_unet.widgets.common.layers import shown_plane, unwrapped
from napari_snow_unet.widgets.segment import jobs
from napari_snow_unet.widgets.segment.results import Compared, Record, Results, Status

if TYPE_CHECKING:
    from napari.layers import Image, Labels
    from napari.viewer import Viewer

    from napari_snow_unet.widgets.common.run_bar import RunBar
    from napari_snow_unet.widgets.segment.form import SegmentForm

NEW_SIZE = (
    "These labels were found while the pixel size was unknown. Press Run on their image again, "
    "then a smallest area in µm² counts."
)
SLICES = "{} segmented; tick All slices for the rest."
AS_STORED = (
    "The image's file asks to be turned (orientation {}), which napari does not do: the labels "
    "lie on the pixels as they are stored, not as other programs show them."
)
OUTLINE = 2  # pixels
RELABEL_DELAY_MS = 60
QUIET_MS = 500  # what takes no longer shows no progress


class CurrentResult(QObject):
    """The result that the dock shows: kept, drawn, described, and labelled anew by the sliders.

    It emits `segmented` when a probability map is new, and `shown` when the result is shown or was
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
        """The active layer and what it was made from, if its labels are files."""
        active = unwrapped(self._viewer.layers.selection.active)
        recipe = self.results.written(active)
        return None if recipe is None else (active, recipe)

    @property
    def result(self) -> tuple[Labels, Record] | None:
        """The result that the sliders change: the active layer, else the image's latest."""
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
        """Show the choices that the current result was made with, once it is another one.

        Where a folder is segmented the choices are those for the folder.
        """
        if self._adding:  # what napari selects is not yet known as a result
            return
        result = self.result if self._of_layer else None
        known = self._shown() if self._shown is not None else None
        if result is not None and result[0] is not known:
            layer, record = result
            self._form.show_options(record.options, record.threshold)
            self._form.show_outlines(layer.contour > 0)
        self._shown = None if result is None else ref(result[0])
        self.shown.emit()

    def add(self, record: Record, labels: Any) -> Labels:
        """Show a result as a new layer; the form stays as it is."""
        self._adding = True
        try:
            layer = self.results.add(record, labels)
        finally:
            self._adding = False
        self.draw(layer=layer)
        return layer

    def draw(self, event: Any = None, *, layer: Labels | None = None) -> None:
        """Draw a result, or the current one, as the person wants to see it."""
        shown = layer or (self.written or (self.layer,))[0]
        if shown is not None:
            shown.contour = OUTLINE if self._form.outlines.value else 0

    @property
    def relabelling(self) -> bool:
        """Whether a slider was moved and the labels do not show it yet."""
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
        if self._bar.running:  # the slider moves on while labels are made
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
            self._bar.say(NEW_SIZE, problem=True)
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
            title=f"Labelling {record.source.name}",
            on_done=partial(self._relabelled, ref(layer), record, record.changes, now),
            quiet_ms=QUIET_MS,
        )

    def _relabelled(
        self,
        known: ref[Labels],
        record: Record,
        changes: int,
        options: Options,
        found: tuple[StackSegmentation, bool],
    ) -> None:
        layer, (result, differs) = known(), found
        if layer is None or self.results.get(layer) is not record:
            return
        updated = record.updated(result, options)
        shown, compared = self.plane_shown(record.image()), Compared(changes, differs)
        if self.results.status(layer, shown, compared) is Status.UNTOUCHED:
            self.results.rewrite(layer, updated, result.labels, result.planes)
        else:
            layer = self.add(updated, result.labels)
            self.segmented.emit()
        self.tell(layer, updated, result)

    def tell(self, layer: Labels, record: Record, result: StackSegmentation) -> None:
        """Say what was found, and show the threshold it was found at."""
        self._shown = ref(layer)
        self._form.show_threshold(record.threshold)
        said = [f"{layer.name}: {result.summary}.", *self._left_out(record), *result.messages]
        said += as_stored(record.provenance)
        self._bar.say(" ".join(said))
        self.shown.emit()

    def _left_out(self, record: Record) -> list[str]:
        done = planes_in_words(record.planes, record.source.shape)
        every = self._form.source.all_slices.value
        return [SLICES.format(done[0].upper() + done[1:])] if done and not every else []

    def plane_shown(self, image: Image | None) -> Index | None:
        """Return the plane of an image that napari shows, if it shows one."""
        if image is None:
            return None
        try:
            return shown_plane(self._viewer, image)
        except InputError:
            return None


def as_stored(facts: Mapping[str, Any]) -> list[str]:
    """Say that labels lie on pixels that other programs show turned."""
    return [AS_STORED.format(facts["unturned"])] if "unturned" in facts else []
