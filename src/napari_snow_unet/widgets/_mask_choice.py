"""The choice of what masks hold, the same in every dock."""

from __future__ import annotations

from typing import Any

MASKS = [
    ("judged by their values", ""),
    ("labels: an id for every nucleus", "labels"),
    ("binary: nucleus or not", "binary"),
    ("classes: a class for every pixel", "classes"),
]


def mask_choices() -> dict[str, Any]:
    """Return what magicgui needs for a field `masks_are`, whose value is empty or a choice."""
    return {"choices": MASKS, "widget_type": "ComboBox"}
