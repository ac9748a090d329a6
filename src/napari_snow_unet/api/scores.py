"""Scores as the API returns them: a mapping for one image, tables for many."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_snow_unet.api.calls import Named
from napari_snow_unet.base.shown import Shown, paragraph, table
from napari_snow_unet.base.words import counted
from napari_snow_unet.metrics.files.evaluation import Evaluation
from napari_snow_unet.metrics.report.files import write_reports
from napari_snow_unet.metrics.report.values import problems, score_in_words, title_of
from napari_snow_unet.metrics.scores.score_names import MEANINGS, TITLES
from napari_snow_unet.metrics.scores.summary import mean_scores

_SHOWN = ("dice", "pq", "aji")


class ImageScores(Shown, Named[str, "float | int | None"]):
    """Scores by their names, such as ``scores["dice"]``; None where a score is undefined.

    In a notebook it is a table that says what each score means.

    Attributes
    ----------
    messages : tuple of str
        What was assumed about prediction and ground truth.
    """

    def __init__(self, scores: Mapping[str, float | int | None], messages: Iterable[str] = ()):
        super().__init__(scores)
        self.messages = tuple(messages)

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        shown = (f"{TITLES[name]} {score_in_words(name, self[name])}" for name in _SHOWN)
        return ", ".join((*shown, f"{len(self)} scores"))

    def _repr_html_(self) -> str:
        rows = (
            (TITLES[name], score_in_words(name, value), MEANINGS[name])
            for name, value in self.items()
        )
        texts = "".join(map(paragraph, self.messages))
        return table(("score", "value", "meaning"), rows) + texts


@dataclass(frozen=True, eq=False, repr=False)
class FolderScores(Shown):
    """Scores of many images; in a notebook it is a table.

    Attributes
    ----------
    evaluation : Evaluation
        All counts, for `write`.
    """

    evaluation: Evaluation

    @property
    def tiles(self) -> dict[str, ImageScores]:
        """Scores of every tile, by its name: what ``pandas.DataFrame(...).T`` takes."""
        tiles = self.evaluation.tiles
        return Named({name: ImageScores(scores) for name, scores in tiles.items()})

    @property
    def pooled(self) -> ImageScores:
        """Scores of the pixels and nuclei of all tiles together."""
        return ImageScores(self.evaluation.pooled_scores)

    @property
    def mean(self) -> ImageScores:
        """Mean of each score over the tiles where it is defined."""
        means = mean_scores(self.evaluation.tiles)
        return ImageScores({name: mean.value for name, mean in means.items()})

    @property
    def failed(self) -> dict[str, str]:
        """Why a tile could not be scored, by its name."""
        return self.evaluation.failed

    @property
    def messages(self) -> list[str]:
        """What is not in the numbers: tiles without a partner, assumptions, failures."""
        return list(problems(self.evaluation))

    def write(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
        """Write ``scores.csv``, ``scores.json`` and ``report.html``; return their paths.

        They contain the names of the images.
        """
        return write_reports(Path(folder), [self.evaluation], overwrite=overwrite)

    def one_line(self) -> str:
        """Return the line that a prompt shows."""
        dice, failed = score_in_words("dice", self.mean["dice"]), len(self.failed)
        also = f", {failed:,} failed" if failed else ""
        return f"{counted(len(self.evaluation.tiles), 'tile')}, mean Dice {dice}{also}"

    def _repr_html_(self) -> str:
        pooled, mean = self.pooled, self.mean
        rows = (
            (
                title_of(name, self.evaluation),
                score_in_words(name, pooled[name]),
                score_in_words(name, mean[name]),
            )
            for name in mean
        )
        header = (f"{len(self.tiles)} tiles", "pooled", "mean")
        return table(header, rows) + "".join(map(paragraph, self.messages))
