"""One file of nuclei through every door: what each makes of it must be the same."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets.check.dataset import check_dataset
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.stack import open_tile_stack
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.metrics.files.evaluation import Evaluation, evaluate
from napari_snow_unet.metrics.files.evaluation_task import make_task
from napari_snow_unet.napari_plugin.reader import get_reader
from napari_snow_unet.segmentation.plane.threshold import otsu_level
from napari_snow_unet.unet.runs.dataset import open_training_set
from napari_snow_unet.unet.runs.masks import look_at_masks
from napari_snow_unet.unet.training.tile_reader import IGNORED, TileReader

Labels = NDArray[np.int32]
SHAPE = (64, 80)
TILES = ("t1", "t2")


def dataset(folder: Path, suffix: str, content: bytes, *, shape: tuple[int, int] = SHAPE) -> Path:
    """Make two tiles of noise whose masks are this file."""
    for number, name in enumerate(TILES):
        noise = np.random.default_rng(number).integers(60, 256, (*shape, 3), dtype=np.uint8)
        write_image(folder / "images" / f"{name}.png", noise)
        mask = folder / "masks" / f"{name}{suffix}"
        mask.parent.mkdir(exist_ok=True)
        mask.write_bytes(content)
    return folder


def takes(
    folder: Path, suffix: str, content: bytes, labels: Labels, *notes: str, region=None
) -> None:
    """Assert that every door gives these labels, in this region, and says these notes."""
    notes = tuple(note.removesuffix(".") for note in notes)
    source = dataset(folder / "in", suffix, content, shape=labels.shape)
    masks = [source / "masks" / f"{name}{suffix}" for name in TILES]
    region = np.ones(labels.shape, bool) if region is None else region
    _prepared(source, folder / "out", labels, notes, region)
    _checked(source, labels, notes)
    _trained(source, labels, notes, region)
    _opened(source, masks[0], labels, notes)
    _measured(folder, masks[0], labels, notes, region)


def refuses(folder: Path, suffix: str, content: bytes, *words: str) -> None:
    """Assert that every door refuses a file in these words, and names it."""
    source = dataset(folder / "in", suffix, content)
    mask = source / "masks" / f"t1{suffix}"
    result = run(prepare([source], folder / "out", PrepareOptions(workers=1)))
    assert not result.tiles
    told = [" ".join(map(str, result.problems))]
    told.append(" ".join(map(str, run(check_dataset(source, workers=1)).problems)))
    for door in (_read_for_training, lambda mask: read_labels(mask, SHAPE), _score_truth):
        with pytest.raises(InputError) as caught:
            door(mask)
        told.append(str(caught.value))
    if (read := get_reader(str(mask))) is not None:
        with pytest.raises(InputError) as caught:
            read(str(mask))
        told.append(str(caught.value))
    for text in told:
        assert f"t1{suffix}" in text
        assert all(word in text for word in words), text


def _prepared(source, out, labels, notes, region) -> None:
    result = run(prepare([source], out, PrepareOptions(workers=1)))
    assert not result.problems
    for number, tile in enumerate(result.tiles):
        assert np.array_equal(read_labels(out / tile.mask), labels)
        assert all(note in tile.note for note in notes), tile.note
        assert notes or not tile.note
        place = out / "regions" / f"{number:06d}.png"
        written = read_labels(place) if place.is_file() else np.ones(labels.shape)
        assert np.array_equal(written > 0, region)
        rubbish = np.where(region, labels, labels.max() + 1)
        write_labels(out.parent / "found" / f"{number:06d}.png", rubbish)
    found = scores_of(out.parent / "found", out).pooled_scores
    assert found["dice"] == found["pq"] == (1.0 if labels[region].any() else None)


def _checked(source, labels, notes) -> None:
    report = run(check_dataset(source, workers=1))
    assert not report.problems
    assert report.summary["nuclei"] == 2 * np.count_nonzero(np.unique(labels))
    told = " ".join(map(str, report.findings))
    assert all(note in told for note in notes), told


def truths_of(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """Read what a training would learn from, by tile."""
    tiles = open_training_set(folder)
    reader = TileReader("red")
    return {tile.name: reader.read(tile).truth for tile in (*tiles.train, *tiles.validation)}


def _trained(source, labels, notes, region) -> None:
    told = " ".join(look_at_masks(open_training_set(source))[0])
    assert all(note in told for note in notes), told
    for truth in truths_of(source).values():
        assert np.array_equal(truth == IGNORED, ~region)
        assert np.array_equal(truth[region] > 0, labels[region] > 0)


def _opened(source, mask, labels, notes) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        stack = open_tile_stack(source).labels.compute(scheduler="synchronous")
        read = get_reader(str(mask))
        image, layer = read(str(mask))
    assert all(np.array_equal(plane, labels) for plane in stack)
    assert np.array_equal(layer[0], labels)
    assert (image[2], layer[2]) == ("image", "labels")
    told = [str(warning.message) for warning in caught]
    assert all(any(note in text for text in told) for note in notes)


def _measured(folder, mask, labels, notes, region) -> None:
    """Score a perfect prediction with rubbish where nothing counts, and the file against it."""
    rubbish = np.where(region, labels, labels.max() + 1)
    prediction = write_labels(folder / "t1.png", rubbish)
    found = scores_of(prediction, mask)
    perfect = 1.0 if labels[region].any() else None
    assert found.pooled_scores["dice"] == found.pooled_scores["pq"] == perfect
    assert found.pooled_scores["n_truth"] == np.count_nonzero(np.unique(labels[region]))
    told = " ".join(str(note) for notes in found.noted.values() for note in notes)
    assert all(note in told for note in notes), told
    truth = write_labels(folder / "truth" / "t1.png", labels)
    assert scores_of(mask, truth).pooled_scores["dice"] == perfect


def scores_of(prediction: Path, truth: Path) -> Evaluation:
    """Score label images as they are, without splitting masks."""
    return run(evaluate(make_task(prediction, truth, masks_are="labels"), otsu_level))


def _score_truth(mask: Path) -> None:
    folder = mask.parents[2]
    prediction = folder / "t1.png"
    if not prediction.is_file():
        write_labels(prediction, np.eye(*SHAPE, dtype=np.int32))
    scores_of(prediction, mask)


def _read_for_training(mask: Path) -> None:
    folder = mask.parents[1]
    copy = shutil.copytree(folder, folder.parent / "copy", dirs_exist_ok=True)
    tiles = open_training_set(copy)
    for tile in (*tiles.train, *tiles.validation):
        if tile.name == "t1":
            TileReader("red").read(tile)
