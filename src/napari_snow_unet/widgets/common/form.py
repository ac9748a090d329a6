"""Rows of labels and fields, as wide as the dock."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from magicgui.widgets import ComboBox, FloatSlider, FunctionGui, Widget
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

COMBO_CHARACTERS = 12
TIP_WIDTH = 80
STEPS_OF_A_PAGE = 50
# Buttons of no size: in a field without buttons, Qt 6.12 cuts off the number in napari's style.
READOUT_STYLE = """
QDoubleSpinBox { background: transparent; border: 0; padding: 1px 2px; }
QDoubleSpinBox::up-button, QDoubleSpinBox::down-button { width: 0; height: 0; }
QDoubleSpinBox::up-arrow, QDoubleSpinBox::down-arrow { image: none; width: 0; height: 0; }
"""
WIDEST_LABEL = "Tile size (pixels) "
PROBLEM_STYLE = "QLabel { color: #e8803c; }"


class Rows(QWidget):
    """A form of fields; `labels` collects their labels, so that both can be hidden together."""

    def __init__(self, labels: dict[Widget, QLabel]) -> None:
        super().__init__()
        self._labels = labels
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignRight)

    def add(self, text: str, widget: Widget, beside: Widget | None = None) -> None:
        """Append a field, optionally with a button beside it."""
        label = QLabel(text)
        widget.tooltip = wrapped(widget.tooltip or "")
        label.setToolTip(widget.tooltip)
        label.setMinimumWidth(label.fontMetrics().horizontalAdvance(WIDEST_LABEL))
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        native = widget.native
        native.setSizePolicy(QSizePolicy.Policy.Expanding, native.sizePolicy().verticalPolicy())
        if isinstance(widget, ComboBox):
            native.setMinimumContentsLength(COMBO_CHARACTERS)
            native.setSizeAdjustPolicy(
                native.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        self._labels[widget] = label
        self._form.addRow(label, native if beside is None else _side_by_side(native, beside.native))

    def add_note(self, label: QLabel) -> None:
        """Append a line of text about a problem."""
        label.setStyleSheet(PROBLEM_STYLE)
        self._form.addRow(label)

    def add_line(self) -> None:
        """Append a horizontal line."""
        line = QFrame()
        line.setFrameShape(QFrame.Shape.HLine)
        self._form.addRow(line)


class Note(QLabel):
    """A text that wraps, in colour if it is about a problem; `in_form` if it is a row of one."""

    def __init__(self, *, in_form: bool = False) -> None:
        super().__init__()
        self.setWordWrap(True)
        if not in_form:  # whose height then follows from that of its text
            self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)

    def say(self, text: str, *, problem: bool = False) -> None:
        """Show a text."""
        self.setText(text)
        style = PROBLEM_STYLE if problem else ""
        if style != self.styleSheet():  # Qt would lay out the label again
            self.setStyleSheet(style)


def message_line() -> Note:
    """Return the line under the buttons of a dock, from which a user can copy."""
    note = Note()
    note.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return note


def allow(button: QPushButton, why_not: str, tip: str) -> None:
    """Enable a button with its tooltip, or disable it and show why there."""
    button.setEnabled(not why_not)
    button.setToolTip(wrapped(why_not or tip))


def offer(box: ComboBox, choices: Sequence[tuple[str, Any]]) -> None:
    """List choices by their current names without a signal; keep the chosen one if it is there."""
    chosen = box.value
    with box.changed.blocked():
        box.choices = ()
        box.choices = choices
        if any(chosen is value or chosen == value for _, value in choices):
            box.value = chosen


def stacked(form: QWidget, *parts: QWidget, advanced: QWidget) -> QCollapsible:
    """Stack parts of a form, with the rarely used fields folded up below them."""
    folded = QCollapsible("Advanced", form, expandedIcon="▾", collapsedIcon="▸")
    folded.setDuration(0)
    folded.setContent(advanced)
    folded.collapse(animate=False)
    layout = QVBoxLayout(form)
    layout.setContentsMargins(0, 0, 0, 0)
    for part in (*parts, folded):
        layout.addWidget(part)
    layout.addStretch()
    return folded


def end_with(form: QWidget, *all_fields: FunctionGui) -> None:
    """Let the form own the containers that magicgui made around the fields in its rows.

    Without a parent they would be deleted when Python ends, during calls of magicgui's event
    filters: PyQt then fails now and then, since it iterates over a table that grows.
    """
    for fields in all_fields:
        fields.native.setParent(form)
        fields.native.hide()


def wrapped(tip: str) -> str:
    """Break a tooltip into lines, which Qt does not do."""
    return textwrap.fill(" ".join(tip.split()), TIP_WIDTH)


def adjust_slider(slider: FloatSlider, decimals: int) -> None:
    """Set the number of decimals, and let a click beside the handle move it visibly."""
    readout = slider.native.findChild(QDoubleSpinBox)
    readout.setDecimals(decimals)
    readout.setButtonSymbols(readout.ButtonSymbols.UpDownArrows)
    readout.setStyleSheet(READOUT_STYLE)
    native = slider.native.findChild(QSlider)
    native.setPageStep(STEPS_OF_A_PAGE * native.singleStep())


def _side_by_side(field: QWidget, button: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(2)
    row.addWidget(field, 1)
    row.addWidget(button)
    return row
