"""Compare what two versions wrote, file by file, for what must be equal in them."""

from __future__ import annotations

import csv
import difflib
import fnmatch
import io
import json
import re
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import numpy.typing as npt
import scipy.io
import tifffile
from PIL import Image

#: Words for what differs from run to run.
PLACEHOLDERS = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?", "TIME"),
    (r"\b\d+(\.\d+)? (s|ms|min|minutes?|seconds?)\b", "DURATION"),
    (r"[\d.]+ ?(tiles|images|it)/s", "SPEED"),
    (r"(napari-snow-unet\W{1,4})\d+\.\d+\.\d+", r"\1VERSION"),  # of what is installed
)
TIMES = re.compile(
    r"(^|_)(seconds?|started|ended|created|duration|elapsed|pid|time|modified|updated)($|_)"
)
TEXT = (".json", ".csv", ".txt", ".html", ".log", ".geojson", ".yaml", ".md", ".zattrs", ".zgroup")


@dataclass(frozen=True)
class Version:
    """One side: its results, the folder of its package, its number; keys that do not count."""

    out: Path
    sources: Path
    number: str
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Allowed:
    """A difference that is meant.

    Attributes
    ----------
    files : str
        Pattern of the files, below the folder of results.
    why : str
        What was decided.
    lines : str
        Pattern that each differing line must have; by default all of the file may differ.
    only : {"", "before", "after"}
        Whether the file is missing on the other side.
    keys : list of str
        Columns of tables and keys of JSON that only one side has.
    dice : float
        At least how far a label image must agree; 0 for any.
    """

    files: str
    why: str
    lines: str = ""
    only: str = ""
    keys: list[str] = field(default_factory=list)
    dice: float = 0.0


def read_allowed(path: Path) -> list[Allowed]:
    """Read the list of differences that are meant."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("allowed", [])
    return [Allowed(**entry) for entry in entries]


def differences(before: Version, after: Version, allowed: list[Allowed]) -> Iterator[str]:
    """Yield a sentence for every difference that is not allowed."""
    names = {
        side: {str(path.relative_to(side.out)) for path in side.out.rglob("*") if path.is_file()}
        for side in (before, after)
    }
    for name in sorted(names[before] | names[after]):
        meant = [entry for entry in allowed if fnmatch.fnmatch(name, entry.files)]
        if name not in names[after] or name not in names[before]:
            side = "before" if name in names[before] else "after"
            if not any(entry.only == side for entry in meant):
                yield f"{name}: only {side}"
            continue
        yield from _of_file(name, before, after, meant)


def _of_file(name: str, before: Version, after: Version, meant: list[Allowed]) -> Iterator[str]:
    paths = [side.out / name for side in (before, after)]
    if paths[0].read_bytes() == paths[1].read_bytes():
        return
    whole = [entry for entry in meant if not (entry.lines or entry.only or entry.keys)]
    left_out = frozenset(key for entry in meant for key in entry.keys)
    if whole:
        least = max(entry.dice for entry in whole)
        if least and (found := _dice(*paths)) < least:
            yield f"{name}: Dice {found:.4f}"
        return
    try:
        texts = [
            list(_described(path, replace(side, left_out=left_out)))
            for path, side in zip(paths, (before, after), strict=True)
        ]
    except (ValueError, OSError) as error:
        yield f"{name}: {error}"
        return
    patterns = [entry.lines for entry in meant if entry.lines]
    changed = [
        line
        for line in difflib.unified_diff(*texts, "before", "after", lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
        and not any(re.search(pattern, line[1:]) for pattern in patterns)
    ]
    if changed:
        yield "\n    ".join([f"{name}:", *(line[:300] for line in changed[:8])])


def _described(path: Path, side: Version) -> Iterator[str]:
    """Yield what must be equal of a file, as lines."""
    read: Mapping[str, Callable[[Path, Version], Iterator[str]]] = {
        ".png": _png,
        ".tif": _tiff,
        ".mat": _mat,
        ".h5": _hdf5,
        ".zip": _zip,
    }
    if path.suffix in read:
        yield from read[path.suffix](path, side)
    elif path.suffix in TEXT or path.name.startswith(".z"):
        yield from _text(path.read_text(encoding="utf-8"), path.suffix or path.name, side)
    else:
        yield str(path.read_bytes())


def _text(text: str, suffix: str, side: Version) -> Iterator[str]:
    """Yield the lines of a text, with placeholders for times, versions and folders."""
    if suffix == ".txt" and text.startswith("{"):
        suffix = ".json"
    if suffix in (".json", ".geojson", ".zattrs"):
        with suppress(json.JSONDecodeError):
            text = json.dumps(_comparable(json.loads(text), side), indent=1)
    elif suffix == ".csv":
        rows = list(csv.DictReader(io.StringIO(text)))
        text = "\n".join(json.dumps(_comparable(row, side)) for row in rows)
    for known, word in (
        (str(side.sources), "SOURCES"),
        (str(side.out.parent), "FOLDER"),
        (side.number, "VERSION"),
    ):
        text = text.replace(known, word)
    for pattern, word in PLACEHOLDERS:
        text = re.sub(pattern, word, text)
    yield from text.splitlines()


def _comparable(value: object, side: Version) -> object:
    """Return JSON without the keys that do not count, and with placeholders for times."""
    if isinstance(value, dict):
        return {
            key: "TIME" if TIMES.search(str(key)) else _comparable(entry, side)
            for key, entry in value.items()
            if key not in side.left_out
        }
    return [_comparable(entry, side) for entry in value] if isinstance(value, list) else value


def _array(name: str, values: object) -> str:
    array = np.asarray(values)
    return f"{name} {array.dtype} {array.shape} {array.tobytes().hex()}"


def _png(path: Path, side: Version) -> Iterator[str]:
    with Image.open(path) as image:
        yield _array(image.mode, image)
        for key, value in sorted(image.info.items()):
            yield from (f"{key} {line}" for line in _text(str(value), ".json", side))


def _tiff(path: Path, side: Version) -> Iterator[str]:
    places = ("Offsets", "ByteCounts", "SubIFDs", "DateTime")
    with tifffile.TiffFile(path) as file:
        for page in file.pages:
            yield _array("page", page.asarray())
            for tag in page.tags:
                if not tag.name.endswith(places):
                    yield from (f"{tag.name} {s}" for s in _text(str(tag.value), ".json", side))


def _mat(path: Path, side: Version) -> Iterator[str]:
    for name, values in sorted(scipy.io.loadmat(path).items()):
        if not name.startswith("__"):
            yield _array(name, values) if values.dtype != object else f"{name} {values}"


def _hdf5(path: Path, side: Version) -> Iterator[str]:
    found: list[str] = []
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: (
                found.append(_array(name, item[()])) if isinstance(item, h5py.Dataset) else None
            )
        )
    yield from found


def _zip(path: Path, side: Version) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive, TemporaryDirectory() as folder:
        archive.extractall(folder)
        for name in sorted(archive.namelist()):
            yield from (f"{name} {line}" for line in _described(Path(folder, name), side))


def _dice(before: Path, after: Path) -> float:
    """Return the Dice coefficient of what two label images mark."""
    first, second = (_pixels(path) > 0 for path in (before, after))
    total = int(first.sum() + second.sum())
    return 2 * int((first & second).sum()) / total if total else 1.0


def _pixels(path: Path) -> npt.NDArray[np.generic]:
    return tifffile.imread(path) if path.suffix == ".tif" else np.asarray(Image.open(path))
