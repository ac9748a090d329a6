"""The menu of the segment dock: a result as a file, as a script, as a command."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject
from qtpy.QtGui import QAction, QGuiApplication
from qtpy.QtWidgets import QFileDialog, QMenu, QPushButton

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.datasets.truth_origin import EDITS
from napari_snow_unet.data.formats.messages import CONTAIN_NAMES
from napari_snow_unet.data.formats.nuclei_file import (
    Nuclei,
    file_for,
    write_corrected,
    write_nuclei,
)
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
from napari_snow_unet.widgets.correct.layer_edits import LayerEdits
from napari_snow_unet.widgets.correct.toolbar import Corrections
from napari_snow_unet.widgets.correct.unsaved import UnsavedEdits
from napari_snow_unet.widgets.segment import messages
from napari_snow_unet.widgets.segment.results import Record
from napari_snow_unet.widgets.segment.state import as_stored

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
        self._tools: Corrections | None = None
        self._unsaved: UnsavedEdits | None = None
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

    def follow_edits(self, tools: Corrections, unsaved: UnsavedEdits) -> None:
        """Save edited labels together with the automatic ones."""
        self._tools, self._unsaved = tools, unsaved

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
        alone = self._edited_alone()
        if alone is not None:
            return alone, ("", messages.NO_MAP, messages.NO_MAP)
        if self._current.result is None:
            return None, (messages.NO_RESULT,) * 3
        layer, record = self._current.result
        text = self._why_no_text(record)
        edited = messages.EDITED if self._current.is_edited(layer) else ""
        some = "" if _recipe(record).is_whole else messages.SOME_SLICES
        return layer, ("", text, text or edited or some)

    def save_as(self, path: Path, *, overwrite: bool) -> None:
        """Write the result in the format given by the extension of a file."""
        alone = self._edited_alone()
        layer, record = (alone, None) if alone is not None else self._current.result or (None, None)
        if layer is None:
            return
        data, meta, _ = layer.as_layer_data_tuple()
        edits, automatic = self._edits(layer), None
        if edits is not None and edits.is_edited:
            facts = {**meta["metadata"].get(PLUGIN, {}), EDITS: edits.total()}
            data, meta = np.array(data), {**meta, "metadata": {PLUGIN: facts}}
            automatic = partial(nuclei_of, edits.automatic(), meta)
        probability = None if record is None else record.probability
        nuclei = partial(nuclei_of, data, meta, self._pixels(layer, record), probability)
        version = (0, 0, 0) if edits is None else edits.version
        notes = [] if record is None else as_stored(record.provenance)

        def saved(files: list[Path]) -> None:
            beside = [messages.automatic_beside(files[1])] if files[1:] else []
            self._bar.say(" ".join([messages.saved(files[0]), *beside, *notes, CONTAIN_NAMES]))
            if self._unsaved is not None:
                self._unsaved.saved(layer, version)

        self._bar.start(
            partial(_write, path, nuclei, automatic, overwrite),
            title=messages.writing(path.name),
            on_done=saved,
            quiet_ms=QUIET_MS,
            writes=True,
        )

    def _pixels(self, layer: Labels, record: Record | None) -> Any:
        """Return the image of labels, while it fits."""
        image = self._current.image_of(layer)
        if image is None:
            return None
        pixels = pixels_of(image)
        if record is None:
            return pixels
        if record.roi is not None:
            pixels = record.roi.cut(pixels, rgb=record.source.rgb)
        # else the pixels were replaced since
        return pixels if pixels.shape[: layer.ndim] == record.source.shape else None

    def _edited_alone(self) -> Labels | None:
        """Return the active labels if they were edited and are no result of this dock."""
        edited = [] if self._unsaved is None else self._unsaved.layers
        active = self._current.active
        return active if active in edited and self._current.results.get(active) is None else None

    def _edits(self, layer: Labels) -> LayerEdits | None:
        return None if self._tools is None else self._tools.edits(layer)

    def _add(self, text: str, tip: str, slot: Callable[[], None]) -> QAction:
        action = self.menu.addAction(text)
        action.setWhatsThis(tip)
        action.triggered.connect(lambda: slot())
        return action

    def _why_no_text(self, record: Record) -> str:
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
        recipe, edits = _recipe(record), self._edits(layer)
        if edits is not None and edits.is_edited:
            recipe.provenance[EDITS] = edits.total()
        steps = partial(_compare, recipe, pixels_of(image), layer.data, record.planes)
        self._bar.start(
            steps,
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
        layer, _ = self._reasons()
        if layer is None:
            return
        own = Path(layer.metadata.get(PLUGIN, {}).get("source", "")).parent
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
        provenance=dict(record.provenance),
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
    recipe: Recipe, pixels: Any, labels: Any, planes: Mapping[Index, Plane]
) -> Generator[Progress, None, str]:
    yield Progress(0, 0, messages.reading(Path(recipe.source).name))
    if EDITS not in recipe.provenance and was_changed(labels, planes):
        return messages.CHANGED_OTHERWISE
    return why_other_pixels(recipe.source, pixels)


def _write(
    path: Path,
    nuclei: Callable[[], Nuclei],
    automatic: Callable[[], Nuclei] | None,
    overwrite: bool,
) -> Generator[Progress, None, list[Path]]:
    """Write labels and, beside them, what they were before they were edited."""
    yield Progress(0, 0, messages.writing(path.name))
    made = nuclei()
    # The user has agreed to overwrite the chosen name only.
    overwrite = overwrite and file_for(path, made) == path
    if automatic is None:
        return [write_nuclei(path, made, overwrite=overwrite)]
    return write_corrected(path, made, automatic(), overwrite=overwrite)
