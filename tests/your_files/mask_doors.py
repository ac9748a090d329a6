"""A mask through every door that reads masks: what each makes of it must be the same."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets.check.dataset import check_dataset
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.stack import label_stack
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.masks.judgement import MasksAre
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.metrics.files.evaluation import Evaluation, evaluate
from napari_snow_unet.metrics.files.evaluation_task import make_task
from napari_snow_unet.napari_plugin.layers import read_as_labels
from napari_snow_unet.segmentation.plane.threshold import otsu_level
from napari_snow_unet.unet.runs.dataset import open_training_set
from napari_snow_unet.unet.runs.masks import look_at_masks
from napari_snow_unet.unet.runs.tiles import TrainingSet
from napari_snow_unet.unet.training.tile_reader import TileReader

Labels = NDArray[np.int32]
Save = Callable[[Path], Any]
IDS = {"options": {"output": "nuclei"}}  # what labels of this package say of themselves
SHAPE = (96, 128)
TILES = ("t1", "t2")
#: Row, column, height and width of nuclei, in the order in which their first pixels come.
PLACES = ((8, 10, 14, 20), (12, 60, 18, 14), (14, 95, 16, 20), (44, 20, 20, 18), (50, 88, 22, 16))


def nuclei(places=PLACES, shape=SHAPE) -> Labels:
    """Draw ellipses that do not touch, numbered from 1."""
    rows, columns = np.indices(shape)
    labels = np.zeros(shape, np.int32)
    for number, (row, column, height, width) in enumerate(places, start=1):
        y, x = (rows - row - height / 2) / height, (columns - column - width / 2) / width
        labels[y**2 + x**2 < 0.25] = number
    return labels


def numbered(mask: NDArray[np.bool_]) -> Labels:
    """Number the connected parts of a mask."""
    return ndimage.label(mask, np.ones((3, 3)))[0].astype(np.int32)


def dataset(folder: Path, save: Save, suffix: str, nuclei: Labels) -> Path:
    """Make two tiles in which nuclei are dark, with these masks."""
    for number, name in enumerate(TILES):
        image = np.random.default_rng(number).integers(190, 250, (*nuclei.shape, 3), np.uint8)
        image[nuclei > 0] //= 2
        write_image(folder / "images" / f"{name}.png", image)
        (folder / "masks").mkdir(exist_ok=True)
        save(folder / "masks" / f"{name}{suffix}")
    return folder


def takes(
    folder: Path,
    save: Save,
    nuclei: Labels,
    *notes: str,
    suffix: str = ".png",
    are: MasksAre | None = None,
) -> None:
    """Assert that every door finds these nuclei, and says these notes and no others."""
    source = dataset(folder / "in", save, suffix, nuclei)
    masks = [source / "masks" / f"{name}{suffix}" for name in TILES]
    _prepared(source, folder / "out", nuclei, notes, are)
    _checked(source, nuclei, notes, are)
    _trained(source, nuclei, are)
    if are is None:
        _opened(masks, nuclei, notes)
    truth = write_labels(folder / "truth" / f"{TILES[0]}.png", nuclei, about=IDS)
    for one, other in ((masks[0], truth), (truth, masks[0]), (masks[0], masks[0])):
        found = scores_of(one, other, are)
        assert found.pooled_scores["pq"] == (1 if nuclei.any() else None)
        assert found.pooled_scores["n_truth"] == nuclei.max()
        _are_said(" ".join(str(note) for said in found.noted.values() for note in said), notes)


def refuses(folder: Path, save: Save, *words: str, suffix: str = ".png") -> None:
    """Assert that every door refuses a mask in these words, and names its file."""
    source = dataset(folder / "in", save, suffix, nuclei())
    mask = source / "masks" / f"t1{suffix}"
    result = run(prepare([source], folder / "out", PrepareOptions(workers=1)))
    assert not result.tiles
    told = [" ".join(map(str, result.problems))]
    told.append(" ".join(map(str, run(check_dataset(source, workers=1)).problems)))
    truth = write_labels(folder / "truth" / "t1.png", nuclei())
    tiles = open_training_set(source)
    for door in (
        lambda: look_at_masks(TrainingSet(source, tiles.train + tiles.validation, ())),
        lambda: [TileReader("red").read(tile) for tile in tiles.train + tiles.validation],
        lambda: scores_of(mask, truth),
        lambda: scores_of(truth, mask),
        lambda: read_as_labels(mask),
    ):
        with pytest.raises(InputError) as caught:
            door()
        told.append(str(caught.value))
    with pytest.warns(UserWarning, match="shown blank") as shown:
        assert not label_stack([mask], SHAPE).compute(scheduler="synchronous").any()
    warned = " ".join(str(warning.message) for warning in shown)  # others may warn as well
    for text in (*told, warned):
        assert f"t1{suffix}" in text or f"t2{suffix}" in text
        assert all(word in text for word in words), text


def scores_of(prediction: Path, truth: Path, are: MasksAre | None = None) -> Evaluation:
    """Score one file against another."""
    return run(evaluate(make_task(prediction, truth, masks_are=are), otsu_level))


def _prepared(source, out, nuclei, notes, are) -> None:
    result = run(prepare([source], out, PrepareOptions(workers=1, masks_are=are)))
    assert not result.problems
    for tile in result.tiles:
        written = read_labels(out / tile.mask)
        assert np.array_equal(written > 0, nuclei > 0)
        assert np.unique(written).size == np.unique(nuclei).size
        _are_said(tile.note, notes)
    _are_said(" ".join(result.messages), notes, details=False)


def _checked(source, nuclei, notes, are) -> None:
    report = run(check_dataset(source, workers=1, masks_are=are))
    assert [problem for problem in report.problems if problem.kind != "mask"] == []
    assert report.summary["nuclei"] == len(TILES) * nuclei.max()
    _are_said(" ".join(map(str, report.findings)), notes)


def _trained(source, nuclei, are) -> None:
    tiles = open_training_set(source, masks_are=are)
    for tile in (*tiles.train, *tiles.validation):
        assert np.array_equal(TileReader("red").read(tile).truth > 0, nuclei > 0)


def _opened(masks, nuclei, notes) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        stack = label_stack(masks, nuclei.shape).compute(scheduler="synchronous")
        layer = read_as_labels(masks[0])
    assert all(np.array_equal(plane > 0, nuclei > 0) for plane in (*stack, layer[0]))
    _are_said(" ".join(str(warning.message) for warning in caught), notes)


def _are_said(text: str, notes: tuple[str, ...], *, details: bool = True) -> None:
    said = notes if details else [note.partition(" (")[0] for note in notes]
    for note in said:
        assert note.lower() in text.lower(), text
