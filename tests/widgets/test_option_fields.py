"""Every option that has a label has a field in its dock, with the declared tooltip and default."""

from __future__ import annotations

import pytest

from napari_snow_unet.base.options import declared
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.split_options import SplitOptions
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.unet.runs.options import TrainingOptions
from napari_snow_unet.widgets.prepare.form import PrepareForm
from napari_snow_unet.widgets.segment.form import SegmentForm
from napari_snow_unet.widgets.train.form import TrainingForm


@pytest.mark.parametrize(
    ("form", "groups", "classes"),
    [
        (SegmentForm, ("files", "network", "nuclei"), (Options, Outputs)),
        (TrainingForm, ("main", "more"), (TrainingOptions,)),
        (PrepareForm, ("fields",), (PrepareOptions, SplitOptions)),
    ],
)
def test_options_and_fields_are_the_same(qtbot, form, groups, classes):
    shown = form()
    qtbot.addWidget(shown)
    fields = {field.name: field for group in groups for field in getattr(shown, group)}
    known = {name: one for cls in classes for name, one in declared(cls).items()}
    labelled = {name for name, one in known.items() if one.option.label}
    own = {"otsu"}  # the threshold has two fields, the smallest area one with two units
    assert set(fields) - own == labelled - {"min_area"}
    for name in set(fields) - own:
        said = " ".join(fields[name].tooltip.split())
        assert said == known[name].tooltip, name


def test_untouched_fields_give_the_defaults(qtbot):
    shown = SegmentForm(), TrainingForm()
    for form in shown:
        qtbot.addWidget(form)
    assert shown[0].options() == Options()
    assert shown[1].options() == TrainingOptions()
