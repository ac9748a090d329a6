"""A field for a whole number whose lowest value is shown as a word."""

from __future__ import annotations

from typing import Any

from magicgui.backends._qtpy.widgets import QBaseRangedWidget
from magicgui.widgets.bases import RangedWidget
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QSpinBox


class WholeNumberBox(QSpinBox):
    """A spin box whose word can be typed over; that of magicgui shows no words."""

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Type over a word, wherever the cursor stands in it."""
        if self.lineEdit().text() == self.specialValueText():
            self.selectAll()
        super().keyPressEvent(event)


class _Backend(QBaseRangedWidget):
    def __init__(self, **options: Any) -> None:
        super().__init__(WholeNumberBox, **options)


class WholeNumberField(RangedWidget):
    """A `WholeNumberBox` as magicgui takes it for a parameter."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget_type=_Backend, **options)
