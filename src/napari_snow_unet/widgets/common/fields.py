"""Fields that magicgui lacks: pixel sizes, whole numbers with a word, kinds of masks."""

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
#: Docks and fields that help, but are not fields of an option.
_OTHER_PLACES = {
    **dict.fromkeys(("prepare_dataset", "check_dataset", "split_dataset"), "Prepare a dataset"),
    "model": "Model",
    "list_models": "Model",
    "region": "Region",
}
BROWSE_WIDTH = 32  # of the button beside a path


class PixelSizeBox(QDoubleSpinBox):
    """A spin box that keeps its text while the user types.

    0 and an empty text both mean the special value; a comma is read as a point.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setDecimals(DECIMALS)
        self.setKeyboardTracking(False)
        self._pending: str | None = None  # the text for 0, while the user types
        self.editingFinished.connect(self._typed)

    def say_unknown(self, text: str) -> None:
        """Show a text for 0, as soon as the user stops typing."""
        if self.lineEdit().isModified():
            self._pending = text
        elif text != self.specialValueText():
            self.setSpecialValueText(text)

    def textFromValue(self, value: float) -> str:  # noqa: N802
        """Format a number without trailing zeros."""
        return f"{value:.{DECIMALS}f}".rstrip("0").rstrip(".")

    def valueFromText(self, text: str | None) -> float:  # noqa: N802
        """Read a comma as a point, and text that is not a number as 0."""
        with suppress(ValueError):
            return float((text or "").strip().replace(",", "."))
        return 0.0

    def validate(self, text: str | None, pos: int) -> tuple[QValidator.State, str, int]:
        """Accept a number in the range, or the beginning of one."""
        text = text or ""
        digits = text.strip().replace(",", ".", 1).replace(".", "", 1)
        numeric = not digits or text == self.specialValueText() or digits.isdecimal()
        good = numeric and self.valueFromText(text) <= self.maximum()
        return (QValidator.State.Acceptable if good else QValidator.State.Invalid), text, pos

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Replace the special text by the first key, wherever the cursor is."""
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
        text, self._pending = self._pending, None
        if text is not None:
            self.say_unknown(text)


class _Backend(QBaseRangedWidget):
    def __init__(self, **options: Any) -> None:
        super().__init__(PixelSizeBox, **options)


class PixelSizeField(RangedWidget):
    """A `PixelSizeBox` as a magicgui field."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget_type=_Backend, **options)


MASKS = [
    ("detected from their values", ""),
    ("labels: one ID per nucleus", "labels"),
    ("binary: nucleus or background", "binary"),
    ("classes: one class per pixel", "classes"),
]


def mask_choices() -> dict[str, Any]:
    """Return the magicgui options of a field `masks_are`, whose value may be empty."""
    return {"choices": MASKS, "widget_type": "ComboBox"}


class WholeNumberBox(QSpinBox):
    """A spin box that shows a word for its special value, unlike that of magicgui."""

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Replace the word by the first key, wherever the cursor is."""
        if self.lineEdit().text() == self.specialValueText():
            self.selectAll()
        super().keyPressEvent(event)


class _WholeNumberBackend(QBaseRangedWidget):
    def __init__(self, **options: Any) -> None:
        super().__init__(WholeNumberBox, **options)


class WholeNumberField(RangedWidget):
    """A `WholeNumberBox` as a magicgui field."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget_type=_WholeNumberBackend, **options)


def option_fields(
    cls: type, *options: str | Declared, **looks: Mapping[str, Any]
) -> FunctionGui[dict[str, Any]]:
    """Make fields for options of a dataclass; calling them returns the chosen values.

    `looks` holds further magicgui options of each field, by the name of the option. If None is a
    valid value, their ``empty`` is what the field shows for it: 0 or an empty text.
    """
    all_of_it = declared(cls)
    chosen = [all_of_it[each] if isinstance(each, str) else each for each in options]
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
    """Return the magicgui options of the field of an option."""
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
    """Return an error as docks and notifications show it: the reason first."""
    if isinstance(error, InputError):
        return error.reason_first(fields_that_help(error.helps))
    return str(error)


def fields_that_help(helps: Iterable[str]) -> list[str]:
    """Return the labels of the fields that would help; an option without a field has none."""
    labels = dict(_OTHER_PLACES)
    for cls in (TrainingOptions, SplitOptions, PrepareOptions, Options, Outputs):
        labels |= {name: one.option.label for name, one in declared(cls).items()}
    return [labels.get(name, "") for name in helps]
