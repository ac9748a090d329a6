"""The form of the dock Compare with ground truth: its fields and the layers they list."""

from __future__ import annotations

from typing import Any

from magicgui.widgets import ComboBox, Widget
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_snow_unet.widgets.common.form import Rows, end_with
from napari_snow_unet.widgets.common.live_scores import LiveScores
from napari_snow_unet.widgets.evaluate import messages
from napari_snow_unet.widgets.evaluate.fields import fields_of_comparison
from napari_snow_unet.widgets.evaluate.state import Chosen, EvaluateState

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
        self._lay_out()
        self.fields.threshold.changed.connect(self._by_hand)
        self.fields.otsu.changed.connect(self._otsu_ticked)

    def chosen(self) -> Chosen:
        """Return the chosen layers and options."""
        region = None if self.region.value == EVERYWHERE else self.region.value
        return Chosen(self.prediction.value, self.truth.value, region, self.fields())

    def choose(self, prediction: Any, truth: Any) -> None:
        """Choose layers without a signal, as they are not the user's choice."""
        with self.prediction.changed.blocked(), self.truth.changed.blocked():
            self.prediction.value, self.truth.value = prediction, truth

    def show_state(self, state: EvaluateState) -> None:
        """Show the fields that the layers need."""
        for field, needed in (
            (self.fields.otsu, state.of_map),
            (self.fields.threshold, state.of_map),
            (self.fields.all_slices, state.is_stack),
        ):
            field.native.setVisible(needed)
            self._labels[field].setVisible(needed)
        self.live.setVisible(state.of_map)

    def _by_hand(self) -> None:
        with self.fields.otsu.changed.blocked():
            self.fields.otsu.value = False
        self.live.update_scores()

    def _otsu_ticked(self) -> None:
        if self.live.mark.value is not None:
            self._show_otsu(self.live.mark.value)
        self.live.update_scores()

    def _show_otsu(self, threshold: float) -> None:
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
