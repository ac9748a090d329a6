"""The options of a folder of results, so that a resumed run uses the same."""

from __future__ import annotations

import csv
import json
import shlex
from collections.abc import Collection, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from napari_snow_unet import __version__
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.files import written_whole
from napari_snow_unet.base.options import Declared, Option, declared
from napari_snow_unet.base.precision import precision_of
from napari_snow_unet.batch import messages
from napari_snow_unet.batch.job import Job
from napari_snow_unet.batch.outputs import Outputs
from napari_snow_unet.batch.summary import SUMMARY
from napari_snow_unet.models import DEFAULT, DEFAULT_MODEL
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options

OPTIONS_FILE = "options.json"
# The labels do not depend on these.
_CHANGE_NOTHING = ("tile", "model_folder")
# A folder holds results of one model, number format and major version.
_ONE_PER_FOLDER = ("model", "checksum", "precision", "version")
_HOW = ("overwrite", "resume")  # how a run continues, not what it writes
_FILES = ("formats", *(name for name in declared(Outputs) if name not in ("formats", *_HOW)))
_OPTIONS = asdict(Options())
_FILE_PIXEL_SIZE = Declared(
    "file_pixel_size",
    bool,
    True,
    False,
    (),
    Option("Use the pixel size of files.", flag="--pixel-size"),
)
#: The entries of the file.
_RECORDED: dict[str, Declared] = {
    **{name: declared(Job)[name] for name in ("model", "precision")},
    **declared(Options),
    "file_pixel_size": _FILE_PIXEL_SIZE,
    **{name: declared(Outputs)[name] for name in _FILES},
}
_OLD_NAMES = {one.option.was: name for name, one in _RECORDED.items() if one.option.was}


#: The entries that an option sets beside that of its own name.
_ALSO = {
    "min_area": ("min_area_um2",),
    "min_area_um2": ("min_area",),
    "pixel_size_um": ("file_pixel_size",),
}


def entries_of(options: Iterable[str]) -> set[str]:
    """Return the entries of the file that options set, by the names of the options."""
    return {entry for name in options for entry in (name, *_ALSO.get(name, ()))}


def run_options(
    model: Model, options: Options, outputs: Outputs, *, use_pixel_size: bool
) -> dict[str, Any]:
    """Return the options that determine the files of a run, as plain values for JSON."""
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


def record_options(now: dict[str, Any], outputs: Outputs, *, has_results: bool) -> None:
    """Write the options of a run; raise `InputError` for a folder with other options.

    The folder is locked; with `has_results` some images have results that are to be kept. Results
    of other images may differ in options, but not in model, number format or major version.
    """
    path = outputs.folder / OPTIONS_FILE
    before = _read(path) if outputs.resume or has_results else None
    if before is not None:
        before = {**now, **_OPTIONS, **before}
        ignored = _CHANGE_NOTHING if outputs.resume else (*_CHANGE_NOTHING, *_FILES)
        other = [name for name in _differing(before, now) if name not in ignored]
        if not other:
            return
        if not outputs.resume:
            raise InputError(messages.OTHER_OPTIONS, path=path)
        texts = _in_words(before, other), _in_words(now, other)
        raise InputError(messages.other_run(*texts), path=path)
    if _has_results(outputs.folder / SUMMARY):
        before = {**now, **(_read(path) or {})}
        if other := [name for name in _differing(before, now) if name in _ONE_PER_FOLDER]:
            texts = _in_words(before, other), _in_words(now, other)
            raise InputError(messages.mixed(*texts), path=path)
    with written_whole(path, overwrite=True) as temporary:
        temporary.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")


def _differing(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the names of the options that differ; of versions the major number counts."""
    major = [{**options, "version": _major(options["version"])} for options in (before, now)]
    return [name for name in now if major[0][name] != major[1][name]]


def _major(version: object) -> str:
    return str(version).partition(".")[0]


def _has_results(table: Path) -> bool:
    """Return whether a table has the row of an image with labels; the rows are checked before."""
    with table.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        return any(row["labels"] for row in csv.DictReader(file))


def continued_job(job: Job, given: Collection[str]) -> tuple[Job, dict[str, Any]]:
    """Complete a job with the recorded options of its folder, except the entries in `given`.

    Return it, and the entries that changed.
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
    return {name: _RECORDED[name].as_plain(getattr(outputs, name)) for name in _FILES}


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
    one = _RECORDED[name]
    try:
        return one.as_plain(one.from_plain(value))
    except InputError as error:
        raise InputError(messages.unusable_options(error.message), path=path) from None


def _read(path: Path) -> dict[str, Any] | None:
    """Read the recorded options; None if there are none."""
    content = _content(path)
    if content is None:
        return None
    content = {_OLD_NAMES.get(name, name): value for name, value in content.items()}
    if isinstance(precision := content.get("precision"), str):
        content["precision"] = precision_of(precision) or precision
    return content


def _content(path: Path) -> dict[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def renamed_entries(path: Path) -> dict[str, str]:
    """Return the entries of an ``options.json`` with names of 0.1, and their new names."""
    return {old: new for old, new in _OLD_NAMES.items() if old in (_content(path) or {})}


def entry_as_words(name: str, value: Any) -> list[str]:
    """Return the flag and value of an entry of `run_options`; for some values nothing."""
    if name == "file_pixel_size":
        return [] if value else ["--pixel-size", "0"]
    one = _RECORDED[name]
    return one.as_words(tuple(value) if isinstance(value, list) else value, default_too=True)


def _in_words(entries: dict[str, Any], names: list[str]) -> str:
    texts = {}
    for name in names:
        value = entries.get(name)
        if name == "version":
            texts[name] = f"version {value}"
        elif name == "checksum":
            texts[name] = f"weights whose SHA-256 is {value or 'none'}"
        elif words := entry_as_words(name, value):
            texts[words[0]] = shlex.join(words)
        else:
            texts.setdefault(_RECORDED[name].flag, f"no {_RECORDED[name].flag}")
    return ", ".join(texts.values())
