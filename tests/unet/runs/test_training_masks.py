"""Masks are looked at before a training begins; what a person says of them stays with it."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import run
from napari_snow_unet.data.datasets.prepare.dataset import prepare
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.formats.label_images import read_labels, write_labels
from napari_snow_unet.data.pixels.images import write_image
from napari_snow_unet.unet.runs.dataset import open_training_set
from napari_snow_unet.unet.runs.folder import open_run
from napari_snow_unet.unet.runs.masks import look_at_masks
from napari_snow_unet.unet.runs.options import make_options
from napari_snow_unet.unet.training import start as training_begin
from napari_snow_unet.unet.training.tile_reader import TileReader


@pytest.fixture
def copy(discs, tmp_path):
    return shutil.copytree(discs, tmp_path / "tiles")


def change(folder, function):
    """Write every mask anew."""
    for path in sorted((folder / "masks").iterdir()):
        write_image(path, function(read_labels(path)).astype(np.uint8), overwrite=True)


def begin(folder, **more):
    options = make_options(base_filters=2, crop=32, **more)
    return training_begin.begin_training(folder, folder.parent / "run", options)


def test_masks_that_are_as_they_should_be_are_not_spoken_of(copy):
    assert look_at_masks(open_training_set(copy)) == ((), "")


@pytest.mark.parametrize(
    ("change_to", "words"),
    [
        (lambda labels: labels * 0, "(?i)no mask has a nucleus"),
        (lambda labels: labels * 0 + 7, "marks the whole image"),
    ],
)
def test_masks_with_nothing_to_learn_are_refused_before_a_folder_is_made(copy, change_to, words):
    change(copy, change_to)
    with pytest.raises(InputError, match=words):
        begin(copy)
    assert not (copy.parent / "run").exists()


def test_one_mask_with_a_nucleus_among_many_without_is_found(copy):
    change(copy, lambda labels: labels * 0)
    for number in range(10, 150):
        for kind in ("images", "masks"):
            (copy / kind / f"d{number}.png").hardlink_to(copy / kind / "d0.png")
    with pytest.raises(InputError, match=r"(?i)no mask has a nucleus"):
        look_at_masks(open_training_set(copy))
    mask = copy / "masks" / f"{open_training_set(copy).train[1].name}.png"
    mask.unlink()
    write_labels(mask, np.eye(48, dtype=np.int32))
    look_at_masks(open_training_set(copy))


def test_inverted_masks_are_doubted_in_the_notes_and_the_log(copy):
    change(copy, lambda labels: (labels == 0) * 255)
    started, notes = begin(copy)
    doubt = "The masks may be inverted: in 10 of 10 tiles"
    assert any(note.startswith(doubt) for note in notes)
    assert doubt in (started.folder / "log.txt").read_text(encoding="utf-8")


def test_masks_of_dense_tissue_are_taken_with_a_gentle_doubt(copy):
    def dense(labels):
        labels = np.ones_like(labels) * 255
        labels[::8] = 0
        return labels

    change(copy, dense)
    for path in (copy / "images").iterdir():
        mask = read_labels(copy / "masks" / path.name)
        shade = np.where(mask > 0, 90, 220).astype(np.uint8)
        write_image(path, np.dstack([shade] * 3), overwrite=True)
    _, doubt = look_at_masks(open_training_set(copy))
    assert doubt.startswith("In 10 of 10 masks more than 60% is nucleus")


def test_what_a_person_says_of_masks_is_kept_for_a_resumed_training(copy):
    change(copy, lambda labels: 1 + (labels > 0))
    with pytest.raises(InputError, match="No pixel of the mask is 0"):
        begin(copy)
    started, notes = begin(copy, masks_are="binary")
    assert any("the lowest value is background" in note for note in notes)
    resumed = open_run(started.folder)
    assert resumed.config().options.masks_are == "binary"
    for tile in resumed.tiles().train:
        assert tile.masks_are == "binary"
        values = read_labels(tile.mask)
        assert np.array_equal(TileReader("red").read(tile).truth, values == 2)


def test_a_prepared_dataset_knows_what_its_masks_are(copy, tmp_path):
    """Ids that would look like classes are ids there, since `prepare` has judged them."""
    change(copy, lambda labels: (labels + 1) // 2 + 5 * (labels > 0))
    options = PrepareOptions(workers=1, masks_are="labels")
    run(prepare([copy], tmp_path / "out", options))
    tiles = open_training_set(tmp_path / "out")
    assert {tile.masks_are for tile in tiles.train} == {"labels"}
