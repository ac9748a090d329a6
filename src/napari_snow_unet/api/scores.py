"""Scores as the API returns them: a mapping for one image, tables for many."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from napari_snow_unet.api import html
from napari_snow_unet.metrics.files.evaluation import Evaluation
from napari_snow_unet.metrics.report.files import write_reports
from napari_snow_unet.metrics.report.values import problems, score_in_words, title_of
from napari_snow_unet.metrics.scores.score_names import MEANINGS, TITLES
from napari_snow_unet.metrics.scores.summary import mean_scores
from napari_snow_unet.metrics.scores.tile import Scores


@dataclass(frozen=True, eq=False)
class ImageScores(Mapping[str, "float | int | None"]):
    """Scores by their names, such as ``scores["dice"]``; None where a score is undefined.

    In a notebook it is a table that says what each score means.

    Attributes
    ----------
    messages : tuple of str
        What was assumed about prediction and ground truth.
    """

    scores: Scores
    messages: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> float | int | None:
        return self.scores[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.scores)

    def __len__(self) -> int:
        return len(self.scores)

    def _repr_html_(self) -> str:
        rows = (
            (TITLES[name], score_in_words(name, value), MEANINGS[name])
            for name, value in self.scores.items()
        )
        texts = "".join(map(html.paragraph, self.messages))
        return html.table(("score", "value", "meaning"), rows) + texts


@dataclass(frozen=True, eq=False, repr=False)
class FolderScores:
    """Scores of many images; in a notebook it is a table.

    Attributes
    ----------
    evaluation : Evaluation
        All counts, for `write`.
    """

    evaluation: Evaluation

    @property
    def tiles(self) -> dict[str, Scores]:
        """Scores of every tile, by its name: what ``pandas.DataFrame(...).T`` takes."""
        return self.evaluation.tiles

    @property
    def pooled(self) -> Scores:
        """Scores of the pixels and nuclei of all tiles together."""
        return self.evaluation.pooled_scores

    @property
    def mean(self) -> Scores:
        """Mean of each score over the tiles where it is defined."""
        return {name: mean.value for name, mean in mean_scores(self.tiles).items()}

    @property
    def failed(self) -> dict[str, str]:
        """Why a tile could not be scored, by its name."""
        return self.evaluation.failed

    @property
    def messages(self) -> list[str]:
        """What is not in the numbers: tiles without a partner, assumptions, failures."""
        return list(problems(self.evaluation))

    def write(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> list[Path]:
        """Write ``scores.csv``, ``scores.json`` and ``report.html``; return their paths."""
        return write_reports(Path(folder), [self.evaluation], overwrite=overwrite)

    def __repr__(self) -> str:
        dice = score_in_words("dice", self.mean["dice"])
        return f"<FolderScores: {len(self.tiles)} tiles, mean Dice {dice}>"

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
        return html.table(header, rows) + "".join(map(html.paragraph, self.messages))
