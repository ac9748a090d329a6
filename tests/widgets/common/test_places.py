"""World coordinates become the same pixels under any transform and on any processor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from napari.layers import Image, Labels, Shapes

from napari_snow_unet.data.pixels.pixel_grid import TOLERANCE
from napari_snow_unet.metrics.planes.region import region_of_outlines
from napari_snow_unet.napari_plugin.writer import nuclei_of
from napari_snow_unet.widgets.common.comparison import outlines_in, why_not_together
from napari_snow_unet.widgets.common.layers import source_of
from napari_snow_unet.widgets.segment import region

SHAPE = (60, 80)
ALL = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def transforms(draw):
    """Draw how a layer is placed: scale, place, rotation and shear."""
    scale = draw(st.floats(0.05, 20))
    far = st.floats(-1e5, 1e5)
    return {
        "scale": (scale, scale * draw(st.floats(0.5, 2))),
        "translate": (draw(far), draw(far)),
        "rotate": draw(st.floats(-180, 180)),
        "shear": [draw(st.floats(-0.5, 0.5))],
        "units": ("um", "um"),
    }


@st.composite
def rectangles(draw):
    """Draw corners on edges and centres of pixels: top, left, bottom, right."""
    top, left = draw(st.integers(0, 60)), draw(st.integers(0, 80))
    bottom, right = draw(st.integers(top + 2, 118)), draw(st.integers(left + 2, 158))
    return tuple(number / 2 for number in (top - 1, left - 1, bottom - 1, right - 1))


def drawn(box, place):
    """Return a rectangle that somebody draws in a layer of shapes with a place of its own."""
    top, left, bottom, right = box
    corners = np.array([[top, left], [top, right], [bottom, right], [bottom, left]])
    return Shapes([corners], shape_type="polygon", name="drawn", **place)


def covered(box):
    """Return the pixels that a rectangle touches: worked out without any transform."""
    top, left, bottom, right = box
    first = [max(int(np.floor(low + 0.5)), 0) for low in (top, left)]
    stops = zip((bottom, right), SHAPE, strict=True)
    return (*first, *(min(int(np.ceil(high + 0.5)), length) for high, length in stops))


@ALL
@given(rectangles(), transforms())
def test_a_part_is_what_its_shape_touches_wherever_both_layers_lie(box, place):
    image = Image(np.zeros(SHAPE, np.uint8), **place)
    assert region.roi_of(None, image, drawn(box, place)).box == covered(box)


@ALL
@given(rectangles(), transforms())
def test_a_shape_holds_the_same_pixels_under_every_transform(box, place):
    expected = region_of_outlines([drawn(box, {}).data[0].astype(float)], SHAPE)(())
    labels = Labels(np.zeros(SHAPE, int), **place)
    inside = region_of_outlines(outlines_in(drawn(box, place), labels), SHAPE)(())
    np.testing.assert_array_equal(inside, expected)


@ALL
@given(rectangles(), st.floats(0.05, 20), st.integers(-1000, 1000), st.integers(-1000, 1000))
def test_shapes_of_another_scale_hold_what_they_enclose_too(box, scale, y, x):
    """Drawn in a layer without a transform, as napari adds it; its corners are float32."""
    place = {"scale": (scale, scale), "translate": (y, x)}
    image = Image(np.zeros(SHAPE, np.uint8), **place)
    world = [image.data_to_world(corner) for corner in drawn(box, {}).data[0]]
    shapes = Shapes([np.array(world)], shape_type="polygon", name="drawn")
    rounding = np.abs(shapes.data[0] - world).max() / scale
    if rounding < TOLERANCE / 2:
        assert region.roi_of(None, image, shapes).box == covered(box)


@ALL
@given(transforms(), st.integers(0, 50), st.integers(0, 70))
def test_a_result_of_a_part_lies_on_the_pixels_it_was_found_in(place, top, left):
    image = Image(np.zeros(SHAPE, np.uint8), **place)
    part = source_of(image).cropped((top, left, 60, 80))
    result = Labels(np.zeros(part.shape, int), **part.placement)
    there = image.world_to_data(result.data_to_world((3, 4)))
    np.testing.assert_allclose(there, (top + 3, left + 4), atol=TOLERANCE)


@ALL
@given(st.floats(0.05, 20), st.integers(0, 100_000), st.integers(0, 100_000))
def test_the_origin_of_a_crop_is_found_from_its_place(scale, y, x):
    data, meta, _ = Labels(
        np.ones(SHAPE, int), scale=(scale, scale), translate=(y * scale, x * scale)
    ).as_layer_data_tuple()
    assert nuclei_of(data, meta).origin == (x, y)


def test_a_layer_that_is_turned_tells_no_origin():
    layer = Labels(np.ones(SHAPE, int), scale=(0.5, 0.5), translate=(5, 10), rotate=90)
    data, meta, _ = layer.as_layer_data_tuple()
    assert nuclei_of(data, meta).origin == (0, 0)


@pytest.mark.parametrize("scale", [0.1, 0.3, 0.7, 1.1])
def test_layers_as_far_apart_as_is_allowed_are_compared_at_every_scale(scale):
    one = Labels(np.ones(SHAPE, int), scale=(scale, scale))
    other = Labels(np.ones(SHAPE, int), scale=(scale, scale), translate=(0.1 * scale, 0))
    assert not why_not_together(one, other)
