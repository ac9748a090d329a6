"""Masks are looked at before a training begins; what a person says of them stays with it."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.images import read_labels, write_image, write_labels
from napari_snow_unet.data.prepare import PrepareOptions, prepare
from napari_snow_unet.data.progress import run
from napari_snow_unet.unet import training
from napari_snow_unet.unet.run_directory import open_run
from napari_snow_unet.unet.tile_reader import TileReader
from napari_snow_unet.unet.training_masks import look_at_masks
from napari_snow_unet.unet.training_options import make_options
from napari_snow_unet.unet.training_tiles import open_dataset


@pytest.fixture
def copy(discs, tmp_path):
    return shutil.copytree(discs, tmp_path / "tiles")


def change(folder, function):
    """Write every mask anew."""
    for path in sorted((folder / "masks").iterdir()):
        write_image(path, function(read_labels(path)).astype(np.uint8), overwrite=True)


def begin(folder, **more):
    options = make_options(base_filters=2, crop=32, **more)
    return training.begin(folder, folder.parent / "run", options)


def test_masks_that_are_as_they_should_be_are_not_spoken_of(copy):
    assert look_at_masks(open_dataset(copy)) == ((), "")


@pytest.mark.parametrize(
    ("change_to", "words"),
    [
        (lambda labels: labels * 0, "no mask has a nucleus"),
        (lambda labels: labels * 0 + 7, "all over"),
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
    with pytest.raises(InputError, match="no mask has a nucleus"):
        look_at_masks(open_dataset(copy))
    mask = copy / "masks" / f"{open_dataset(copy).train[1].name}.png"
    mask.unlink()
    write_labels(mask, np.eye(48, dtype=np.int32))
    look_at_masks(open_dataset(copy))


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
    _, doubt = look_at_masks(open_dataset(copy))
    assert doubt.startswith("In 10 of 10 masks more than 60% is nucleus")


def test_what_a_person_says_of_masks_is_kept_for_a_resumed_training(copy):
    change(copy, lambda labels: 1 + (labels > 0))
    with pytest.raises(InputError, match="no pixel of it is 0"):
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
    tiles = open_dataset(tmp_path / "out")
    assert {tile.masks_are for tile in tiles.train} == {"labels"}
