"""Numbers as people write them."""

from __future__ import annotations

from collections.abc import Iterable


def shape_in_words(shape: Iterable[int]) -> str:
    """Return a shape as people write it: 512 x 512."""
    return " x ".join(map(str, shape))


def counted(number: int, what: str) -> str:
    """Return a number of things as people write it: 1 file, 2,000 files."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
