"""``napari-snow-unet demo``: generate, segment and evaluate one tile."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.cli import messages

DEMO_SEED = 2026


def demo(
    output_folder: Annotated[
        Path, typer.Option("-o", "--out", help="Folder for the results.")
    ] = Path("napari-snow-unet-demo"),
    no_gui: Annotated[bool, typer.Option("--no-gui", help="Do not open napari.")] = False,
    model: Annotated[str, typer.Option(help="Name of a model; see `models`.")] = "default",
) -> None:
    """Generate a SNOW-like tile, segment it, evaluate the result and show it in napari.

    Writes the tile in SNOW's layout (Image/seed0000.png, Mask/seed0000.mat), its labels and an
    overlay. Running it again overwrites these files only.
    """
    import numpy as np

    from napari_snow_unet.batch import Outputs, segment_files
    from napari_snow_unet.cli.progress import follow
    from napari_snow_unet.cli.usage import as_wrong_usage
    from napari_snow_unet.data.formats.hovernet import write_hovernet_mat
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import read_image, write_image
    from napari_snow_unet.data.synthetic import generate_tile
    from napari_snow_unet.metrics.scores.pixel import count_pixels, pixel_scores
    from napari_snow_unet.models import UnknownModelError, open_model
    from napari_snow_unet.segmentation.options import Options

    with as_wrong_usage(UnknownModelError):
        network = open_model(model)
    tile = generate_tile(DEMO_SEED)
    image = output_folder / "Image" / "seed0000.png"
    truth = output_folder / "Mask" / "seed0000.mat"
    exists = image.exists()
    if exists and not np.array_equal(read_image(image).array, tile.image):
        raise InputError(messages.NOT_THE_DEMO_TILE, path=image)
    if truth.exists() and not np.array_equal(read_labels(truth), tile.labels):
        raise InputError(messages.NOT_THE_DEMO_TILE, path=truth)
    write_image(image, tile.image, overwrite=exists)
    write_hovernet_mat(truth, tile.labels, overwrite=True)
    results_folder = output_folder / "results"
    steps = segment_files(
        [image],
        network,
        Options(pixel_size_um=tile.pixel_size_um),
        Outputs(results_folder, overlay=True, overwrite=exists),
    )
    (result,) = follow(steps, "Segmenting")
    if result.labels is None:
        typer.echo(f"Error: {result.error}", err=True)
        raise typer.Exit(1)
    scores = pixel_scores(count_pixels(read_labels(result.labels), tile.labels))
    for label, path in (
        ("image", image),
        ("ground truth", truth),
        ("labels", result.labels),
        ("overlay", results_folder / "seed0000_overlay.png"),
    ):
        typer.echo(f"{label:12} {path.resolve()}")
    nuclei = messages.demo_nuclei(result.nuclei or 0, int(tile.labels.max()))
    typer.echo(f"{'nuclei':12} {nuclei}")
    for name in ("dice", "precision", "recall", "accuracy"):
        typer.echo(f"{name:12} {scores[name]:.3f}")
    if not no_gui:
        _show(image, result.labels, result.provenance)


def _show(image: Path, labels: Path, provenance: dict[str, Any]) -> None:
    if not _has_display():
        typer.echo(messages.NO_DISPLAY)
        return
    from importlib.util import find_spec

    if not any(find_spec(name) for name in ("PyQt6", "PySide6", "PyQt5")):
        typer.echo(messages.NO_QT)
        return
    import napari

    from napari_snow_unet.data.formats.label_images import read_labels

    viewer = napari.Viewer()
    viewer.open(image, plugin="napari-snow-unet")
    facts = {"napari-snow-unet": {"image": image.stem, **provenance}}
    viewer.add_labels(read_labels(labels), name="seed0000 segmented", metadata=facts)
    napari.run()


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
