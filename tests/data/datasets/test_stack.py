"""A whole dataset as lazy stacks: what is read when, and what is left out."""

from __future__ import annotations

import time

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets import stack as datasets_stack
from napari_snow_unet.data.datasets.stack import open_tile_stack
from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
from napari_snow_unet.data.formats.label_images import write_labels
from napari_snow_unet.data.pairs.messages import NO_FOLDER
from napari_snow_unet.data.pixels.images import write_image


def tile(number, shape=(16, 20)):
    return np.full((*shape, 3), number, np.uint8), np.full(shape, number, np.int32)


@pytest.fixture
def snow(tmp_path):
    for number in (1, 2, 10):
        image, labels = tile(number)
        write_image(tmp_path / "Image" / f"seed{number}.png", image)
        write_hovernet_mat(tmp_path / "Mask" / f"seed{number}.mat", labels)
    return tmp_path


@pytest.fixture
def opened(monkeypatch):
    """Collect the names of all files whose header or content is read."""
    names = []
    for function in ("read_header", "read_image", "read_mask_file"):
        original = getattr(datasets_stack, function)

        def counting(path, *more, original=original, **how):
            names.append(path.name)
            return original(path, *more, **how)

        monkeypatch.setattr(datasets_stack, function, counting)
    return names


def test_stacks_are_in_natural_order_and_match(snow):
    stack = open_tile_stack(snow)
    assert stack.names == ["seed1", "seed2", "seed10"]
    assert (stack.images.shape, stack.images.dtype) == ((3, 16, 20, 3), np.uint8)
    assert (stack.labels.shape, stack.labels.dtype) == ((3, 16, 20), np.int32)
    assert stack.warning is None
    for position, number in enumerate((1, 2, 10)):
        image, labels = tile(number)
        assert np.array_equal(stack.images[position].compute(), image)
        assert np.array_equal(stack.labels[position].compute(), labels)
    assert stack.labels.compute().dtype == np.int32


def test_prepared_datasets_open_too(tmp_path):
    for number in range(3):
        image, labels = tile(number)
        write_image(tmp_path / "images" / f"{number:06}.png", image)
        write_labels(tmp_path / "masks" / f"{number:06}.png", labels)
    assert open_tile_stack(tmp_path).names == ["000000", "000001", "000002"]


def test_of_20_000_tiles_only_the_one_looked_at_is_read(tmp_path, opened):
    image, labels = tile(5, (8, 8))
    first_image = write_image(tmp_path / "Image" / "seed0.png", image)
    first_mask = write_hovernet_mat(tmp_path / "Mask" / "seed0.mat", labels)
    for number in range(1, 20_000):
        (tmp_path / "Image" / f"seed{number}.png").hardlink_to(first_image)
        (tmp_path / "Mask" / f"seed{number}.mat").hardlink_to(first_mask)
    start = time.perf_counter()
    stack = open_tile_stack(tmp_path)
    print(f"20,000 tiles opened in {time.perf_counter() - start:.2f} s")
    assert len(stack.names) == 20_000
    assert opened == ["seed0.png", "seed9999.png", "seed19999.png"]
    opened.clear()
    assert np.array_equal(stack.images[12_345].compute(), image)
    assert np.array_equal(stack.labels[777].compute(), labels)
    assert opened == ["seed12345.png", "seed777.mat"]


def test_what_has_no_partner_is_named_once_and_the_rest_opens(snow):
    for number in range(20, 28):
        write_image(snow / "Image" / f"seed{number}.png", tile(1)[0])
    for junk in (".DS_Store", "._seed1.png", "Thumbs.db", "notes.txt"):
        (snow / "Image" / junk).write_bytes(b"junk")
    stack = open_tile_stack(snow)
    assert stack.names == ["seed1", "seed2", "seed10"]
    orphans = tuple(f"seed{number}.png" for number in range(20, 28))
    assert stack.warning == messages.unpaired(orphans)
    assert "seed24.png and 3 more" in stack.warning


def test_a_tile_of_another_size_is_blank_and_named_once_when_reached(snow):
    write_image(snow / "Image" / "seed2.png", tile(9, (10, 11))[0], overwrite=True)
    stack = open_tile_stack(snow)
    with pytest.warns(UserWarning, match=r"seed2\.png.* 10 x 11 .* 16 x 20 .*blank"):
        assert not stack.images[1].compute().any()
    assert not stack.images[1].compute().any()  # a second warning would be an error
    assert stack.images[2].compute().all()


def test_the_usual_size_counts_even_where_the_first_tile_has_another(snow):
    write_image(snow / "Image" / "seed1.png", tile(9, (10, 11))[0], overwrite=True)
    assert open_tile_stack(snow).images.shape == (3, 16, 20, 3)


def test_a_damaged_tile_is_blank_and_named_when_reached(snow):
    (snow / "Mask" / "seed10.mat").write_bytes(b"MATLAB 5.0 MAT-file, broken")
    (snow / "Image" / "seed1.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    stack = open_tile_stack(snow)
    with pytest.warns(UserWarning, match=r"seed10\.mat.*truncated.*blank"):
        assert not stack.labels[2].compute().any()
    with pytest.warns(UserWarning, match=r"seed1\.png.*damaged.*blank"):
        assert not stack.images[0].compute().any()


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (np.full((8, 8), 7, np.uint8), (7, 7, 7)),
        (np.full((8, 8, 4), (1, 2, 3, 51), np.uint8), (204, 204, 205)),
        (np.full((8, 8), 0x1234, np.uint16), (73, 73, 73)),  # of 14 bits
        (np.full((8, 8), 0xABC, np.uint16), (171, 171, 171)),  # of 12 bits
    ],
)
def test_grey_transparent_and_16_bit_images_become_rgb(tmp_path, stored, shown):
    from PIL import Image

    (tmp_path / "images").mkdir()
    Image.fromarray(stored).save(tmp_path / "images" / "a.png")
    write_labels(tmp_path / "masks" / "a.png", np.ones((8, 8), np.int32))
    assert tuple(open_tile_stack(tmp_path).images[0, 0, 0].compute()) == shown


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=NO_FOLDER.problem):
        open_tile_stack(tmp_path / "missing")


def test_a_folder_whose_images_are_all_damaged_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    write_hovernet_mat(tmp_path / "a.mat", np.ones((8, 8), np.int32))
    with pytest.raises(InputError, match=r"a\.png"):
        open_tile_stack(tmp_path)
