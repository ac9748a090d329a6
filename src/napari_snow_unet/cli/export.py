"""``napari-snow-unet export``: write a model for the BioImage Model Zoo or as ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from napari_snow_unet.cli import messages
from napari_snow_unet.cli.usage import as_wrong_usage


def export(
    model: Annotated[
        str,
        typer.Argument(help="Model name (see `models`) or model folder.", show_default=False),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--out", help="Output file, .zip or .onnx.", show_default=False),
    ],
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Overwrite an existing file.")
    ] = False,
) -> None:
    """Export a model for other programs.

    A .zip file is a package for the BioImage Model Zoo, with ONNX weights and an example; an .onnx
    file is the network alone. Requires pip install "napari-snow-unet[export]".
    """
    from napari_snow_unet.models import UnknownModelError, export_model

    if output.suffix.lower() not in (".zip", ".onnx"):
        raise typer.BadParameter(messages.EXPORT_SUFFIX, param_hint="--out")
    with as_wrong_usage(UnknownModelError):
        written = export_model(model, output, overwrite=overwrite)
    typer.echo(messages.exported(written, written.stat().st_size))
