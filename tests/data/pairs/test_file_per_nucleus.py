"""A mask for each nucleus: one label image."""

from __future__ import annotations

import numpy as np
import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.formats.label_images import read_nuclei
from napari_snow_unet.data.pairs.file_per_nucleus import merge_nuclei, nucleus_files
from napari_snow_unet.data.pixels.images import write_image


def mask(*rows):
    return np.array([[int(letter) for letter in row] for row in rows], np.int32)


def merged(*masks):
    return merge_nuclei([(f"{n}.png", values) for n, values in enumerate(masks)], "masks")


def test_a_pixel_of_several_nuclei_goes_to_the_smallest():
    large, small = mask("1110", "1110", "0000"), mask("0000", "0110", "0000")
    for order in ((large, small), (small, large)):
        result = merged(*order)
        assert result.labels[1, 1] == 1 + (order[0] is large)
        assert result.labels[0, 0] == 2 - (order[0] is large)
        assert any(note.startswith("2 overlapping") for note in result.notes)


def test_of_two_nuclei_of_one_size_the_later_one_has_the_pixel():
    result = merged(mask("1100"), mask("0110"))
    assert result.labels.tolist() == [[1, 2, 2, 0]]


def test_a_file_without_a_nucleus_takes_no_number_and_is_noted():
    result = merged(mask("0000"), mask("0700"), mask("0090"))
    assert result.labels.tolist() == [[0, 1, 2, 0]]
    assert [note[:7] for note in result.notes] == ["3 files", "1 file "]


@pytest.mark.parametrize(
    ("masks", "words"),
    [
        ((mask("10"), mask("100")), r"1\.png has 1 x 3 px, others 1 x 2"),
        ((mask("10"), mask("12")), r"1\.png has several values besides 0"),
        ((mask("10101010101"),), r"0\.png has 6 separate parts"),
        ((), "no mask"),
    ],
)
def test_what_is_no_mask_of_one_nucleus_is_refused(masks, words):
    with pytest.raises(InputError, match=rf"^masks: .*{words}"):
        merged(*masks)


def test_a_speck_beside_a_nucleus_belongs_to_it():
    values = np.zeros((9, 9), np.int32)
    values[:5, :5] = values[7, ::2] = 1
    assert np.array_equal(merged(values).labels, values)


def test_files_come_in_natural_order_without_hidden_and_other_ones(tmp_path):
    for name in ("n10.png", "n2.png", "n1.PNG", "._n1.png", "n3.jpg", "notes.txt"):
        (tmp_path / name).touch()
    assert [path.name for path in nucleus_files(tmp_path)] == ["n1.PNG", "n2.png", "n10.png"]


def test_the_numbers_of_a_folder_are_those_of_the_order(tmp_path):
    for number in (10, 9, 1):
        values = np.zeros((4, 12), np.uint8)
        values[1:3, number - 1 : number + 1] = 255
        write_image(tmp_path / f"{number}.png", values)
    labels = read_nuclei(tmp_path).labels
    assert labels[1].tolist() == [1, 1, 0, 0, 0, 0, 0, 0, 2, 3, 3, 0]
