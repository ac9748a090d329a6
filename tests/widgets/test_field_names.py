"""What fields of the docks are called."""

import re

import pytest
from qtpy.QtWidgets import QFormLayout

DOCKS = ("Segment nuclei", "Measure a segmentation", "Train a U-Net", "Prepare a dataset")


@pytest.mark.parametrize("name", DOCKS)
def test_units_are_spelled_out_and_every_field_has_help(make_napari_viewer, name):
    viewer = make_napari_viewer()
    _, dock = viewer.window.add_plugin_dock_widget("napari-snow-unet", name)
    labels = [
        item.widget()
        for form in dock.findChildren(QFormLayout)
        for row in range(form.rowCount())
        if (item := form.itemAt(row, QFormLayout.ItemRole.LabelRole)) is not None
    ]
    said = {label.text(): label.toolTip() for label in labels if label.text()}
    assert len(said) > 2
    assert not [text for text in said if re.search(r"\bpx\b|^Vary$|^Filters$|^Smallest", text)]
    assert all(said.values())
