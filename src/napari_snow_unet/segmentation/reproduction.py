"""A result as a Python script or a terminal command that reproduces it."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from napari_snow_unet.base.options import declared
from napari_snow_unet.data.slides.slide import is_slide
from napari_snow_unet.segmentation.options import Options


@dataclass(frozen=True)
class Recipe:
    """The image, model and options of a result."""

    source: str  # the image file, or the folder of an OME-Zarr
    model: str  # as `models.open_model` takes it
    options: Options
    pixel_size_um: float | None  # that was used
    shape: tuple[int, ...]  # without the colour axis
    rgb: bool
    planes: Sequence[tuple[int, ...]]  # segmented ones, by their index in the leading axes
    provenance: dict[str, Any]
    to_files: bool = False  # whether the labels were written to disk as too large for memory

    @property
    def precision(self) -> str:
        """The number format of the network."""
        return str(self.provenance.get("precision", "float32"))

    @property
    def is_network(self) -> bool:
        """Whether a network computed it."""
        return bool(self.provenance.get("model_checksum"))

    @property
    def is_stack(self) -> bool:
        """Whether the image has more than two axes."""
        return len(self.shape) > 2

    @property
    def is_whole(self) -> bool:
        """Whether every plane was segmented."""
        count = 1
        for length in self.shape[:-2]:
            count *= length
        return len(self.planes) == count


def as_python(recipe: Recipe) -> str:
    """Return a Python script that ends with the same labels in ``labels``."""
    if recipe.to_files:
        return _as_python_to_files(recipe)
    options = _options(recipe.options)
    call = f"segment(image, model, Options({options}), pixel_size_um={recipe.pixel_size_um!r})"
    white = recipe.provenance.get("white")
    if white is not None:  # of more than 8 bits
        call = call[:-1] + f", values=value_range(image, white={white!r}))"
    room = "pipeline import run, segment"
    if recipe.is_stack:
        planes = "" if recipe.is_whole else f", planes={[tuple(p) for p in recipe.planes]!r}"
        call = call[:-1].replace("segment(", "segment_stack(", 1) + f", rgb={recipe.rgb}{planes})"
        room = "stack import segment_stack"
    run = [] if not recipe.is_stack else ["from napari_snow_unet.base.progress import run"]
    slide = is_slide(recipe.source)
    read = ("slides.slide", "read_slide") if slide else ("pixels.images", "read_image")
    ranges = [] if white is None else [f"{_FROM_RANGE} import value_range"]
    lines = [
        _comment(recipe),
        *run,
        f"from napari_snow_unet.data.{read[0]} import {read[1]}",
        *ranges,
        "from napari_snow_unet.models import open_model",
        "from napari_snow_unet.segmentation.options import Options",
        f"from napari_snow_unet.segmentation.{room}",
        "",
        f"image = {read[1]}({recipe.source!r}).array",
        _opened(recipe),
        f"result = run({call})",
        "labels = result.labels",
        "",
    ]
    return "\n".join(lines)


def _as_python_to_files(recipe: Recipe) -> str:
    options = _options(replace(recipe.options, pixel_size_um=recipe.pixel_size_um))
    ignored = "" if recipe.pixel_size_um else ", use_pixel_size=False"
    lines = [
        _comment(recipe),
        "from pathlib import Path",
        "",
        "from napari_snow_unet.batch import Outputs, segment_files",
        "from napari_snow_unet.base.progress import run",
        "from napari_snow_unet.data.slides.slide import open_slide",
        "from napari_snow_unet.models import open_model",
        "from napari_snow_unet.segmentation.options import Options",
        "",
        f"image = Path({recipe.source!r})",
        _opened(recipe),
        f"options, outputs = Options({options}), Outputs(Path('nuclei'))",
        f"(result,) = run(segment_files([image], model, options, outputs{ignored}))",
        "labels = open_slide(result.labels).levels[0]",
        "",
    ]
    return "\n".join(lines)


def as_command(recipe: Recipe, folder: str = "nuclei") -> str:
    """Return a terminal command that writes the same labels; for a stack, of all planes."""
    words = ["napari-snow-unet", "segment", recipe.source, "-o", folder, "--model", recipe.model]
    for name, one in declared(Options).items():
        if name != "pixel_size_um":
            words += one.as_words(getattr(recipe.options, name))
    words += ["--pixel-size", str(recipe.pixel_size_um or 0)]
    if recipe.is_network:
        words += ["--precision", recipe.precision]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


_FROM_RANGE = "from napari_snow_unet.data.pixels.value_range"


def _chosen(options: Options) -> list[tuple[str, Any]]:
    """Return the options that differ from the defaults."""
    return [
        (field.name, value)
        for field in fields(options)
        if (value := getattr(options, field.name)) != field.default
    ]


def _options(options: Options) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in _chosen(options))


def _opened(recipe: Recipe) -> str:
    precision = f", precision={recipe.precision!r}" if recipe.is_network else ""
    return f"model = open_model({recipe.model!r}{precision})"


def _comment(recipe: Recipe) -> str:
    versions = recipe.provenance.get("versions", {})
    named = ", ".join(f"{name} {number}" for name, number in versions.items())
    checksum = recipe.provenance.get("model_checksum") or "none"
    return f"# Made with {named}.\n# SHA-256 of the model's weights: {checksum}"
