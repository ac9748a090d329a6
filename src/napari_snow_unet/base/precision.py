"""Number formats in which a network can run."""

from __future__ import annotations

from typing import Literal, get_args

Precision = Literal["float32", "fast", "bfloat16", "float16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
#: Their names in version 0.1.
EARLIER_PRECISIONS: dict[str, Precision] = {
    "auto": "float32",
    "mixed_bfloat16": "bfloat16",
    "mixed_float16": "float16",
}


def precision_of(name: str) -> Precision | None:
    """Return the number format with this name, today's or that of 0.1; None if there is none."""
    names: dict[str, Precision] = {one: one for one in PRECISIONS} | EARLIER_PRECISIONS
    return names.get(name)
