"""The form of the segment dock: its fields in their order, read and shown as `Options`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from magicgui.widgets import CheckBox, ComboBox, Label, PushButton, Widget
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_snow_unet.base.options import declared
from napari_snow_unet.metrics.scores.objects import ERROR_COLOURS, FALSE_NEGATIVE, FALSE_POSITIVE
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.plane.threshold import rounded_threshold
from napari_snow_unet.widgets.common.fields import BROWSE_WIDTH
from napari_snow_unet.widgets.common.form import Rows, end_with, stacked
from napari_snow_unet.widgets.common.live_scores import LiveScores
from napari_snow_unet.widgets.segment import messages
from napari_snow_unet.widgets.segment.fields import (
    SmallestArea,
    fields_of_files,
    fields_of_network,
    fields_of_nuclei,
    fields_of_source,
)
from napari_snow_unet.widgets.segment.models import model_in_words
from napari_snow_unet.widgets.segment.region import SHOWN, WHOLE
from napari_snow_unet.widgets.segment.state import Chosen, SegmentState

NO_TRUTH = "none"
#: Those of the errors layer for false positives and false negatives.
COLOURS = {
    "prediction": ERROR_COLOURS[FALSE_POSITIVE],
    "ground truth": ERROR_COLOURS[FALSE_NEGATIVE],
}
WHICH = "&nbsp; ".join(
    f"<span style='color:{colour}'>■</span>&nbsp;{role.replace(' ', '&nbsp;')}"
    for role, colour in COLOURS.items()
)
NO_DEVICE = "shown after the first run"


class SegmentForm(QWidget):
    """The fields of the segment dock in their order, and the notes beside them.

    Image and ground truth are layers, the region is an argument of `segment.region.roi_of`, and
    the model one of `models.open_model`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.image = ComboBox(choices=[], tooltip=messages.IMAGE_TIP)
        self.roi = ComboBox(choices=[WHOLE, SHOWN], tooltip=messages.ROI_TIP)
        self.model = ComboBox(choices=[], tooltip=messages.MODEL_TIP)
        self.browse = PushButton(text="…", tooltip=messages.BROWSE_TIP)
        self.browse.native.setMaximumWidth(BROWSE_WIDTH)
        self.source, self.files = fields_of_source(), fields_of_files()
        self.network = fields_of_network()
        self.nuclei = fields_of_nuclei()
        self.truth = ComboBox(choices=[NO_TRUTH], tooltip=messages.TRUTH_TIP)
        self.outlines = CheckBox(text="Outlines only", tooltip=messages.OUTLINES_TIP)
        self.which = QLabel(WHICH)
        self.which.hide()
        self.device = Label(value=NO_DEVICE, tooltip=messages.DEVICE_TIP)
        self.device.native.setWordWrap(True)
        self.live = LiveScores(self.nuclei.threshold, lambda: self.options().threshold)
        self.area = SmallestArea(self.nuclei.min_area_um2)
        self._labels: dict[Widget, QLabel] = {}
        self.relabelling = [
            getattr(self.nuclei, name)
            for name in (
                "otsu", "threshold", "min_area_um2", "separate", "fill_holes", "clear_border",
            )
        ]  # fmt: skip
        self._note, self._image_note, self._size_note = QLabel(), QLabel(), QLabel()
        for note in (self._note, self._image_note, self._size_note):
            note.setWordWrap(True)
            note.setTextFormat(Qt.TextFormat.PlainText)  # names of layers are not markup
            note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._lay_out()
        self.show(SegmentState())
        self.nuclei.threshold.changed.connect(self._by_hand)
        self.nuclei.otsu.changed.connect(self.live.update_scores)

    def chosen(self) -> Chosen:
        """Return what the user wants to segment."""
        source = self.source
        return Chosen(
            of_layer=source.kind.value == "layer",
            image=self.image.value,
            roi=self.roi.value,
            folder=source.folder.value,
            results=source.results.value,
            typed_um=self.network.pixel_size_um.value,
        )

    def show(self, state: SegmentState) -> None:
        """Show the fields and notes that belong to a state."""
        for widget in (self.source.results, self.files.probability, self.files.overwrite):
            self.set_row_visible(widget, state.writes_files)
        for widget in (self.source.folder, self.files.overlay):
            self.set_row_visible(widget, not state.of_layer)
        for widget in (self.image, self.roi, self.outlines):
            self.set_row_visible(widget, state.of_layer)
        self.set_row_visible(self.source.all_slices, state.is_stack)
        self.network.pixel_size_um.native.say_unknown(state.size_in_words)
        with self._silently():
            self.area.convert_to(state.area_unit)
        self._labels[self.area.slider].setText(self.area.label)
        self.model.tooltip = model_in_words(state.model) if state.model else messages.MODEL_TIP
        for note, text in (
            (self._note, state.model_problem),
            (self._image_note, state.image_doubt),
            (self._size_note, state.size_note),
        ):
            note.setText(text)
            note.setVisible(bool(text))

    def options(self) -> Options:
        """Return the chosen options."""
        chosen = {**self.network(), **self.nuclei()}
        del chosen["min_area_um2"]  # its unit may be another one
        if chosen.pop("otsu"):
            chosen["threshold"] = "otsu"
        return Options(**chosen | self.area.as_option())

    def show_options(self, options: Options, threshold: float) -> None:
        """Show the options of an earlier result."""
        fields = self.nuclei
        with self._silently():
            fields.output.value, fields.separate.value = options.output, options.separate
            fields.otsu.value = options.threshold == "otsu"
            fields.fill_holes.value = options.fill_holes
            fields.clear_border.value = options.clear_border
            self.area.show(options)
            if options.threshold != "otsu":
                fields.threshold.value = options.threshold
        self.show_threshold(threshold)

    def show_outlines(self, outlines: bool) -> None:
        """Show how an earlier result is drawn."""
        with self.outlines.changed.blocked():
            self.outlines.value = outlines

    def take_otsu(self) -> None:
        """Choose Otsu's threshold, without changing existing results."""
        with self._silently():
            self.nuclei.otsu.value = True

    def show_threshold(self, threshold: float) -> None:
        """Show Otsu's threshold, unless the user has set one by hand."""
        if self.nuclei.otsu.value:
            with self._silently():
                self.nuclei.threshold.value = rounded_threshold(threshold)

    @property
    def note(self) -> str:
        """Why the chosen model cannot be used."""
        return self._note.text()

    @property
    def image_note(self) -> str:
        """Why the chosen image may be the wrong one."""
        return self._image_note.text()

    @property
    def size_note(self) -> str:
        """What an unknown or implausible pixel size means."""
        return self._size_note.text()

    def show_device(self, device: str, precision: str) -> None:
        """Show which device computed the last result; it is empty without a network."""
        self.device.value = f"{device}, {precision}" if device else "no network"

    def set_row_visible(self, widget: Widget, visible: bool) -> None:
        """Show or hide a field with its label."""
        widget.native.setVisible(visible)
        self._labels[widget].setVisible(visible)

    def _by_hand(self) -> None:
        with self.nuclei.otsu.changed.blocked():
            self.nuclei.otsu.value = False
        self.live.update_scores()

    @contextmanager
    def _silently(self) -> Iterator[None]:
        """Change fields without the effects of a choice of the user."""
        with ExitStack() as blocked:
            for field in (self.nuclei, *self.nuclei):
                blocked.enter_context(field.changed.blocked())
            yield

    def _lay_out(self) -> None:
        main, more, labels = Rows(self._labels), Rows(self._labels), declared(Options)
        main.add("Segment", self.source.kind)
        main.add("Image", self.image)
        main.add_note(self._image_note)
        main.add("", self.source.all_slices)
        main.add("Region", self.roi)
        main.add("Folder", self.source.folder)
        main.add(messages.RESULTS_LABEL, self.source.results)
        main.add("", self.files.overwrite)
        main.add("Also write", self.files.probability)
        main.add("", self.files.overlay)
        main.add("Model", self.model, beside=self.browse)
        main.add_note(self._note)
        main.add(labels["pixel_size_um"].option.label, self.network.pixel_size_um)
        main.add_note(self._size_note)
        main.add_line()
        main.add(labels["output"].option.label, self.nuclei.output)
        main.add("", self.nuclei.separate)
        main.add(labels["threshold"].option.label, self.nuclei.otsu)
        main.add("", self.nuclei.threshold)
        main.layout().addRow(self.live)
        main.add(self.area.label, self.area.slider)
        main.add("Show", self.outlines)
        main.layout().addRow("", self.which)
        main.add("Ground truth", self.truth)
        more.add(labels["channel"].option.label, self.network.channel)
        more.add("", self.network.test_time_augmentation)
        more.add("", self.nuclei.fill_holes)
        more.add("", self.nuclei.clear_border)
        more.add(labels["tile"].option.label, self.network.tile)
        more.add("Device", self.device)
        self.advanced = stacked(self, main, advanced=more)
        end_with(self, self.source, self.files, self.network, self.nuclei)
