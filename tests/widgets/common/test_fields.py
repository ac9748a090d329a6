"""The pixel size in the dock: typed key by key."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_snow_unet.widgets.common.messages import SIZE_OF_LAYER_LABEL as LAYER
from napari_snow_unet.widgets.segment.state import SIZE_UNKNOWN

PLACE = {"scale": (0.3, 0.3), "units": ("um", "um")}
OF_THE_LAYER = f"0.3 ({LAYER})"


@pytest.fixture(params=["unknown", "a number", "a layer with a scale"])
def start(request, shown_dock, discs):
    """Begin with each of what may stand in the field."""
    place = PLACE if "layer" in request.param else {}
    shown_dock.viewer.add_image(discs(), rgb=True, name="A", **place)
    if request.param == "a number":
        shown_dock.choose(pixel_size_um=0.7)


TYPED = [
    ("0.25", 0.25, Qt.Key.Key_Return),
    ("0.2528", 0.2528, Qt.Key.Key_Tab),
    ("0,26", 0.26, None),
    ("12", 12, Qt.Key.Key_Return),
]


@pytest.mark.usefixtures("start")
def test_what_is_typed_is_what_run_uses(shown_dock, network):
    field = shown_dock.field("pixel_size_um")
    first = field.value
    for text, expected, end in TYPED:
        field.value = first
        assert shown_dock.type_pixel_size(text, end) == text
        layer = shown_dock.run()
        assert field.value == expected
        assert field.native.text() == f"{expected:g}"
        assert layer.metadata["napari-snow-unet"]["pixel_size_um"] == expected


@pytest.mark.usefixtures("start")
def test_no_text_and_0_stand_for_what_the_layer_says(shown_dock):
    field = shown_dock.field("pixel_size_um")
    said = SIZE_UNKNOWN if shown_dock.chosen("image").scale[0] == 1 else OF_THE_LAYER
    shown_dock.type_pixel_size("0", Qt.Key.Key_Return)
    assert (field.value, field.native.text()) == (0, said)
    shown_dock.type_pixel_size("0.5", Qt.Key.Key_Return)
    field.native.selectAll()
    QTest.keyClick(field.native, Qt.Key.Key_Delete)
    QTest.keyClick(field.native, Qt.Key.Key_Return)
    assert (field.value, field.native.text()) == (0, said)


def test_letters_and_more_than_the_largest_are_refused(shown_dock, discs):
    shown_dock.viewer.add_image(discs(), rgb=True, name="A")
    assert shown_dock.type_pixel_size("0.a2-5.", Qt.Key.Key_Return) == "0.25"
    assert shown_dock.type_pixel_size("10001", Qt.Key.Key_Return) == "1000"


def test_half_a_number_stays_while_the_layer_changes(shown_dock, discs):
    image = shown_dock.viewer.add_image(discs(), rgb=True, name="A")
    box = shown_dock.field("pixel_size_um").native
    assert shown_dock.type_pixel_size("0.") == "0."
    image.scale, image.units = (0.3, 0.3), ("um", "um")
    shown_dock.widget.update_hint()
    assert box.lineEdit().text() == "0."
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert box.text() == OF_THE_LAYER
