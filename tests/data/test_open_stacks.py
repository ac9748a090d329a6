"""A whole dataset as lazy stacks: what is read when, and what is left out."""

from __future__ import annotations

import numpy as np
import pytest

from napari_snow_unet.data import dataset
from napari_snow_unet.data.dataset import open_stacks
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.hovernet_mat import write_hovernet_mat
from napari_snow_unet.data.images import write_image, write_labels


def tile(number, shape=(16, 20)):
    return np.full((*shape, 3), number, np.uint8), np.full(shape, number, np.int32)


@pytest.fixture
def snow(tmp_path):
    for number in (1, 2, 10):
        image, labels = tile(number)
        write_image(tmp_path / "Image" / f"seed{number}.png", image)
        write_hovernet_mat(tmp_path / "Mask" / f"seed{number}.mat", labels)
    return tmp_path


def test_stacks_are_in_natural_order_and_match(snow):
    stacks = open_stacks(snow)
    assert stacks.names == ["seed1", "seed2", "seed10"]
    assert stacks.images.shape == (3, 16, 20, 3)
    assert stacks.labels.shape == (3, 16, 20)
    assert stacks.message == ""
    for position, number in enumerate((1, 2, 10)):
        image, labels = tile(number)
        assert np.array_equal(stacks.images[position].compute(), image)
        assert np.array_equal(stacks.labels[position].compute(), labels)
        assert stacks.labels[position].compute().dtype == np.int32


def test_prepared_datasets_open_too(tmp_path):
    for number in range(3):
        image, labels = tile(number)
        write_image(tmp_path / "images" / f"{number:06}.png", image)
        write_labels(tmp_path / "masks" / f"{number:06}.png", labels)
    assert open_stacks(tmp_path).names == ["000000", "000001", "000002"]


def test_only_the_first_tile_is_read_until_one_is_looked_at(tmp_path, monkeypatch):
    image, labels = tile(5, (8, 8))
    first = write_image(tmp_path / "Image" / "seed0.png", image)
    write_hovernet_mat(tmp_path / "Mask" / "seed0.mat", labels)
    for number in range(1, 3000):
        (tmp_path / "Image" / f"seed{number}.png").hardlink_to(first)
        (tmp_path / "Mask" / f"seed{number}.mat").hardlink_to(tmp_path / "Mask" / "seed0.mat")
    read = []

    def counting(path):
        read.append(path.name)
        return original(path)

    original = dataset.read_image
    monkeypatch.setattr(dataset, "read_image", counting)
    stacks = open_stacks(tmp_path)
    assert read == ["seed0.png"]
    stacks.images[2999].compute()
    assert read == ["seed0.png", "seed2999.png"]


def test_what_has_no_partner_is_named_once_and_the_rest_opens(snow):
    for number in range(20, 28):
        write_image(snow / "Image" / f"seed{number}.png", tile(1)[0])
    (snow / "Image" / ".DS_Store").write_bytes(b"")
    (snow / "notes.txt").write_text("")
    stacks = open_stacks(snow)
    assert len(stacks.names) == 3
    assert "seed20.png" in stacks.message
    assert "3 more" in stacks.message


def test_a_tile_of_another_size_or_broken_is_blank_and_named_once_when_reached(snow):
    write_image(snow / "Image" / "seed2.png", tile(9, (10, 10))[0], overwrite=True)
    (snow / "Mask" / "seed10.mat").write_bytes(b"MATLAB 5.0 MAT-file, broken")
    told = []
    stacks = open_stacks(snow, report=told.append)
    assert told == []
    assert not stacks.images[1].compute().any()
    assert not stacks.images[1].compute().any()
    assert not stacks.labels[2].compute().any()
    assert len(told) == 2
    assert "seed2.png" in told[0]
    assert "10 x 10" in told[0]
    assert "seed10.mat" in told[1]
    assert stacks.images[2].compute().any()


def test_nothing_that_belongs_together_is_refused(tmp_path):
    write_image(tmp_path / "a.png", tile(1)[0])
    with pytest.raises(InputError, match="no image with a mask"):
        open_stacks(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        open_stacks(tmp_path / "missing")
