"""A result as a Python script or a terminal command that reproduces it."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from napari_snow_unet.base.options import declared
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
    def is_whole(self) -> bool:
        """Whether every plane was segmented."""
        count = 1
        for length in self.shape[:-2]:
            count *= length
        return len(self.planes) == count


def as_python(recipe: Recipe) -> str:
    """Return a Python script that ends with the same labels in ``labels``."""
    options = replace(recipe.options, pixel_size_um=recipe.pixel_size_um or 0)
    words = [f"{name}={value!r}" for name, value in _chosen(options)]
    if recipe.to_files:
        call = ", ".join([f"{recipe.source!r}, 'nuclei', model", *words])
        last = f"(result,) = snow.segment_folder({call}).results"
        labels = "snow.read_labels(result.labels)"
    else:
        white = recipe.provenance.get("white")
        words += [] if white is None else [f"white={white!r}"]  # of more than 8 bits
        words += [] if recipe.is_whole else [f"planes={[tuple(p) for p in recipe.planes]!r}"]
        call = ", ".join([f"{recipe.source!r}, model", *words])
        last = f"result = snow.segment({call})"
        labels = "result.labels"
    precision = f", precision={recipe.precision!r}" if recipe.is_network else ""
    lines = [
        _comment(recipe),
        "import napari_snow_unet as snow",
        "",
        f"model = snow.load_model({recipe.model!r}{precision})",
        last,
        f"labels = {labels}",
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


def _chosen(options: Options) -> list[tuple[str, Any]]:
    """Return the options that differ from the defaults."""
    return [
        (field.name, value)
        for field in fields(options)
        if (value := getattr(options, field.name)) != field.default
    ]


def _comment(recipe: Recipe) -> str:
    versions = recipe.provenance.get("versions", {})
    named = ", ".join(f"{name} {number}" for name, number in versions.items())
    checksum = recipe.provenance.get("model_checksum") or "none"
    lines = [f"# Made with {named}.", f"# SHA-256 of the model's weights: {checksum}"]
    edits = recipe.provenance.get("edits")
    if edits:
        lines += [
            "# The labels were edited by hand afterwards. This script does not repeat the edits:",
            "# " + ", ".join(f"{name} {number}" for name, number in edits.items()) + ".",
        ]
    return "\n".join(lines)
