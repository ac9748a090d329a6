"""Numbers and lists in plain English."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice


def shape_in_words(shape: Iterable[int]) -> str:
    """Return a shape as text: 512 x 512."""
    return " x ".join(map(str, shape))


def counted(number: int, what: str, plural: str = "") -> str:
    """Return a number of things as text: 1 file, 2,000 files, 3 nuclei."""
    return f"{number:,} {what if number == 1 else plural or f'{what}s'}"


def with_article(noun: str) -> str:
    """Return a noun behind its article: a list, an ndarray."""
    return f"{'an' if noun[:1].lower() in 'aeiou' or noun == 'ndarray' else 'a'} {noun}"


def listed(words: Collection[str], most: int = 5) -> str:
    """Return words as a list: a, b and c; of more than `most` words: a, b and 3 more."""
    shown = list(islice(words, most))
    if more := len(words) - len(shown):
        shown.append(f"{more:,} more")
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))
