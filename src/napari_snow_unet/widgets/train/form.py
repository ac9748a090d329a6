"""The form of the train dock, which reads and shows `TrainingOptions`."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from magicgui.widgets import Widget
from qtpy.QtWidgets import QLabel, QWidget

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import declared
from napari_snow_unet.models import CLASSICAL, list_models
from napari_snow_unet.unet.models import folder
from napari_snow_unet.unet.runs.config import RunConfig
from napari_snow_unet.unet.runs.options import TrainingOptions, make_options, whole_tiles
from napari_snow_unet.widgets.common.fields import error_in_words
from napari_snow_unet.widgets.common.form import Note, Rows, end_with, offer, stacked
from napari_snow_unet.widgets.train import messages
from napari_snow_unet.widgets.train.fields import (
    fields_of_computing,
    fields_of_main_options,
    fields_of_more_options,
    fields_of_places,
    model_choices,
)
from napari_snow_unet.widgets.train.state import Question, TrainState

NEXT_NAMES = 100


class TrainingForm(QWidget):
    """The fields of the train dock in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.places, self.computing = fields_of_places(), fields_of_computing()
        self.main, self.more = fields_of_main_options(), fields_of_more_options()
        self._labels: dict[Widget, QLabel] = {}
        self.tiles, self.device = Note(in_form=True), Note(in_form=True)
        self._suggested: Path | None = None
        self._lay_out()
        self.list_models()
        self.main.preset.changed.connect(self._take_preset)
        self.computing.fine_tune.changed.connect(self._take_model)
        self.places.dataset.changed.connect(self._suggest_folder)

    @property
    def dataset(self) -> Path | None:
        """The chosen dataset."""
        return self.places.dataset.value

    @property
    def run_folder(self) -> Path | None:
        """The chosen run folder."""
        return self.places.run_folder.value

    def options(self) -> TrainingOptions:
        """Return the chosen options; raise `InputError` for values that cannot be used."""
        values = {**self.main(), **self.more()}
        options = make_options(**values)
        return whole_tiles(options) if values["crop"] is None else options

    def show_run(self, run_folder: Path, config: RunConfig) -> None:
        """Show the choices of an earlier training."""
        places = self.places
        with places.dataset.changed.blocked(), places.run_folder.changed.blocked():
            places.dataset.value, places.run_folder.value = Path(config.dataset), run_folder
        self.list_models(config.fine_tune)
        self._show({**config.options.as_dict(), "preset": config.options.preset})

    def question(self) -> tuple[Question | None, str]:
        """Return what to check about the dataset, and the problem with the options or the model."""
        question, problem = None, ""
        try:
            options = self.options()
            if self.dataset is not None:
                whole, are = options.crop is None, options.masks_are
                question = Question(self.dataset, options.seed, options.fold, whole, are)
            self._architecture()
        except InputError as error:
            problem = error_in_words(error)
        return question, problem

    def show_state(self, state: TrainState) -> None:
        """Show the notes about the dataset and the device; lock what cannot be changed."""
        for note, answer in ((self.tiles, state.tiles), (self.device, state.device)):
            text = "" if answer is None else answer.text
            note.say(text, problem=answer is not None and (answer.problem or answer.doubtful))
            note.setVisible(bool(text))
        for field in (self.main.base_filters, self.more.channel):
            field.enabled = not state.from_model
        self.setEnabled(not state.running)

    def list_models(self, chosen: str | None = None) -> None:
        """List the models that a training can start from, and the chosen one even if it is gone."""
        box = self.computing.fine_tune
        chosen = box.value if chosen is None else chosen
        names = [
            (entry.name, str(entry.path))
            for entry in list_models()
            if entry.name != CLASSICAL and not entry.problem
        ]
        if chosen and chosen not in dict(names).values():
            names.append((chosen, chosen))
        offer(box, model_choices(names))
        with box.changed.blocked():
            box.value = chosen

    def _take_preset(self, preset: str) -> None:
        chosen = {"epochs", "learning_rate", "base_filters", "channel", "fold", "seed", "masks_are"}
        values = make_options(preset).as_dict()
        self._show({name: value for name, value in values.items() if name not in chosen})

    def _show(self, values: dict[str, Any]) -> None:
        with ExitStack() as blocked:
            for fields in (self.main, self.more):
                for field in fields:
                    blocked.enter_context(field.changed.blocked())
                    if field.name in values:
                        value = values[field.name]
                        missing = {"crop": 0, "fold": -1, "masks_are": ""}.get(field.name)
                        field.value = missing if value is None else value
        self.main.changed.emit(None)

    def _take_model(self) -> None:
        with suppress(InputError):  # Train shows the reason
            self._show(self._architecture())

    def _architecture(self) -> dict[str, Any]:
        """Return the options that the model to start from decides."""
        if not (model := self.computing.fine_tune.value):
            return {}
        if not Path(model).is_dir():
            raise InputError(messages.MODEL_GONE, path=Path(model))
        config = folder.read_config(Path(model))
        return {"base_filters": config.base_filters, "channel": config.channel}

    def _suggest_folder(self, dataset: Path | None) -> None:
        """Suggest a new folder beside the dataset, unless the user has chosen one."""
        if (
            dataset is None
            or not dataset.is_dir()
            or self.run_folder not in (None, self._suggested)
        ):
            return
        names = (f"{dataset.name}-training{f'-{n}' if n > 1 else ''}" for n in range(1, NEXT_NAMES))
        free = (dataset.parent / name for name in names if not (dataset.parent / name).exists())
        self._suggested = next(free, None)
        self.places.run_folder.value = self._suggested

    def _lay_out(self) -> None:
        main, more = Rows(self._labels), Rows(self._labels)
        main.add("Dataset", self.places.dataset)
        main.add_note(self.tiles)
        main.add("Run folder", self.places.run_folder)
        for field in self.main:
            main.add(declared(TrainingOptions)[field.name].option.label, field)
        main.add("Start from", self.computing.fine_tune)
        main.add("Device", self.computing.device)
        main.add_note(self.device)
        for field in self.more:
            more.add(declared(TrainingOptions)[field.name].option.label, field)
        more.add("Keras backend", self.computing.backend)
        self.advanced = stacked(self, main, advanced=more)
        end_with(self, self.places, self.main, self.more, self.computing)
