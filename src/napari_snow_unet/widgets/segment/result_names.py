"""What tells results of one image apart, in the words that their layers are named by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_snow_unet.models import DEFAULT, DEFAULT_MODEL
from napari_snow_unet.widgets.segment.region import RegionOfInterest

SUFFIX = {"nuclei": "nuclei", "mask": "nuclei mask"}
UNKNOWN, WHOLE = "unknown pixel size", "whole image"


@dataclass(frozen=True)
class Variant:
    """What a result was made with, as far as its name may have to say it."""

    output: str
    model: str  # as `models.open_model` takes it
    pixel_size: str
    channel: str
    averaged: str  # whether by test-time augmentation
    roi: str
    place: str  # where in the image that lies; empty for the whole image

    @classmethod
    def of(cls, model: str, provenance: Mapping[str, Any], roi: RegionOfInterest | None) -> Variant:
        """Take it from the model as it was chosen, what a result says of itself, and its region."""
        options, size = provenance["options"], provenance.get("pixel_size_um")
        averaged = options["test_time_augmentation"]
        return cls(
            output=options["output"],
            model=model,
            pixel_size=UNKNOWN if size is None else f"{size:g} µm",
            channel=f"{provenance['channel']} channel",
            averaged="test-time augmentation" if averaged else "no test-time augmentation",
            roi=WHOLE if roi is None else roi.name,
            place="" if roi is None else roi.place,
        )

    def suffix(self, others: Iterable[Variant] = ()) -> str:
        """Return what follows an image's name in that of the result.

        What one of its `others` of the same kind and model was made with otherwise is named.
        """
        same = [each for each in others if (each.output, each.model) == (self.output, self.model)]
        differing = [
            getattr(self, name)
            for name in ("pixel_size", "channel", "averaged", "roi")
            if any(getattr(each, name) != getattr(self, name) for each in same)
        ]
        if any(each.roi == self.roi and each.place != self.place for each in same):
            differing.append(self.place)
        return name_suffix(self.output, self.model, differing)


def name_suffix(output: str, model: str, differing: Iterable[str] = ()) -> str:
    """Return what follows an image's name in that of a result; the usual model is not named."""
    named = [] if model in (DEFAULT, DEFAULT_MODEL) else [Path(model).name]
    told = ", ".join([*named, *differing])
    return f"{SUFFIX[output]} ({told})" if told else SUFFIX[output]
