"""The folder of an experiment: what was asked for, and where everything in it stands.

=================== ==============================================================================
``experiment.json`` limit, epochs and seed: what the experiment is
``dataset/``        prepared tiles with binary masks, divided into train, val and test
``training/``       the training, as ``train`` makes it; opens in the training dock
``models/``         the best network of the first 20 epochs
``predictions/``    a mask and a probability map for every test tile, in a folder per method
``evaluation/``     scores of every tile, ``report.html``
``figures/``        the paper's figures, as PNG and SVG
``table.csv``       the paper's four numbers beside ours
``methods.md``      a paragraph on what was done
=================== ==============================================================================
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole

PLAN = "experiment.json"
FORMAT, VERSION = "napari-snow-unet experiment", 1
EARLY = 20  # epochs after which the paper's curves are nearly flat


@dataclass(frozen=True)
class Experiment:
    """An experiment and its folder."""

    folder: Path
    limit: int = 5000  # tiles, the first in natural order of their names
    epochs: int = 50
    seed: int = 0  # of the division into subsets and of the training

    @property
    def dataset(self) -> Path:
        """Prepared tiles."""
        return self.folder / "dataset"

    @property
    def training(self) -> Path:
        """Folder of the training."""
        return self.folder / "training"

    @property
    def early_model(self) -> Path:
        """The best network of the first epochs, kept while the training goes on."""
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
        """The paragraph for a report."""
        return self.folder / "methods.md"

    @property
    def stages(self) -> tuple[int, ...]:
        """Numbers of epochs after which the network is looked at."""
        return (EARLY, self.epochs) if self.epochs > EARLY else (self.epochs,)

    def predictions(self, method: str) -> Path:
        """Return the folder for what a method predicts."""
        return self.folder / "predictions" / method


def begin_experiment(
    folder: str | os.PathLike[str], *, limit: int = 5000, epochs: int = 50, seed: int = 0
) -> Experiment:
    """Make the folder of an experiment, or go on with one that has the same numbers."""
    experiment = Experiment(Path(folder).resolve(), limit, epochs, seed)
    path = experiment.folder / PLAN
    wanted = {"limit": limit, "epochs": epochs, "seed": seed}
    if path.is_file():
        found = _read(path)
        if found != wanted:
            raise InputError(
                f"an experiment with {_words(found)}",
                expected=f"one with {_words(wanted)}",
                remedy="Choose another folder, or go on with the numbers it was begun with.",
                path=experiment.folder,
            )
        return experiment
    if experiment.folder.exists() and (
        not experiment.folder.is_dir() or any(experiment.folder.iterdir())
    ):
        raise InputError(
            "there is something else",
            expected="a new or empty folder, or an experiment to go on with",
            remedy="Choose another folder; nothing was touched.",
            path=experiment.folder,
        )
    content = {"format": FORMAT, "version": VERSION} | wanted
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return experiment


def _read(path: Path) -> dict[str, int]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT or content["version"] != VERSION:
            raise ValueError("it is of another kind or version")
        return {name: int(content[name]) for name in ("limit", "epochs", "seed")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"it cannot be used ({error!r})",
            expected="the plan of an experiment",
            remedy="Choose another folder.",
            path=path,
        ) from error


def _words(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in numbers.items())
