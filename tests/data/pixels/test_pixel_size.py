"""Pixel sizes that people give, and units of length as programs write them."""

from __future__ import annotations

import pytest

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.pixels.pixel_size import check_pixel_size, doubt_pixel_size, unit_um


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("um|µm|μm|\\u00B5m|UM|micron|microns|micrometer|micrometers|micrometre|Micrometres", 1),
        ("nm|nanometer|nanometre|nanometers", 1e-3),
        ("mm|millimeter|millimetre|millimeters", 1e3),
        ("cm|centimeter|centimetres", 1e4),
        ("m|meter|metre|meters", 1e6),
        ('in|inch|inches|"', 25_400),
        ("Å|Å|angstrom|Angstroms|ångström", 1e-4),
    ],
)
def test_every_name_of_a_unit(names, expected):
    assert {unit_um(name) for name in names.split("|")} == {expected}


@pytest.mark.parametrize("name", ["", "pixel", "pixels", "px", "reference frame", "second", "s"])
def test_what_is_no_length_has_no_size(name):
    assert unit_um(name) is None


@pytest.mark.parametrize("um", [25, -1, 0, 0.049, float("nan"), float("inf")])
def test_a_size_no_microscope_has_is_refused_in_one_set_of_words(um):
    with pytest.raises(InputError, match=r"pixel size .*0\.05 to 20") as caught:
        check_pixel_size(um)
    assert f"{um:g}" in str(caught.value)


def test_a_whole_number_without_end_is_refused_too():
    with pytest.raises(InputError, match="1e300"):
        check_pixel_size(10**400)


def test_a_size_that_may_be_a_magnification_is_doubted():
    assert [check_pixel_size(um) for um in (None, 0.05, 0.25, 20)] == [None, 0.05, 0.25, 20]
    assert [doubt_pixel_size(um) for um in (None, 0.25, 2)] == [None] * 3
    assert "0.5 for 20x" in doubt_pixel_size(20)
