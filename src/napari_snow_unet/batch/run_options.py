"""What a folder of results was asked for, so that a run that goes on with it asks for the same."""

from __future__ import annotations

import json
import shlex
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.batch.job import Job
from napari_snow_unet.batch.writing import WHERE_TAKEN, Outputs
from napari_snow_unet.models import DEFAULT, DEFAULT_MODEL
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.reproduction import option_as_words as option_words

OPTIONS_FILE = "options.json"
# The same labels come whatever the edge of a window, and wherever the model lies.
_CHANGE_NOTHING = ("tile", "model_folder")
_FILES = ("formats", "probability", "overlay")  # of which more may be added to results
_OPTIONS = asdict(Options())
_TRUE_BY_DEFAULT = ("split", "fill_holes", "file_pixel_size")
_NUMBER = (int, float)
_NOTHING = type(None)
#: The types of what is taken from a file; a bool is no number here.
_TYPES: dict[str, tuple[type, ...]] = {
    "model": (str,),
    "precision": (str,),
    "threshold": (str, *_NUMBER),
    "output": (str,),
    "split": (bool,),
    "min_area": (_NOTHING, *_NUMBER),
    "min_area_um2": (_NOTHING, *_NUMBER),
    "fill_holes": (bool,),
    "clear_border": (bool,),
    "channel": (_NOTHING, str),
    "pixel_size_um": (_NOTHING, *_NUMBER),
    "tile": (int,),
    "test_time_augmentation": (bool,),
    "file_pixel_size": (bool,),
    "formats": (list,),
    "probability": (bool,),
    "overlay": (bool,),
}


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
    return {
        "model": model.name,
        "model_folder": model.folder,
        "checksum": model.checksum,
        "precision": model.precision if model.checksum else "auto",
        **asdict(options),
        "file_pixel_size": use_pixel_size,
        "formats": list(outputs.formats),
        "probability": outputs.probability,
        "overlay": outputs.overlay,
    }


def note_asked(asked: dict[str, Any], outputs: Outputs, *, there: bool) -> None:
    """Note what a run is asked for; refuse to go on with one that was asked for something else.

    What is not noted, since there was no such option then, had its default.

    Parameters
    ----------
    asked : dict
        From `what_is_asked`.
    outputs : Outputs
        The folder, which must be locked, and whether an earlier run is gone on with.
    there : bool
        Whether some of the images have results that are not to be replaced.

    Raises
    ------
    InputError
        If the run that is to be gone on with, or the results that are there, were asked for
        something else.
    """
    path = outputs.folder / OPTIONS_FILE
    before = _read(path) if outputs.resume or there else None
    if before is not None:
        before = {**asked, **_OPTIONS, **before}
        ignored = _CHANGE_NOTHING if outputs.resume else (*_CHANGE_NOTHING, *_FILES)
        other = [name for name in asked if name not in ignored and before[name] != asked[name]]
        if not other:
            return
        if not outputs.resume:
            raise InputError(
                "some of these images have results there, made with other options",
                expected="the options of these results, or another folder",
                remedy=WHERE_TAKEN,
                path=path,
            )
        raise InputError(
            f"these results were begun with {_said(before, other)}",
            expected=f"what is asked for now, {_said(asked, other)}",
            remedy="Leave these options out to go on as before, choose another folder, or begin "
            "again with --overwrite.",
            path=path,
        )
    with written_whole(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")


def continued_job(job: Job, given: Collection[str]) -> tuple[Job, dict[str, Any]]:
    """Complete what is asked for now by what a folder of results was begun with.

    Parameters
    ----------
    job : Job
        What is asked for now, with defaults for everything else.
    given : collection of str
        The entries that are asked for: names of `Options`, ``model``, ``precision``,
        ``file_pixel_size``, ``formats``, ``probability`` and ``overlay``.

    Returns
    -------
    job : Job
        With what the folder was begun with in place of the defaults.
    taken : dict
        The entries that have become others by this, with their values.

    Raises
    ------
    InputError
        If a value that was noted cannot be one.
    """
    path = job.outputs.folder / OPTIONS_FILE
    before = _read(path) or {}
    if before.get("model") == DEFAULT_MODEL and not before.get("model_folder"):
        before["model"] = DEFAULT
    now = _entries(job)
    taken = {
        name: _checked(name, before[name], path)
        for name in now
        if name in before and name not in given and before[name] != now[name]
    }
    if "model" in taken and isinstance(before.get("model_folder"), str):
        taken["model"] = before["model_folder"] or taken["model"]
    return _with_entries(job, now | taken), taken


def _entries(job: Job) -> dict[str, Any]:
    return {
        "model": job.model,
        "precision": job.precision,
        **asdict(job.options),
        "file_pixel_size": job.use_pixel_size,
        "formats": list(job.outputs.formats),
        "probability": job.outputs.probability,
        "overlay": job.outputs.overlay,
    }


def _with_entries(job: Job, entries: dict[str, Any]) -> Job:
    outputs = replace(
        job.outputs,
        formats=tuple(entries["formats"]),
        probability=entries["probability"],
        overlay=entries["overlay"],
    )
    return replace(
        job,
        model=entries["model"],
        precision=entries["precision"],
        options=Options(**{name: entries[name] for name in _OPTIONS}),
        outputs=outputs,
        use_pixel_size=entries["file_pixel_size"],
    )


def _checked(name: str, value: Any, path: Path) -> Any:
    types = _TYPES[name]
    fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
    if not fits or (name == "formats" and not all(isinstance(word, str) for word in value)):
        raise InputError(
            f"it says that {name} is {value!r}",
            expected="what a run has noted there",
            remedy="Give that option, choose another folder, or begin again with --overwrite.",
            path=path,
        )
    return value


def _read(path: Path) -> dict[str, Any] | None:
    """Read what was asked for; None where an older version or nobody has noted it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def entry_as_words(name: str, value: Any) -> list[str]:
    """Return what is typed in the shell for an entry, nothing for one that asks for nothing.

    Parameters
    ----------
    name : str
        Of an entry of `what_is_asked`.
    value : object
        Its value.

    Returns
    -------
    list of str
        The option and its value.
    """
    if value is None or value == [] or value is (name in _TRUE_BY_DEFAULT):
        return []
    if name == "formats":
        return ["--format", ",".join(value)]
    if name == "file_pixel_size":
        return ["--pixel-size", "0"]
    return option_words(name.removesuffix("_um") if "pixel" in name else name, value)


def _said(asked: dict[str, Any], names: list[str]) -> str:
    said = {}
    for name in names:
        value = asked.get(name)
        if name == "checksum":
            said[name] = f"weights whose SHA-256 is {value or 'none'}"
        elif words := entry_as_words(name, value):
            said[words[0]] = shlex.join(words)
        else:
            said.setdefault(_option_of(name), f"no {_option_of(name)}")
    return ", ".join(said.values())


def _option_of(name: str) -> str:
    """Return the option that an entry with another value than its default is asked for by."""
    return entry_as_words(name, name not in _TRUE_BY_DEFAULT if bool in _TYPES[name] else "x")[0]
