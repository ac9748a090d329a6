"""Fields that magicgui lacks: a pixel size, a whole number with a word, what masks hold."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from contextlib import suppress
from math import inf
from typing import Any

from magicgui import magicgui
from magicgui.backends._qtpy.widgets import QBaseRangedWidget
from magicgui.widgets import FunctionGui
from magicgui.widgets.bases import RangedWidget
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QFocusEvent, QKeyEvent, QValidator
from qtpy.QtWidgets import QDoubleSpinBox, QSpinBox, QWidget

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import Declared, declared
from napari_snow_unet.batch import Outputs
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.split_options import SplitOptions
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.unet.runs.options import TrainingOptions

DECIMALS = 4
PREPARE = "Prepare a dataset"  # the dock
BROWSE_WIDTH = 32  # of the button beside a path


class PixelSizeBox(QDoubleSpinBox):
    """A spin box that leaves the text alone while somebody types.

    0 and no text both stand for the special value, and a comma counts as a point.
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


def option_fields(
    cls: type, *options: str | Declared, **looks: Mapping[str, Any]
) -> FunctionGui[dict[str, Any]]:
    """Make fields of options as a dataclass declares them; called, they return what is chosen.

    `looks` is what magicgui takes beside what follows from an option, by its name. Where None is a
    value, ``empty`` in it is what the field shows for it: 0, or no word.
    """
    known = declared(cls)
    chosen = [known[each] if isinstance(each, str) else each for each in options]
    own: dict[str, dict[str, Any]] = {}
    empties: dict[str, Any] = {}
    parameters = []
    for one in chosen:
        look = dict(looks.get(one.name, {}))
        if one.may_be_none:
            empties[one.name] = look.pop("empty", one.type())
        own[one.name] = _look_of(one, empties) | look
        start = look.pop("value", empties.get(one.name) if one.default is None else one.default)
        own[one.name].pop("value", None)
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters.append(inspect.Parameter(one.name, kind, default=start, annotation=one.type))

    signature = inspect.Signature(parameters)

    def values(*given: Any, **named: Any) -> dict[str, Any]:
        return {
            name: None if name in empties and value == empties[name] else value
            for name, value in signature.bind(*given, **named).arguments.items()
        }

    values.__signature__ = signature  # type: ignore[attr-defined]  # magicgui reads it
    return magicgui(values, call_button=False, **own)


def _look_of(one: Declared, empties: Mapping[str, Any]) -> dict[str, Any]:
    """Return what magicgui takes for a field of an option."""
    look: dict[str, Any] = {"tooltip": one.tooltip}
    if one.type is bool:
        return look | {"text": one.option.label}
    if one.choices and one.type is str:
        none = [(one.option.none, "")] if one.may_be_none else []
        return look | {
            "choices": [*none, *((word, word) for word in one.choices)],
            "widget_type": "ComboBox",
        }
    if one.type in (int, float):
        low, high = one.option.low, one.option.high
        low = min(low, empties.get(one.name, low))
        return look | {
            key: one.type(limit) for key, limit in (("min", low), ("max", high)) if abs(limit) < inf
        }
    return look


def error_in_words(error: Exception) -> str:
    """Return an error as docks and notifications show it."""
    if isinstance(error, InputError):
        return error.reason_first(fields_that_help(error.helps))
    return str(error)


def fields_that_help(helps: Iterable[str]) -> list[str]:
    """Return the names of the fields of the options that would help; docks lack some."""
    known = dict.fromkeys(("prepare_dataset", "check_dataset", "split_dataset"), PREPARE)
    for cls in (TrainingOptions, SplitOptions, PrepareOptions, Options, Outputs):
        known |= {name: one.option.label for name, one in declared(cls).items()}
    return [known.get(name, "") for name in helps]
