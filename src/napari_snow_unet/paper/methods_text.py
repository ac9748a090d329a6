"""Methods and results as a paragraph for a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

from napari_snow_unet.data.datasets.prepare.ledger import Prepared
from napari_snow_unet.paper.experiment import Experiment
from napari_snow_unet.paper.table import PAPER
from napari_snow_unet.unet.network.config import parameter_count
from napari_snow_unet.unet.runs.config import RunConfig
from napari_snow_unet.unet.runs.folder import Row


def methods_text(
    experiment: Experiment,
    prepared: Prepared,
    config: RunConfig,
    history: Sequence[Row],
    rows: Sequence[Mapping[str, str]],
    device: str,
) -> str:
    """Return the paragraph in Markdown, with `rows` of the table and the `device` in words."""
    options, subsets = config.options, prepared.subsets
    ours = next(row for row in rows if row["threshold"] == "Otsu" and row["over"] == "all pixels")
    best = min(history, key=lambda row: row["val_loss"] or float("inf"))["epoch"] or 0
    sizes = sorted({(tile.height, tile.width) for tile in prepared.tiles})
    size = " and ".join(f"{height} x {width}" for height, width in sizes)
    scores = _listed({name: ours[name] for name in (*PAPER, "dice")})
    theirs = _listed({name: f"{value:.2f}" for name, value in PAPER.items()})
    minutes = float(ours["training_seconds"]) / 60
    network, filters = config.network, config.network.filters
    versions = ", ".join(f"{name} {version}" for name, version in config.made_with.items())
    left_out = f" {len(prepared.problems)} files could not be used." if prepared.problems else ""
    methods = (
        f"{len(prepared.tiles):,} tiles of {size} pixels, the first in natural order of their "
        f"names, were split with the random seed {experiment.seed} into {subsets['train']:,} for "
        f"training, {subsets['val']:,} for validation and {subsets['test']:,} for testing."
        f"{left_out} Masks were binarised (nucleus or background), and the red channel was scaled "
        f"to the range 0 to 1. A U-Net with {filters(0)} to {filters(network.levels - 1)} filters, "
        f"{parameter_count(network):,} parameters and dropout from {options.dropout:g} was "
        f"trained for {experiment.epochs} epochs on whole tiles without augmentation: "
        f"{options.optimizer.capitalize()}, learning rate {options.learning_rate:g}, batches of "
        f"{options.batch_size}, binary cross-entropy. The network of epoch {best:.0f}, which had "
        "the lowest validation loss, was used. Its probability was rounded to 8 bits and "
        "thresholded by Otsu's method for each tile (OpenCV); no nuclei were separated, filled or "
        f"removed. Pooled over all pixels of the {subsets['test']:,} test tiles: {scores}. "
        f"Training took {minutes:,.1f} minutes on {device}. Made with {versions}."
    )
    comparison = (
        f"The paper reports {theirs} on 1,000 SNOW tiles. `table.csv` lists both, "
        "with means over tiles, the threshold 0.5, other epochs and the classical method."
    )
    return f"# Methods\n\n{fill(methods, 100)}\n\n{fill(comparison, 100)}\n"


def _listed(scores: Mapping[str, str]) -> str:
    return ", ".join(
        f"{'AUC' if name == 'auc' else name} {value} %" for name, value in scores.items()
    )
