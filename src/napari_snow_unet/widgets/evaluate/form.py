"""The form of the dock Compare with ground truth: its fields and the layers they list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from magicgui.widgets import ComboBox, Widget
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_snow_unet.widgets.common.form import Rows, end_with
from napari_snow_unet.widgets.common.live_scores import LiveScores
from napari_snow_unet.widgets.evaluate import messages
from napari_snow_unet.widgets.evaluate.fields import fields_of_comparison

EVERYWHERE = "whole image"


class EvaluateForm(QWidget):
    """The fields of the dock in their order; the region may be `EVERYWHERE`."""

    def __init__(self) -> None:
        super().__init__()
        self.prediction = ComboBox(choices=[], tooltip=messages.PREDICTION_TIP)
        self.truth = ComboBox(choices=[], tooltip=messages.TRUTH_TIP)
        self.region = ComboBox(choices=[EVERYWHERE], tooltip=messages.REGION_TIP)
        self.fields = fields_of_comparison()
        self.live = LiveScores(
            self.fields.threshold, lambda: self.fields()["threshold"], self._show_otsu
        )
        self._labels: dict[Widget, QLabel] = {}
        self._otsu_threshold: float | None = None
        self._lay_out()
        self.fields.threshold.changed.connect(self._by_hand)
        self.fields.otsu.changed.connect(self._otsu_ticked)

    def options(self) -> dict[str, Any]:
        """Return the options of the comparison."""
        return self.fields()

    def offer(self, box: ComboBox, layers: Sequence[Any]) -> None:
        """List layers by their current names and keep the chosen one if it still exists."""
        chosen = box.value
        choices = [(layer.name, layer) for layer in layers]
        if box is self.region:
            choices = [(EVERYWHERE, EVERYWHERE), *choices]
        with box.changed.blocked():
            box.choices = ()
            box.choices = choices
            if any(chosen is choice for _, choice in choices):
                box.value = chosen

    def choose(self, box: ComboBox, layer: Any) -> None:
        """Choose a layer without a signal, as it is not the user's choice."""
        with box.changed.blocked():
            box.value = layer

    def show_rows(self, *, of_map: bool, stack: bool) -> None:
        """Show the fields that the layers need."""
        for widget in (self.fields.otsu, self.fields.threshold):
            self._set_row_visible(widget, of_map)
        self.live.setVisible(of_map)
        self._set_row_visible(self.fields.all_slices, stack)

    def _set_row_visible(self, widget: Widget, visible: bool) -> None:
        widget.native.setVisible(visible)
        self._labels[widget].setVisible(visible)

    def _by_hand(self) -> None:
        with self.fields.otsu.changed.blocked():
            self.fields.otsu.value = False
        self.live.update_scores()

    def _otsu_ticked(self) -> None:
        if self.fields.otsu.value and self._otsu_threshold is not None:
            self._show_otsu(self._otsu_threshold)
        self.live.update_scores()

    def _show_otsu(self, threshold: float) -> None:
        self._otsu_threshold = threshold
        if self.fields.otsu.value:
            with self.fields.threshold.changed.blocked(), self.fields.changed.blocked():
                self.fields.threshold.value = threshold

    def _lay_out(self) -> None:
        rows = Rows(self._labels)
        rows.add("Prediction", self.prediction)
        rows.add("Threshold", self.fields.otsu)
        rows.add("", self.fields.threshold)
        rows.layout().addRow(self.live)
        rows.add("Ground truth", self.truth)
        rows.add("Region", self.region)
        rows.add("", self.fields.all_slices)
        rows.add("Masks are", self.fields.masks_are)
        rows.add("", self.fields.pixel_by_pixel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(rows)
        layout.addStretch()
        end_with(self, self.fields)
