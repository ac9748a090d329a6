"""Numbers and lists in plain English."""

import pytest

from napari_snow_unet.base.words import counted, listed, shape_in_words


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 nuclei"), (1, "1 nucleus"), (2000, "2,000 nuclei")]
)
def test_a_number_of_things_has_its_plural(number, text):
    assert counted(number, "nucleus", "nuclei") == text
    assert counted(number, "file") == text.replace("nuclei", "files").replace("nucleus", "file")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "b", "c", "d"], "a, b, c and 1 more"),
        (dict.fromkeys(map(str, range(2003))), "0, 1, 2 and 2,000 more"),
    ],
)
def test_a_list_names_the_first_and_counts_the_rest(words, text):
    assert listed(words, most=3) == text


def test_a_shape_has_its_lengths():
    assert shape_in_words((3, 512, 256)) == "3 x 512 x 256"
