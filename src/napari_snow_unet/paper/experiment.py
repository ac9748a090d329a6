"""The folder of an experiment: its options, and the paths of everything in it.

=================== ==============================================================================
``experiment.json`` limit, epochs and seed of the experiment
``dataset/``        prepared tiles with binary masks, split into train, val and test
``training/``       the run folder of ``train``; opens in the training dock
``models/``         the best network of the first 20 epochs
``predictions/``    a mask and a probability map for every test tile, in a folder per method
``evaluation/``     scores of every tile, ``report.html``
``figures/``        the paper's figures, as PNG and SVG
``table.csv``       the paper's four scores and those of the experiment
``methods.md``      a paragraph on the methods
=================== ==============================================================================
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.paper import messages

PLAN = "experiment.json"
FORMAT, VERSION = "napari-snow-unet experiment", 1
EARLY = 20  # epochs after which the paper's curves are almost flat


@dataclass(frozen=True)
class Experiment:
    """An experiment and its folder."""

    folder: Path
    limit: int = 5000  # tiles, the first in natural order of their names
    epochs: int = 50
    seed: int = 0  # of the split and the training

    @property
    def dataset(self) -> Path:
        """Prepared tiles."""
        return self.folder / "dataset"

    @property
    def training(self) -> Path:
        """The run folder of the training."""
        return self.folder / "training"

    @property
    def early_model(self) -> Path:
        """The best network of the first epochs."""
        return self.folder / "models" / f"best-of-{EARLY}"

    @property
    def evaluation(self) -> Path:
        """Scores."""
        return self.folder / "evaluation"

    @property
    def figures(self) -> Path:
        """Figures."""
        return self.folder / "figures"

    @property
    def table(self) -> Path:
        """The table of results."""
        return self.folder / "table.csv"

    @property
    def methods(self) -> Path:
        """The paragraph on methods."""
        return self.folder / "methods.md"

    @property
    def stages(self) -> tuple[int, ...]:
        """Numbers of epochs after which the network is evaluated."""
        return (EARLY, self.epochs) if self.epochs > EARLY else (self.epochs,)

    def predictions(self, method: str) -> Path:
        """Return the folder for the predictions of a method."""
        return self.folder / "predictions" / method


def begin_experiment(
    folder: str | os.PathLike[str], *, limit: int = 5000, epochs: int = 50, seed: int = 0
) -> Experiment:
    """Create the folder of an experiment, or continue one with the same numbers."""
    experiment = Experiment(Path(folder).resolve(), limit, epochs, seed)
    path = experiment.folder / PLAN
    wanted = {"limit": limit, "epochs": epochs, "seed": seed}
    if path.is_file():
        stored = _read(path)
        if stored != wanted:
            numbers = _in_words(stored), _in_words(wanted)
            raise InputError(messages.other_experiment(*numbers), path=experiment.folder)
        return experiment
    if experiment.folder.exists() and (
        not experiment.folder.is_dir() or any(experiment.folder.iterdir())
    ):
        raise InputError(messages.FOLDER_IN_USE, path=experiment.folder)
    content = {"format": FORMAT, "version": VERSION} | wanted
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return experiment


def _read(path: Path) -> dict[str, int]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["version"] != VERSION:
            raise ValueError("it has another format or version")
        return {name: int(content[name]) for name in ("limit", "epochs", "seed")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(messages.unreadable_plan(str(error)), path=path) from error


def _in_words(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in numbers.items())
