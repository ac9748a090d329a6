"""Start a training: options, tiles and network, in a new run folder."""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from pathlib import Path

from napari_snow_unet import __version__
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.pixel_size import PLAUSIBLE_UM
from napari_snow_unet.unet.models import folder as models_folder
from napari_snow_unet.unet.network.config import UNetConfig
from napari_snow_unet.unet.runs import messages as run_messages
from napari_snow_unet.unet.runs.config import RunConfig
from napari_snow_unet.unet.runs.create import check_free, create_run
from napari_snow_unet.unet.runs.dataset import corrected_tiles, open_training_set
from napari_snow_unet.unet.runs.folder import RunDirectory
from napari_snow_unet.unet.runs.masks import look_at_masks
from napari_snow_unet.unet.runs.options import TrainingOptions
from napari_snow_unet.unet.runs.tiles import TrainingSet
from napari_snow_unet.unet.training import messages
from napari_snow_unet.unet.training.augment import SCALES


def begin_training(
    dataset: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    options: TrainingOptions,
    *,
    fine_tune: Path | None = None,
) -> tuple[RunDirectory, tuple[str, ...]]:
    """Check a dataset and create the run folder of a training; nothing is computed yet.

    Parameters
    ----------
    dataset : path-like
        See `runs.dataset.open_training_set`.
    folder : path-like
        The run folder: new or empty.
    options : TrainingOptions
        Its options.
    fine_tune : pathlib.Path, optional
        Model folder with the initial weights. Its architecture and channel replace those in
        `options`.

    Returns
    -------
    run : RunDirectory
        For `train`.
    notes : tuple of str
        Remarks on the dataset for the user.

    Raises
    ------
    InputError
        If the dataset, the model or the folder cannot be used.
    """
    folder = Path(folder).resolve()
    check_free(folder)
    tiles = open_training_set(
        dataset,
        validation_fraction=options.validation_fraction,
        seed=options.seed,
        fold=options.fold,
        masks_are=options.masks_are,
    )
    notes, doubt = look_at_masks(tiles)
    tiles = replace(tiles, notes=(*tiles.notes, *notes, *([doubt] if doubt else [])))
    if options.crop is None:
        from napari_snow_unet.unet.training.crops import require_equal_sizes

        require_equal_sizes(tiles.train)
    if fine_tune is not None:
        options = _like_model(options, models_folder.read_config(fine_tune))
        models_folder.verify(fine_tune)
    config = RunConfig(
        options=options,
        network=_network(options, tiles, folder.name),
        dataset=str(tiles.folder),
        fingerprint=tiles.fingerprint,
        fine_tune=str(fine_tune.resolve()) if fine_tune is not None else "",
        made_with={"napari-snow-unet": __version__, "python": platform.python_version()},
        corrected=tiles.corrected,
    )
    run = create_run(folder, config, tiles)
    for note in tiles.notes:
        run.log(note)
    return run, tiles.notes


def extend(run: RunDirectory, epochs: int) -> None:
    """Change the number of epochs; refuse if the learning rate depends on it."""
    # With a constant rate the result equals that of a training with this number from the start.
    config = run.config()
    if config.muon:
        raise InputError(run_messages.MUON, path=run.folder)
    if config.options.epochs == epochs:
        return
    if config.options.schedule != "constant":
        message = messages.planned_epochs(epochs, config.options.epochs)
        raise InputError(message, path=run.folder)
    options = replace(config.options, epochs=epochs)
    run.write_config(replace(config, options=options))


def _like_model(options: TrainingOptions, network: UNetConfig) -> TrainingOptions:
    return replace(
        options,
        base_filters=network.base_filters,
        levels=network.levels,
        activation=network.activation,
        normalization=network.normalization,
        channel=network.channel,
    )


def _network(options: TrainingOptions, tiles: TrainingSet, name: str) -> UNetConfig:
    pixel_sizes = [tile.um_per_px for tile in tiles.train if tile.um_per_px]
    low, high = SCALES if options.augment != "none" else (1.0, 1.0)
    sizes = None
    if pixel_sizes:
        largest = min(max(pixel_sizes) / low, PLAUSIBLE_UM[1])
        sizes = round(min(pixel_sizes) / high, 4), round(largest, 4)
    text = (
        f"{len(tiles.train)} tiles of the dataset {tiles.folder.name!r}, "
        f"{len(tiles.validation)} more to validate; {options.epochs} epochs of the preset "
        f"{options.preset!r}."
    )
    text = " ".join([text, *corrected_tiles(tiles)])
    return options.network(
        name=name[:100], trained_on=text, pixel_size_um=sizes, white=dict(tiles.white)
    )
