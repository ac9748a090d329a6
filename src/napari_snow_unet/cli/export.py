"""``napari-snow-unet export``: a model for the BioImage Model Zoo and for programs with ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_snow_unet.cli.usage import as_wrong_usage


def export(
    model: Annotated[
        str,
        typer.Argument(
            help="Name of a model (see `models`) or the folder of one.", show_default=False
        ),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--out", help="File to write: .zip or .onnx.", show_default=False),
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a file that exists.")
    ] = False,
) -> None:
    """Write a model for other programs.

    FILE.zip is a package of the BioImage Model Zoo, with ONNX weights and an example in it;
    FILE.onnx is the network alone. Needs pip install "napari-snow-unet[export]".
    """
    from napari_snow_unet.models import UnknownModelError, export_model

    if output.suffix.lower() not in (".zip", ".onnx"):
        raise typer.BadParameter("The name must end in .zip or .onnx.", param_hint="--out")
    with as_wrong_usage(UnknownModelError):
        written = export_model(model, output, overwrite=overwrite)
    typer.echo(f"Wrote {written} ({written.stat().st_size / 1e6:.1f} MB)")
