"""Pixel sizes and positions as napari states them, with pint's units."""

from __future__ import annotations

import numpy as np
import pint
import pytest

from napari_snow_unet.data.pixels.placement import in_units, pixel_size_um

UNITS = pint.get_application_registry()


@pytest.mark.parametrize(
    ("unit", "scale", "expected"),
    [
        ("um", 0.25, 0.25),
        ("micrometer", 0.5, 0.5),
        ("µm", 0.5, 0.5),
        ("mm", 0.00025, 0.25),
        ("nm", 250, 0.25),
        ("micrometers", 0.5, 0.5),
        ("micrometre", 0.5, 0.5),
        ("micron", 0.5, 0.5),
        ("\u03bcm", 0.5, 0.5),
        ("millimeter", 0.00025, 0.25),
        ("inch", 0.00001, 0.254),
        ("angstrom", 2500, 0.25),
        ("pixel", 0.25, None),
        ("second", 0.25, None),
        ("", 0.25, None),
    ],
)
def test_pixel_size_in_any_unit_of_length(unit, scale, expected):
    units = [UNITS.Unit(unit)] * 2
    assert pixel_size_um(np.diag([scale, scale]), units) == expected


def test_only_the_plane_counts():
    units = [UNITS.second, UNITS.um, UNITS.um]
    assert pixel_size_um(np.diag([3, 0.25, 0.25]), units) == 0.25


def test_axes_may_have_different_units():
    assert pixel_size_um(np.diag([0.25, 250]), [UNITS.um, UNITS.nm]) == 0.25
    assert pixel_size_um(np.diag([0.25, 0.25]), [UNITS.um, UNITS.pixel]) is None


def test_turned_pixels_keep_their_size_and_oblong_ones_have_none():
    turn = np.array([[0.6, -0.8], [0.8, 0.6]]) * 0.25
    units = [UNITS.um] * 2
    assert pixel_size_um(turn, units) == 0.25
    assert pixel_size_um(np.diag([-0.25, 0.25]), units) == 0.25  # mirrored
    assert pixel_size_um(np.diag([0.25, 0.3]), units) is None
    assert pixel_size_um(np.diag([0.25, 0]), units) is None
    assert pixel_size_um(np.diag([np.nan, 0.25]), units) is None


def test_positions_are_converted_where_units_convert():
    um, nm, pixel = UNITS.um, UNITS.nm, UNITS.pixel
    assert in_units([2, 3], [um, um], [nm, nm]) == pytest.approx([2000, 3000])
    assert in_units([2, 3], [pixel, um], [um, um]) == [2, 3]
    assert in_units([2, 3], None, [um, um]) == [2, 3]


def test_positions_of_more_or_fewer_axes_are_aligned_at_the_end():
    um, nm = UNITS.um, UNITS.nm
    assert in_units([9, 2, 3], [um, um, um], [um, nm]) == pytest.approx([2, 3000])
    assert in_units([3], [um], [um, nm]) == pytest.approx([0, 3000])
