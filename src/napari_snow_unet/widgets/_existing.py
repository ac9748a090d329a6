"""What stands in the way of results, in the words of the dock, which has a box for it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from napari_snow_unet.batch import FileResult
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.progress import Progress
from napari_snow_unet.widgets._run import Steps

ANYWHERE, HERE = "allow overwriting", "tick Replace existing results"


def in_dock(result: FileResult) -> FileResult:
    """Return what became of an image with the remedy that the dock offers."""
    return replace(result, error=result.error.replace(ANYWHERE, HERE))


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
            remedy=error.remedy.replace(ANYWHERE, HERE),
            path=error.path,
        ) from error
