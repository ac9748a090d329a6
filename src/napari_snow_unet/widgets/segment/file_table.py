"""The table of segmented files; a click on a row opens the image and its labels."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QHeaderView

from napari_snow_unet.base.errors import with_ways
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.batch import FileResult
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels.images import ImageFile, read_image
from napari_snow_unet.data.slides.any_image import large_image, read_any_image
from napari_snow_unet.data.slides.slide import Slide, open_slide
from napari_snow_unet.widgets.common.fields import fields_that_help
from napari_snow_unet.widgets.common.table import Column, TableView
from napari_snow_unet.widgets.segment import messages


def reason_of(result: FileResult) -> str:
    """Return why an image failed, without its path, and the fields that would help."""
    reason = result.error.split(": ", 1)[-1]
    return with_ways(reason, fields_that_help(result.helps))


def _in_words(result: FileResult) -> str:
    return f"failed: {reason_of(result)}" if result.error else "done"


def _whole(result: FileResult) -> str:
    """Return the whole path or error, since the row shows only a part."""
    return result.error or str(result.source)


COLUMNS = (
    Column("Image", lambda result: result.source.name, tip=_whole),
    Column("Nuclei", lambda result: "" if result.error else f"{result.nuclei:,}", "", _whole, True),
    Column(
        "Nuclear area",
        lambda result: "" if result.error else f"{result.area_fraction:.1%}",
        "",
        _whole,
        True,
    ),
    Column("Status", _in_words, tip=_whole),
)


class FileTable(TableView):
    """One row per image, in the order of completion; a click opens a finished one."""

    def __init__(self, on_open: Callable[[FileResult], None]) -> None:
        super().__init__(COLUMNS)
        self._on_open = on_open
        self.setToolTip(messages.FILES_TIP)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(len(COLUMNS) - 1, QHeaderView.ResizeMode.Stretch)
        self.setMinimumHeight(90)
        self.on_click(self._clicked)

    def add(self, result: FileResult) -> None:
        """Append a row."""
        self.contents.append(result)
        self.scrollToBottom()

    def _clicked(self, result: FileResult) -> None:
        if not result.error:
            self._on_open(result)


@dataclass(frozen=True)
class Opened:
    """An image file or slide, and its labels.

    Attributes
    ----------
    image : ImageFile or Slide
        The image.
    labels : array or sequence of arrays
        For a slide, the levels of a pyramid.
    path : Path
        The file of the labels.
    modified : tuple of int
        Modification times of both files, in nanoseconds.
    provenance : dict
        How the labels were made.
    """

    image: ImageFile | Slide
    labels: Any
    path: Path
    modified: tuple[int, int]
    provenance: dict[str, Any]


def open_files(result: FileResult) -> Generator[Progress, None, Opened]:
    """Read an image and the labels that were written for it.

    Parameters
    ----------
    result : FileResult
        The result for the image.

    Yields
    ------
    Progress
        Of unknown length.

    Returns
    -------
    Opened
        The image and its labels.
    """
    path = result.labels
    assert path is not None
    yield Progress(0, 0, messages.opening(result.source.name))
    modified = _modified(result.source), _modified(path)
    slide = large_image(result.source)
    if slide is not None:
        return Opened(slide, open_slide(path).levels, path, modified, result.provenance)
    image = read_any_image(result.source)
    # Only `read_image` reads stacks of labels, which are TIFFs.
    labels = read_image(path).array if path.suffix == ".tif" else read_labels(path)
    return Opened(image, labels, path, modified, result.provenance)


def _modified(path: Path) -> int:
    """Return the modification time of a file; 0 if it is gone, which reading it reports."""
    return path.stat().st_mtime_ns if path.exists() else 0
