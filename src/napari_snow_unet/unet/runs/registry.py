"""Trained models by name: one small file per training says where its folder is.

The files stand beside the user's own models and are called ``NAME.run``. A model stays in its
training's folder, so it is listed from its first epoch on, and for as long as the folder exists.
"""

from __future__ import annotations

import itertools
import re
from contextlib import suppress
from pathlib import Path

from napari_snow_unet.base.files import written_whole
from napari_snow_unet.unet.models.folder import CONFIG, WEIGHTS, user_folder
from napari_snow_unet.unet.runs.folder import RunDirectory, is_run

SUFFIX = ".run"
_LARGEST = 10_000  # bytes; a path is shorter


def register(run: RunDirectory) -> str:
    """Put a training's best model on the list of models, and return its name there.

    That is the folder's, with a number where another training or model has it.
    """
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", run.folder.name).strip(".-")[:90] or "trained"
    for number in itertools.count(1):
        name = stem if number == 1 else f"{stem}-{number}"
        entry = user_folder() / f"{name}{SUFFIX}"
        known = _folder_in(entry)
        if known == run.folder:
            return name
        taken = (user_folder() / name).exists() or (known is not None and is_run(known))
        if not taken:
            break
    with written_whole(entry, overwrite=True) as temporary:
        temporary.write_text(f"{run.folder}\n", encoding="utf-8")
    return name


def registered() -> dict[str, Path]:
    """Return the best model of every training that is on the list and still there, by name."""
    found = {}
    for entry in sorted(user_folder().glob(f"*{SUFFIX}")):
        folder = _folder_in(entry)
        if folder is not None and is_run(folder):
            best = RunDirectory(folder).best
            if (best / CONFIG).is_file() and (best / WEIGHTS).is_file():
                found[entry.stem] = best
    return found


def _folder_in(entry: Path) -> Path | None:
    with suppress(OSError, UnicodeDecodeError, ValueError):
        if entry.stat().st_size <= _LARGEST:
            path = Path(entry.read_text(encoding="utf-8").strip())
            return path if path.is_absolute() else None
    return None
