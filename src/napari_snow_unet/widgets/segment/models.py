"""The list of models in the dock, kept up to date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from magicgui.widgets import ComboBox, PushButton
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtWidgets import QFileDialog

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.models import (
    CLASSICAL,
    DEFAULT,
    ModelEntry,
    describe_model,
    list_models,
)
from napari_snow_unet.unet.engine.openvino import NetworksUnusableError
from napari_snow_unet.unet.models.folder import (
    CONFIG,
    FILES,
    find_folders,
    user_folder,
    weights_of,
)
from napari_snow_unet.unet.runs.registry import registered
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.common.form import wrapped
from napari_snow_unet.widgets.common.layers import unwrapped
from napari_snow_unet.widgets.segment import messages

if TYPE_CHECKING:
    from napari.viewer import Viewer

LOOK_EVERY_MS = 2000
#: The networks that have run in a viewer.
_ran: WeakKeyDictionary[Viewer, set[str]] = WeakKeyDictionary()


class ModelChoice(QObject):
    """Fills a box with the available models, as `models.open_model` takes them, and finds new ones.

    The box is empty until `refresh` is called. `on_change` is called when another model is chosen
    or the chosen one has changed; `refused` is emitted if a chosen file is not a model.
    """

    refused = Signal(object)

    def __init__(self, box: ComboBox, browse: PushButton, on_change: Callable[[], None]) -> None:
        super().__init__(box.native)
        self._box, self._on_change = box, on_change
        self._entries: dict[str, ModelEntry] = {}
        self._seen: list[tuple[str, int]] = []
        self._from_disk: dict[str, ModelEntry] = {}
        self._broken = ""
        self._missing = ""
        box.changed.connect(self._chosen)
        browse.changed.connect(self._browse)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._timer.start(LOOK_EVERY_MS)

    @property
    def entry(self) -> ModelEntry | None:
        """The facts about the chosen model."""
        return {**self._from_disk, **self._entries}.get(self._box.value)

    def look(self) -> None:
        """List the models again if one was added, changed or removed."""
        if self._box.native.isVisible() and _user_models() != self._seen:
            self.refresh()

    def refresh(self) -> None:
        """List the models again."""
        self._seen = _user_models()
        entries = list_models()
        names = [entry.name for entry in entries]
        self._entries = {
            entry.name if names.index(entry.name) == number else str(entry.path): entry
            for number, entry in enumerate(entries)
        }
        choices = [(_label(entry), value) for value, entry in self._entries.items()]
        choices += [(f"{Path(path).name} (from disk)", path) for path in self._from_disk]
        with self._box.changed.blocked():
            current = self._box.value
            self._box.choices = choices
            values = [value for _, value in choices]
            self._box.value = current if current in values else values[0]
        self._on_change()

    def start_with(self, model: str) -> None:
        """List the models, and choose one; if it does not exist, say so and keep the default."""
        self.refresh()
        if model in ("", DEFAULT):
            return
        path = Path(model).expanduser()
        if model in self._entries:
            self._box.value = model
        elif (path / CONFIG).is_file():
            try:
                self._choose(path)
            except InputError as error:
                self._missing = messages.model_unusable(str(error))
                self._on_change()
        else:
            self._missing = messages.model_missing(model)
            self._on_change()

    def problem(self) -> str:
        """Say why the chosen model cannot be used; empty if it can."""
        entry = self.entry
        if entry is not None and entry.problem:
            return entry.problem
        if self._missing:
            return self._missing
        return "" if self._box.value == CLASSICAL else self._broken

    def note_error(self, error: Exception) -> None:
        """Remember if an error means that no network can be used."""
        if isinstance(error, NetworksUnusableError):
            self._broken = error_in_words(error)
            self._on_change()

    def _chosen(self) -> None:
        self._missing = ""
        self._on_change()

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self._box.native, messages.BROWSE_LABEL, "", messages.MODEL_FILES_LABEL
        )  # fmt: skip
        if path:
            model = Path(path)
            try:
                self._choose(model.parent if model.name in FILES else model)
            except InputError as error:
                self.refused.emit(error)

    def _choose(self, model: Path) -> None:
        """List a model in another folder and choose it; raise `InputError` if it is not a model."""
        self._from_disk[str(model)] = describe_model(model)
        self.refresh()
        self._box.value = str(model)


def model_in_words(entry: ModelEntry) -> str:
    """Describe a model in a few lines."""
    lines = [entry.name]
    if entry.kind != "classical":
        lines.append(messages.model_sizes(entry.pixel_size_um, entry.channel))
    if entry.parameters:
        lines.append(messages.model_in_numbers(entry.parameters, entry.size))
    if entry.trained_on:
        lines.append(messages.trained_on(entry.trained_on))
    return "\n".join(wrapped(line) for line in lines)


def first_run_note(viewer: Viewer, model: str) -> list[str]:
    """Return a note on the first run of a network in a viewer; later ones have none."""
    models = _ran.setdefault(unwrapped(viewer), set())
    if model == CLASSICAL or model in models:
        return []
    models.add(model)
    return [messages.NOT_CHECKED]


def _label(entry: ModelEntry) -> str:
    if entry.problem:
        return f"{entry.name} (damaged)"
    kinds = {"bundled": "", "user": " (yours)", "classical": " (no network)"}
    return entry.name + kinds[entry.kind]


def _user_models() -> list[tuple[str, int]]:
    """Return values that change when a user model is added, removed or rewritten."""
    seen = []
    for folder in (*find_folders(user_folder()), *registered().values()):
        try:
            seen.append((str(folder), weights_of(folder).stat().st_mtime_ns))
        except OSError:  # it is being removed
            continue
    return seen
