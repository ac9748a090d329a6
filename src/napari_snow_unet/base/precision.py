"""The number formats that a network can be asked to compute in."""

from __future__ import annotations

from typing import Literal, get_args

Precision = Literal["float32", "fast", "bfloat16", "float16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
#: What they were called in 0.1.
EARLIER_PRECISIONS: dict[str, Precision] = {
    "auto": "float32",
    "mixed_bfloat16": "bfloat16",
    "mixed_float16": "float16",
}


def precision_of(name: str) -> Precision | None:
    """Return the number format of a name, that of 0.1 too; None if there is none."""
    now: dict[str, Precision] = {one: one for one in PRECISIONS} | EARLIER_PRECISIONS
    return now.get(name)
