"""What a folder of results was asked for, so that a run that goes on with it asks for the same."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_snow_unet.batch.writing import Outputs
from napari_snow_unet.data.files import InputError, written_whole
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options

ASKED = "options.json"
_CHANGE_NOTHING = ("tile",)  # options that give the same labels whatever their value


def what_is_asked(
    model: Model, options: Options, outputs: Outputs, *, use_pixel_size: bool
) -> dict[str, Any]:
    """Return what decides the files of a run, in plain values that JSON can hold.

    Parameters
    ----------
    model : Model
        The network or the classical method.
    options : Options
        What the person chose.
    outputs : Outputs
        Where to, and what else.
    use_pixel_size : bool
        Whether the pixel size that a file states is believed.
    """
    chosen = {name: value for name, value in asdict(options).items() if name not in _CHANGE_NOTHING}
    return {
        "model": model.name,
        "checksum": model.checksum,
        **chosen,
        "file_pixel_size": use_pixel_size,
        "formats": list(outputs.formats),
        "probability": outputs.probability,
        "overlay": outputs.overlay,
    }


def note_asked(asked: dict[str, Any], outputs: Outputs) -> None:
    """Note what a run is asked for; refuse to go on with one that was asked for something else.

    What the folder was begun with stays noted until its results are replaced.

    Parameters
    ----------
    asked : dict
        From `what_is_asked`.
    outputs : Outputs
        The folder, which must be locked, and whether an earlier run is gone on with.

    Raises
    ------
    InputError
        If the run that is to be gone on with was asked for something else: for what.
    """
    path = outputs.folder / ASKED
    before = None if outputs.overwrite else _read(path)
    if before is not None:
        other = [name for name in asked if before.get(name) != asked[name]]
        if not (outputs.resume and other):
            return
        raise InputError(
            "these results were begun with " + _said(before, other),
            expected="what is asked for now: " + _said(asked, other),
            remedy="Ask for the same, choose another folder, or begin again with --overwrite.",
            path=path,
        )
    with written_whole(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")


def _read(path: Path) -> dict[str, Any] | None:
    """Read what was asked for; None where an older version or nobody has noted it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _said(asked: dict[str, Any], names: list[str]) -> str:
    return ", ".join(f"{name} {_value(asked.get(name))}" for name in names)


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value)) or "(usual)"
    return "(none)" if value is None else str(value)
