"""Errors as docks and notifications show them."""

from __future__ import annotations

from collections.abc import Iterable

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.options import declared
from napari_snow_unet.batch import Outputs
from napari_snow_unet.data.datasets.prepare.options import PrepareOptions
from napari_snow_unet.data.datasets.split_options import SplitOptions
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.unet.runs.options import TrainingOptions

#: Docks and fields that help, but are not fields of an option.
_OTHER_PLACES = {
    **dict.fromkeys(("prepare_dataset", "check_dataset", "split_dataset"), "Prepare a dataset"),
    "model": "Model",
    "list_models": "Model",
    "region": "Region",
}


def error_in_words(error: Exception) -> str:
    """Return an error as docks and notifications show it: the reason first."""
    if isinstance(error, InputError):
        return error.reason_first(fields_that_help(error.helps))
    return str(error)


def fields_that_help(helps: Iterable[str]) -> list[str]:
    """Return the labels of the fields that would help; an option without a field has none."""
    labels = dict(_OTHER_PLACES)
    for cls in (TrainingOptions, SplitOptions, PrepareOptions, Options, Outputs):
        labels |= {name: one.option.label for name, one in declared(cls).items()}
    return [labels.get(name, "") for name in helps]
