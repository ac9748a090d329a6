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

MODEL_TIP = "A network, or the classical method, which needs none."
BROWSE_TIP = "A model elsewhere on the disk: choose its config.json or its weights."
ROI_TIP = (
    "Segment all of the image, or only what is shown or what a Shapes or Labels layer marks. "
    "Otsu's method and areas then go by that part."
)
TRUTH_TIP = (
    "True labels, if there are any: Dice, precision and recall then follow the threshold. The "
    "dock Compare with ground truth shows more scores."
)
OUTLINES_TIP = (
    "Draw nuclei as outlines, so that the tissue below them stays in sight; with a truth chosen, "
    "that too, each in a colour of its own. The layer's own controls (contour) set how thick they "
    "are."
)
NO_TRUTH = "none"
#: Those of the errors layer for what is in the prediction only and in the truth only.
COLOURS = {
    "prediction": ERROR_COLOURS[FALSE_POSITIVE],
    "truth": ERROR_COLOURS[FALSE_NEGATIVE],
}
WHICH = "&nbsp; ".join(
    f"<span style='color:{colour}'>■</span>&nbsp;{role}" for role, colour in COLOURS.items()
)
DEVICE_TIP = "What computes the network, and in which number format."
NO_DEVICE = "known after a run"


class SegmentForm(QWidget):
    """The fields of the segment dock in their order, and what is said beside them.

    An image or a truth is a layer, the part is what `segment.region.roi_of` takes, and the model
    what `models.open_model` takes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.image = ComboBox(
            choices=[], tooltip="The image to segment; follows the active image layer."
        )
        self.roi = ComboBox(choices=[WHOLE, SHOWN], tooltip=ROI_TIP)
        self.model = ComboBox(choices=[], tooltip=MODEL_TIP)
        self.browse = PushButton(text="…", tooltip=BROWSE_TIP)
        self.browse.native.setMaximumWidth(BROWSE_WIDTH)
        self.source, self.files = fields_of_source(), fields_of_files()
        self.network = fields_of_network()
        self.nuclei = fields_of_nuclei()
        self.truth = ComboBox(choices=[NO_TRUTH], tooltip=TRUTH_TIP)
        self.outlines = CheckBox(text="Outlines only", tooltip=OUTLINES_TIP)
        self.which = QLabel(WHICH)
        self.which.hide()
        self.device = Label(value=NO_DEVICE, tooltip=DEVICE_TIP)
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
            note.setTextFormat(Qt.TextFormat.PlainText)  # names of layers are no markup
            note.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._lay_out()
        self.show(SegmentState())
        self.nuclei.threshold.changed.connect(self._by_hand)
        self.nuclei.otsu.changed.connect(self.live.update_scores)

    def chosen(self) -> Chosen:
        """Return what is to be segmented."""
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
        """Show the fields that what is chosen needs, and what is known of it."""
        for widget in (self.source.results, self.files.probability, self.files.overwrite):
            self.set_row_visible(widget, state.writes_files)
        for widget in (self.source.folder, self.files.overlay):
            self.set_row_visible(widget, not state.of_layer)
        for widget in (self.image, self.roi, self.outlines):
            self.set_row_visible(widget, state.of_layer)
        self.set_row_visible(self.source.all_slices, state.is_stack)
        self.network.pixel_size_um.native.say_unknown(state.size_in_words)
        with self._silently():
            self.area.state_in(state.area_unit)
        self._labels[self.area.slider].setText(self.area.label)
        self.model.tooltip = model_in_words(state.model) if state.model else MODEL_TIP
        for note, text in (
            (self._note, state.model_problem),
            (self._image_note, state.image_doubt),
            (self._size_note, state.size_note),
        ):
            note.setText(text)
            note.setVisible(bool(text))

    def options(self) -> Options:
        """Return how it is to be segmented."""
        chosen = {**self.network(), **self.nuclei()}
        del chosen["min_area_um2"]  # it may be stated in another unit
        if chosen.pop("otsu"):
            chosen["threshold"] = "otsu"
        return Options(**chosen | self.area.as_option())

    def show_options(self, options: Options, threshold: float) -> None:
        """Show the choices that an earlier result was made with."""
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
        """Leave the threshold to Otsu's method, and results that are there as they are."""
        with self._silently():
            self.nuclei.otsu.value = True

    def show_threshold(self, threshold: float) -> None:
        """Show what Otsu's method has found, unless the person has chosen a threshold."""
        if self.nuclei.otsu.value:
            with self._silently():
                self.nuclei.threshold.value = rounded_threshold(threshold)

    @property
    def note(self) -> str:
        """Why the model that is chosen cannot be used."""
        return self._note.text()

    @property
    def image_note(self) -> str:
        """What speaks against segmenting the image that is chosen."""
        return self._image_note.text()

    @property
    def size_note(self) -> str:
        """What follows from a pixel size that nobody knows, or that nobody can mean."""
        return self._size_note.text()

    def show_device(self, device: str, precision: str) -> None:
        """Say what has computed the last result; empty for what is no network."""
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
        """Change fields without anybody taking it for the person's choice."""
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
        main.add("Part", self.roi)
        main.add("Folder", self.source.folder)
        main.add("Results to", self.source.results)
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
        main.add("Truth", self.truth)
        more.add(labels["channel"].option.label, self.network.channel)
        more.add("", self.network.test_time_augmentation)
        more.add("", self.nuclei.fill_holes)
        more.add("", self.nuclei.clear_border)
        more.add(labels["tile"].option.label, self.network.tile)
        more.add("Device", self.device)
        self.advanced = stacked(self, main, advanced=more)
        end_with(self, self.source, self.files, self.network, self.nuclei)
