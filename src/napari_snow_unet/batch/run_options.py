"""What a folder of results was asked for, so that a run that goes on with it asks for the same."""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Collection
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from napari_snow_unet import __version__
from napari_snow_unet.base.errors import InputError, Message
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.base.options import Declared, Option, declared
from napari_snow_unet.base.precision import precision_of
from napari_snow_unet.batch.job import Job
from napari_snow_unet.batch.outputs import HELPS_WHERE_TAKEN, WHERE_TAKEN, Outputs
from napari_snow_unet.batch.summary import SUMMARY
from napari_snow_unet.models import DEFAULT, DEFAULT_MODEL
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options

OPTIONS_FILE = "options.json"
# The same labels come whatever the edge of a window, and wherever the model lies.
_CHANGE_NOTHING = ("tile", "model_folder")
# A folder holds results of one model, number format and major version.
_ONE_PER_FOLDER = ("model", "checksum", "precision", "version")
_HOW = ("overwrite", "resume")  # how a run goes on, not what it makes
_FILES = ("formats", *(name for name in declared(Outputs) if name not in ("formats", *_HOW)))
_OPTIONS = asdict(Options())
_FILE_PIXEL_SIZE = Declared(
    "file_pixel_size", bool, True, False, (), Option("Believe what files say.", flag="--pixel-size")
)
#: What is noted of a run, and read again.
_NOTED: dict[str, Declared] = {
    **{name: declared(Job)[name] for name in ("model", "precision")},
    **declared(Options),
    "file_pixel_size": _FILE_PIXEL_SIZE,
    **{name: declared(Outputs)[name] for name in _FILES},
}
_OLD_NAMES = {one.option.was: name for name, one in _NOTED.items() if one.option.was}


def what_is_asked(
    model: Model, options: Options, outputs: Outputs, *, use_pixel_size: bool
) -> dict[str, Any]:
    """Return what decides the files of a run, in plain values that JSON can hold."""
    return {
        "model": model.name,
        "model_folder": model.folder,
        "checksum": model.checksum,
        "precision": model.precision,
        **asdict(options),
        "file_pixel_size": use_pixel_size,
        **_files(outputs),
        "version": __version__,
    }


def note_asked(asked: dict[str, Any], outputs: Outputs, *, there: bool) -> None:
    """Note the options of a run; refuse a folder whose results were made otherwise.

    The folder is locked; if `there`, some images have results that are not to be replaced. Results
    of other images may differ in options, but not in model, number format or major version.
    """
    path = outputs.folder / OPTIONS_FILE
    before = _read(path) if outputs.resume or there else None
    if before is not None:
        before = {**asked, **_OPTIONS, **before}
        ignored = _CHANGE_NOTHING if outputs.resume else (*_CHANGE_NOTHING, *_FILES)
        other = [name for name in _differing(before, asked) if name not in ignored]
        if not other:
            return
        if not outputs.resume:
            raise InputError(
                "some of these images have results there, made with other options",
                expected="the options of these results, or another folder",
                remedy=WHERE_TAKEN,
                helps=HELPS_WHERE_TAKEN,
                path=path,
            )
        raise InputError(
            f"these results were begun with {_said(before, other)}",
            expected=f"what is asked for now, {_said(asked, other)}",
            remedy="Leave these options out to go on as before, choose another folder, or "
            "overwrite.",
            helps=("overwrite",),
            path=path,
        )
    if _has_results(outputs.folder / SUMMARY):
        before = {**asked, **(_read(path) or {})}
        if other := [name for name in _differing(before, asked) if name in _ONE_PER_FOLDER]:
            raise InputError(_mixed(_said(before, other), _said(asked, other)), path=path)
    with written_whole(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")


def _differing(before: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    """Return the names of the options that differ; of versions the major number counts."""
    major = [{**options, "version": _major(options["version"])} for options in (before, asked)]
    return [name for name in asked if major[0][name] != major[1][name]]


def _major(version: object) -> str:
    return str(version).partition(".")[0]


def _has_results(table: Path) -> bool:
    """Return whether a table has the row of an image with labels; the rows are checked before."""
    with table.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return any(row["labels"] for row in csv.DictReader(file))


def _mixed(before: str, now: str) -> Message:
    return Message(
        f"The folder holds results of other images made with {before}; this run uses {now}.",
        "Choose another folder, so that the results are not mixed.",
    )


def continued_job(job: Job, given: Collection[str]) -> tuple[Job, dict[str, Any]]:
    """Complete a job by what its folder of results was begun with, but for the entries in `given`.

    Return it, and the entries that have become others by this.
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
        **_files(job.outputs),
    }


def _files(outputs: Outputs) -> dict[str, Any]:
    return {name: _NOTED[name].as_plain(getattr(outputs, name)) for name in _FILES}


def _with_entries(job: Job, entries: dict[str, Any]) -> Job:
    files = {name: entries[name] for name in _FILES}
    outputs = replace(job.outputs, **files | {"formats": tuple(files["formats"])})
    return replace(
        job,
        model=entries["model"],
        precision=entries["precision"],
        options=Options(**{name: entries[name] for name in _OPTIONS}),
        outputs=outputs,
        use_pixel_size=entries["file_pixel_size"],
    )


def _checked(name: str, value: Any, path: Path) -> Any:
    one = _NOTED[name]
    try:
        return one.as_plain(one.from_plain(value))
    except InputError as error:
        raise InputError(
            Message(
                f"The options of the interrupted run cannot be used. {error.message.problem}",
                "Give that option, choose another folder, or overwrite.",
                ("overwrite",),
            ),
            path=path,
        ) from None


def _read(path: Path) -> dict[str, Any] | None:
    """Read what was asked for; None where an older version or nobody has noted it."""
    content = _content(path)
    if content is None:
        return None
    content = {_OLD_NAMES.get(name, name): value for name, value in content.items()}
    if isinstance(was := content.get("precision"), str):
        content["precision"] = precision_of(was) or was
    return content


def _content(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def renamed_entries(path: Path) -> dict[str, str]:
    """Return the entries of an ``options.json`` that have a name of 0.1, and today's names."""
    return {old: new for old, new in _OLD_NAMES.items() if old in (_content(path) or {})}


def entry_as_words(name: str, value: Any) -> list[str]:
    """Return what is typed in the shell for an entry of `what_is_asked`; of some values nothing."""
    if name == "file_pixel_size":
        return [] if value else ["--pixel-size", "0"]
    one = _NOTED[name]
    return one.as_words(tuple(value) if isinstance(value, list) else value, default_too=True)


def _said(asked: dict[str, Any], names: list[str]) -> str:
    said = {}
    for name in names:
        value = asked.get(name)
        if name == "version":
            said[name] = f"version {value}"
        elif name == "checksum":
            said[name] = f"weights whose SHA-256 is {value or 'none'}"
        elif words := entry_as_words(name, value):
            said[words[0]] = shlex.join(words)
        else:
            said.setdefault(_NOTED[name].flag, f"no {_NOTED[name].flag}")
    return ", ".join(said.values())
