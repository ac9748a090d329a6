"""The menu of the segment dock: a result as a file, as a script, as a command."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject
from qtpy.QtGui import QAction, QGuiApplication
from qtpy.QtWidgets import QFileDialog, QMenu, QPushButton

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.formats.messages import CONTAIN_NAMES
from napari_snow_unet.data.formats.nuclei_file import Nuclei, file_for, write_nuclei
from napari_snow_unet.data.formats.registry import FORMATS, format_of, formats_to_offer
from napari_snow_unet.data.names.file_names import valid_file_name
from napari_snow_unet.data.pixels.axes import Index, as_in_file, without_ones
from napari_snow_unet.data.slides import messages as of_slides
from napari_snow_unet.data.slides.any_image import read_any_header, why_other_pixels
from napari_snow_unet.napari_plugin import PLUGIN
from napari_snow_unet.napari_plugin.writer import nuclei_of
from napari_snow_unet.segmentation.reproduction import Recipe, as_command, as_python
from napari_snow_unet.segmentation.stack_result import Plane, was_changed
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.common.layers import pixels_of
from napari_snow_unet.widgets.common.settings import settings
from napari_snow_unet.widgets.segment import messages
from napari_snow_unet.widgets.segment.current_result import as_stored
from napari_snow_unet.widgets.segment.results import Record, Status

if TYPE_CHECKING:
    from napari.layers import Labels

    from napari_snow_unet.widgets.common.run_bar import RunBar
    from napari_snow_unet.widgets.segment.current_result import CurrentResult

QUIET_MS = 500


class SegmentMenu(QObject):
    """A button with a menu for the current result."""

    def __init__(self, current: CurrentResult, bar: RunBar) -> None:
        super().__init__(bar)
        self._current, self._bar = current, bar
        self._saved_to: Path | None = None
        self._saved_as = ""
        self.button = QPushButton("Result")
        self.button.setToolTip(messages.RESULT_TIP)
        self.menu = QMenu(self.button)
        self.menu.setToolTipsVisible(True)
        self.save = self._add("Save as…", messages.SAVE_TIP, self._ask_where)
        self.python = self._add(
            "Copy as Python", messages.PYTHON_TIP, partial(self._copy, as_python)
        )
        self.command = self._add(
            "Copy as command", messages.COMMAND_TIP, partial(self._copy, as_command)
        )
        self.reason = self.menu.addAction("")
        self.reason.setEnabled(False)
        self.menu.aboutToShow.connect(self.refresh)
        self.button.setMenu(self.menu)
        bar.add_button(self.button)

    def refresh(self) -> None:
        """Enable the actions that are possible, and say why the others are not."""
        layer, reasons = self._reasons()
        actions = (self.save, self.python, self.command)
        for action, reason in zip(actions, reasons, strict=True):
            action.setEnabled(not reason and not self._bar.running)
            action.setToolTip(reason or action.whatsThis())
        self.save.setText("Save as…" if layer is None else f"Save “{layer.name}” as…")
        reason = reasons[-1] or reasons[0]
        self.reason.setText(reason)
        self.reason.setVisible(bool(reason))

    def _reasons(self) -> tuple[Labels | None, tuple[str, str, str]]:
        """Return the result, and why it cannot be saved, copied as Python and as a command."""
        written = self._current.written
        if written is not None:
            layer, recipe = written
            text = _why_no_file(recipe)
            folder = Path(layer.metadata[PLUGIN]["labels"]).parent
            return layer, (messages.saved_already(folder), text, text)
        if self._current.result is None:
            return None, (messages.NO_RESULT,) * 3
        layer, record = self._current.result
        text = self._why_no_text(layer, record)
        some = "" if _recipe(record).is_whole else messages.SOME_SLICES
        return layer, ("", text, text or some)

    def save_as(self, path: Path, *, overwrite: bool) -> None:
        """Write the result in the format given by the extension of a file."""
        if self._current.result is None:
            return
        layer, record = self._current.result
        image = record.image()
        data, meta, _ = layer.as_layer_data_tuple()
        pixels = None if image is None else pixels_of(image)
        if pixels is not None and record.roi is not None:
            pixels = record.roi.cut(pixels, rgb=record.source.rgb)
        if pixels is not None and pixels.shape[: len(record.source.shape)] != record.source.shape:
            pixels = None  # the pixels were replaced since
        nuclei = partial(nuclei_of, data, meta, pixels, record.probability)
        self._bar.start(
            partial(_write, path, nuclei, overwrite),
            title=messages.writing(path.name),
            on_done=lambda written: self._bar.say(
                " ".join([messages.saved(written), *as_stored(record.provenance), CONTAIN_NAMES])
            ),
            quiet_ms=QUIET_MS,
            writes=True,
        )

    def _add(self, text: str, tip: str, slot: Callable[[], None]) -> QAction:
        action = self.menu.addAction(text)
        action.setWhatsThis(tip)
        action.triggered.connect(lambda: slot())
        return action

    def _why_no_text(self, layer: Labels, record: Record) -> str:
        if self._current.results.status(layer) is Status.EDITED:
            return messages.EDITED
        if record.mixed:
            return messages.MIXED
        if record.roi is not None:
            return messages.REGION_ONLY
        return messages.NO_FILE if record.image() is None else _why_no_file(_recipe(record))

    def _copy(self, make: Callable[[Recipe], str]) -> None:
        written = self._current.written
        if written is not None:  # labels in files cannot be edited
            self._compared(make(written[1]), "")
            return
        layer, record = self._current.result or (None, None)
        image = record.image() if record is not None else None
        if layer is None or record is None or image is None:
            self._bar.say(messages.NO_RESULT)
            return
        recipe = _recipe(record)
        self._bar.start(
            partial(_compare, recipe.source, pixels_of(image), layer.data, record.planes),
            title=messages.reading(Path(recipe.source).name),
            on_done=partial(self._compared, make(recipe)),
            quiet_ms=QUIET_MS,
        )

    def _compared(self, text: str, why_not: str) -> None:
        if why_not:
            self._bar.say(why_not, problem=True)
            return
        QGuiApplication.clipboard().setText(text)
        self._bar.say(messages.COPIED)

    def _ask_where(self) -> None:
        if self._current.result is None:
            return
        layer, record = self._current.result
        own = Path(record.provenance.get("source", "")).parent
        folder = self._saved_to or Path(settings().folder or own).expanduser()
        formats = formats_to_offer(len(without_ones(layer.data.shape)), self._saved_as)
        start = folder / valid_file_name(f"{layer.name}.{formats[0]}")
        path, chosen = QFileDialog.getSaveFileName(
            self.button,
            "Save nuclei",
            str(start),
            ";;".join([*(FORMATS[name].title for name in formats), messages.ALL_FORMATS_LABEL]),
        )
        if not path:
            return
        whole = _named(path, start, next((x for x in formats if FORMATS[x].title == chosen), ""))
        self._saved_to, self._saved_as = whole.parent, format_of(whole)
        # The dialog asks before overwriting the typed name, but never about folders.
        self.save_as(whole, overwrite=whole == Path(path) and format_of(path) != "zarr")


def _named(path: str, start: Path, chosen: str) -> Path:
    """Return a file with the typed extension, or else with that of the chosen format."""
    if Path(path) == start and chosen and chosen != format_of(start):
        return start.with_suffix(f".{chosen}")  # many dialogs leave the name unchanged
    if format_of(path) in FORMATS:
        return Path(path)
    return Path(f"{path}.{chosen or format_of(start)}")


def _recipe(record: Record) -> Recipe:
    shape, planes = as_in_file(record.source.shape, record.planes)
    return Recipe(
        source=record.provenance.get("source", ""),
        model=record.model,
        options=record.options,
        pixel_size_um=record.pixel_size_um,
        shape=shape,
        rgb=record.source.rgb,
        planes=planes,
        provenance=record.provenance,
    )


def _why_no_file(recipe: Recipe) -> str:
    """Say why a script cannot read this image from its file, judging by the header."""
    if not recipe.source:
        return messages.NO_FILE
    try:
        header = read_any_header(recipe.source)
    except InputError as error:
        return error_in_words(error)
    if "unturned" in recipe.provenance:
        return of_slides.as_stored(recipe.provenance["unturned"])
    if tuple(header.size) == recipe.shape[-2:]:
        return ""
    return messages.REGION_ONLY if "part" in recipe.provenance else messages.NO_FILE


def _compare(
    source: str, pixels: Any, labels: Any, planes: Mapping[Index, Plane]
) -> Generator[Progress, None, str]:
    yield Progress(0, 0, messages.reading(Path(source).name))
    if was_changed(labels, planes):
        return messages.EDITED
    return why_other_pixels(source, pixels)


def _write(
    path: Path, nuclei: Callable[[], Nuclei], overwrite: bool
) -> Generator[Progress, None, Path]:
    yield Progress(0, 0, messages.writing(path.name))
    made = nuclei()
    # The user has agreed to overwrite the chosen name only.
    overwrite = overwrite and file_for(path, made) == path
    return write_nuclei(path, made, overwrite=overwrite)
