"""Fields that magicgui lacks: a pixel size, a whole number with a word, what masks hold."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from magicgui.backends._qtpy.widgets import QBaseRangedWidget
from magicgui.widgets.bases import RangedWidget
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QFocusEvent, QKeyEvent, QValidator
from qtpy.QtWidgets import QDoubleSpinBox, QSpinBox, QWidget

DECIMALS = 4
BROWSE_WIDTH = 32  # of the button beside a path


class PixelSizeBox(QDoubleSpinBox):
    """A spin box that leaves the text alone while somebody types.

    The decimal sign is a point, and a comma counts as one. 0 and no text both stand for the
    special value.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(DECIMALS)
        self.setKeyboardTracking(False)
        self._said: str | None = None
        self.editingFinished.connect(self._typed)

    def say_unknown(self, text: str) -> None:
        """Show a text for 0, once nobody types any more."""
        if self.lineEdit().isModified():
            self._said = text
        elif text != self.specialValueText():
            self.setSpecialValueText(text)

    def textFromValue(self, value: float) -> str:  # noqa: N802
        """Show a number without zeros at its end."""
        return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")

    def valueFromText(self, text: str | None) -> float:  # noqa: N802
        """Take a comma for a point, and no number for 0."""
        with suppress(ValueError):
            return float((text or "").strip().replace(",", "."))
        return 0.0

    def validate(self, text: str | None, pos: int) -> tuple[QValidator.State, str, int]:
        """Accept what is, or may become, a number in the range."""
        text = text or ""
        digits = text.strip().replace(",", ".", 1).replace(".", "", 1)
        known = not digits or text == self.specialValueText() or digits.isdecimal()
        good = known and self.valueFromText(text) <= self.maximum()
        return (QValidator.State.Acceptable if good else QValidator.State.Invalid), text, pos

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Type over a text that is no number, wherever the cursor stands in it."""
        if self.lineEdit().text() == self.specialValueText():
            self.selectAll()
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802
        """Select everything on a click, as the tabulator key does."""
        super().focusInEvent(event)
        if event is not None and event.reason() == Qt.FocusReason.MouseFocusReason:
            QTimer.singleShot(0, self.selectAll)

    def _typed(self) -> None:
        self.lineEdit().setModified(False)
        said, self._said = self._said, None
        if said is not None:
            self.say_unknown(said)


class _Backend(QBaseRangedWidget):
    def __init__(self, **options: Any) -> None:
        super().__init__(PixelSizeBox, **options)


class PixelSizeField(RangedWidget):
    """A `PixelSizeBox` as magicgui takes it for a parameter."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget_type=_Backend, **options)


MASKS = [
    ("judged by their values", ""),
    ("labels: an id for every nucleus", "labels"),
    ("binary: nucleus or not", "binary"),
    ("classes: a class for every pixel", "classes"),
]


def mask_choices() -> dict[str, Any]:
    """Return what magicgui needs for a field `masks_are`, whose value is empty or a choice."""
    return {"choices": MASKS, "widget_type": "ComboBox"}


class WholeNumberBox(QSpinBox):
    """A spin box whose word can be typed over; that of magicgui shows no words."""

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Type over a word, wherever the cursor stands in it."""
        if self.lineEdit().text() == self.specialValueText():
            self.selectAll()
        super().keyPressEvent(event)


class _WholeNumberBackend(QBaseRangedWidget):
    def __init__(self, **options: Any) -> None:
        super().__init__(WholeNumberBox, **options)


class WholeNumberField(RangedWidget):
    """A `WholeNumberBox` as magicgui takes it for a parameter."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget_type=_WholeNumberBackend, **options)
