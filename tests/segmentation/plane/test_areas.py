"""Smallest areas in square micrometres and in pixels."""

from __future__ import annotations

import pytest

from napari_snow_unet.segmentation.options import Options, smallest_area_px
from napari_snow_unet.segmentation.plane.areas import PIXELS, UM2


def test_units_convert_at_a_quarter_of_a_micrometre_per_pixel():
    assert UM2.to(PIXELS, 5) == 80
    assert PIXELS.to(UM2, 80) == 5
    assert (UM2.default, PIXELS.default) == (5, 80)
    assert (UM2.largest, PIXELS.largest) == (50, 800)


@pytest.mark.parametrize(("unit", "pixel_size_um"), [(UM2, 0.5), (PIXELS, 0.5), (PIXELS, None)])
def test_the_default_is_that_of_the_options(unit, pixel_size_um):
    options = Options(**unit.as_option(unit.default))
    assert options == Options()
    assert smallest_area_px(options, pixel_size_um) == (20 if pixel_size_um else 80)


def test_what_is_chosen_reaches_the_options():
    assert UM2.as_option(7.5) == {"min_area_um2": 7.5}
    assert PIXELS.as_option(0.0) == {"min_area": 0.0}


def test_an_area_counts_as_it_is_shown():
    assert UM2.as_option(7.53) == {"min_area_um2": 7.5}
    assert PIXELS.as_option(UM2.to(PIXELS, 7.53)) == {"min_area": 120}
