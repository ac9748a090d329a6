"""The paper's figures, with the tiles and training history of an experiment."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets.manifest import Tile, read_manifest
from napari_snow_unet.data.datasets.sources import find_members
from napari_snow_unet.data.datasets.tile_arrays import read_mask
from napari_snow_unet.data.formats.label_images import read_labels
from napari_snow_unet.data.pixels.images import read_image
from napari_snow_unet.metrics.files.evaluation import Evaluation
from napari_snow_unet.paper import messages
from napari_snow_unet.paper.diagrams import draw_network, draw_pipeline
from napari_snow_unet.paper.drawing import new_figure, save
from napari_snow_unet.paper.experiment import Experiment
from napari_snow_unet.paper.steps import Method
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.runs.folder import Row
from napari_snow_unet.unet.training.curves import QUANTITIES, plot_quantity

TILE = "figure_2_1_tile", "figure_2_2_mask", "figure_2_3_labels"
PIPELINE, NETWORK = "figure_2_4_pipeline", "network"
CURVES = {name: f"figure_4_{number}_{name}" for number, name in enumerate(QUANTITIES, start=1)}
EXAMPLES = "figure_4_6_test_tiles", "figure_4_7_expected", "figure_4_8_predicted"
#: File names of all figures without extension; each is written as PNG (300 dpi) and SVG.
NAMES = (*TILE, PIPELINE, NETWORK, *CURVES.values(), *EXAMPLES)


def draw_figures(
    experiment: Experiment,
    sources: Sequence[str | os.PathLike[str]],
    result: tuple[Method, Evaluation],
    history: Sequence[Row],
    network: UNetConfig,
) -> None:
    """Draw all figures, overwriting existing ones; `result` is of the network shown.

    Masks before binarisation are read from the `sources` of the dataset.
    """
    drawn = {PIPELINE: draw_pipeline(), NETWORK: draw_network(network)}
    drawn |= _tile_figures(experiment, sources)
    drawn |= {CURVES[name]: _curve(history, name, title) for name, title in QUANTITIES.items()}
    drawn |= _examples(experiment, *result)
    for name in NAMES:
        save(drawn[name], experiment.figures, name)


def best_median_worst(dice: Mapping[str, float | None]) -> list[str]:
    """Return the best, the median (the better one of two) and the worst tile by Dice.

    Tiles without nuclei in truth and prediction have no Dice and are ignored.
    """
    defined = {name: value for name, value in dice.items() if value is not None}
    order = sorted(defined, key=lambda name: (-defined[name], name))
    return [order[0], order[(len(order) - 1) // 2], order[-1]] if order else []


def _tile_figures(
    experiment: Experiment, sources: Sequence[str | os.PathLike[str]]
) -> dict[str, Any]:
    from skimage.color import label2rgb

    tiles = read_manifest(experiment.dataset)
    tile = next((tile for tile in tiles if tile.nuclei), tiles[0])
    pictures = (
        read_image(experiment.dataset / tile.image).array[..., :3],
        read_labels(experiment.dataset / tile.mask) > 0,
        label2rgb(_original_labels(tile, sources), bg_label=0),
    )
    titles = (f"{tile.name}: tile", "mask, binarised", f"mask as released: {tile.nuclei} nuclei")
    return {
        name: _pictures([picture], [title])
        for name, picture, title in zip(TILE, pictures, titles, strict=True)
    }


def _original_labels(tile: Tile, sources: Sequence[str | os.PathLike[str]]) -> NDArray[np.int32]:
    """Read the original mask of a tile, with an id for every nucleus."""
    matches, _ = run(find_members(sources, Path(os.devnull)))
    members = {member.label: member for member, *_ in matches}
    if tile.source_mask not in members:
        raise InputError(messages.source_missing(tile.source_mask))
    return read_mask(members[tile.source_mask], (tile.height, tile.width), image=tile.name)[0]


def _curve(history: Sequence[Row], name: str, title: str) -> Any:
    figure, axes = new_figure(5.0, 3.6)
    plot_quantity(axes, history, name)
    axes.set(xlabel="epoch", ylabel=title)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure


def _examples(experiment: Experiment, method: Method, evaluation: Evaluation) -> dict[str, Any]:
    dice = {name: scores["otsu"]["dice"] for name, scores in evaluation.tiles_at.items()}
    chosen = best_median_worst(dice) or list(evaluation.tiles)[:3]
    by_stem = {Path(tile.image).stem: tile for tile in read_manifest(experiment.dataset)}
    tiles = [by_stem[name] for name in chosen]
    words = [
        f"{word}: {tile.name}, Dice {dice[name]:.3f}" if dice[name] is not None else tile.name
        for word, name, tile in zip(("best", "median", "worst"), chosen, tiles, strict=False)
    ]
    folder = experiment.predictions(method.name)
    pictures = {
        EXAMPLES[0]: [read_image(experiment.dataset / tile.image).array[..., :3] for tile in tiles],
        EXAMPLES[1]: [read_labels(experiment.dataset / tile.mask) > 0 for tile in tiles],
        EXAMPLES[2]: [read_labels(folder / f"{name}.png") > 0 for name in chosen],
    }
    return {name: _pictures(shown, words) for name, shown in pictures.items()}


def _pictures(pictures: Sequence[NDArray[Any]], titles: Sequence[str]) -> Any:
    figure, axes = new_figure(3.4 * len(pictures), 3.7, columns=len(pictures))
    for place, picture, title in zip(np.atleast_1d(axes), pictures, titles, strict=True):
        place.imshow(picture, cmap="gray" if picture.ndim == 2 else None, interpolation="none")
        place.set_title(title, fontsize=8)
        place.set_axis_off()
    return figure
