"""What stands in the way of results, in the words of the dock, which has a box for it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.batch import FileResult
from napari_snow_unet.batch.writing import WHERE_TAKEN
from napari_snow_unet.widgets.common.run import Steps

_BOX = "tick Replace existing results"
_WORDS = {WHERE_TAKEN: f"Choose another folder, or {_BOX}.", "allow overwriting": _BOX}


def in_dock(result: FileResult) -> FileResult:
    """Return what became of an image with the remedy that the dock offers."""
    return replace(result, error=_in_words_of_dock(result.error))


def _in_words_of_dock(text: str) -> str:
    for words, own in _WORDS.items():
        text = text.replace(words, own)
    return text


def reason(error: str) -> str:
    """Return an error without the path in front of it."""
    return error.split(": ", 1)[-1]


def steps_in_dock(steps: Steps) -> Generator[Progress, None, Any]:
    """Run steps whose errors name the remedy that the dock offers."""
    try:
        return (yield from steps())
    except InputError as error:
        raise InputError(
            error.received,
            expected=error.expected,
            remedy=_in_words_of_dock(error.remedy),
            path=error.path,
        ) from error
