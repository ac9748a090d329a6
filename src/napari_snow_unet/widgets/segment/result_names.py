"""The names of result layers, which distinguish results of one image."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_snow_unet.models import DEFAULT, DEFAULT_MODEL
from napari_snow_unet.widgets.segment.region import WHOLE, RegionOfInterest

SUFFIX = {"nuclei": "nuclei", "mask": "nuclei mask"}
UNKNOWN = "unknown pixel size"


@dataclass(frozen=True)
class Variant:
    """The choices behind a result that may appear in its name."""

    output: str
    model: str  # as `models.open_model` takes it
    pixel_size: str
    channel: str
    averaged: str  # with or without test-time augmentation
    roi: str
    place: str  # of the region in the image; empty for the whole image

    @classmethod
    def of(cls, model: str, provenance: Mapping[str, Any], roi: RegionOfInterest | None) -> Variant:
        """Return the variant of a result by its model, provenance and region."""
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
        """Return the suffix after the image's name in the name of the result.

        It names the choices that differ from `others` of the same output and model.
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
    """Return the suffix after an image's name; the default model is not named."""
    named = [] if model in (DEFAULT, DEFAULT_MODEL) else [Path(model).name]
    details = ", ".join([*named, *differing])
    return f"{SUFFIX[output]} ({details})" if details else SUFFIX[output]
