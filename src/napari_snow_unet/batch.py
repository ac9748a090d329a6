"""Files in, files out: segment any number of images, for the shell and the segment dock."""

from __future__ import annotations

import csv
import glob
import time
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_snow_unet.data.files import InputError, written_whole
from napari_snow_unet.data.images import (
    IMAGE_SUFFIXES,
    ImageFile,
    read_image,
    write_image,
    write_labels,
)
from napari_snow_unet.data.progress import Progress
from napari_snow_unet.data.snow import natural_key
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options, check_options
from napari_snow_unet.segmentation.overlay import draw_outlines, to_rgb8
from napari_snow_unet.segmentation.pipeline import Segmentation, segment
from napari_snow_unet.segmentation.preprocess import is_rgb, plane_axes, unit_divisor

SUMMARY = "summary.csv"
DERIVED = ("_probability", "_overlay")  # what we write beside labels is never taken for an image
IMAGE_FOLDERS = ("images", "Image")


@dataclass(frozen=True)
class Found:
    """Images to segment, and what else lay in the folders, by name."""

    images: list[Path]
    skipped: list[Path]


@dataclass(frozen=True)
class Outputs:
    """What to write beside the labels, and whether existing files may be replaced."""

    folder: Path
    probability: bool = False
    overlay: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class FileResult:
    """What became of one image.

    Attributes
    ----------
    source : Path
        The image.
    labels : Path or None
        Where its labels stand; None if it failed.
    nuclei : int
        Number of nuclei over all planes.
    area_fraction : float
        Part of the area that is nucleus, 0..1.
    nuclei_per_mm2 : float or None
        None where the pixel size is unknown.
    threshold : float
        Probability exceeded by nuclei; the mean over planes.
    pixel_size_um : float or None
        Micrometres per pixel, if known.
    seconds : float
        Time it took, reading and writing included.
    messages : tuple of str
        What a person should be told.
    error : str
        Why it failed; empty if it did not.
    """

    source: Path
    labels: Path | None = None
    nuclei: int = 0
    area_fraction: float = 0.0
    nuclei_per_mm2: float | None = None
    threshold: float = 0.0
    pixel_size_um: float | None = None
    seconds: float = 0.0
    messages: tuple[str, ...] = field(default=())
    error: str = ""


@dataclass(frozen=True)
class FileDone(Progress):
    """Progress that tells at once what became of an image."""

    result: FileResult | None = None


COLUMNS = (
    "image",
    "labels",
    "nuclei",
    "area_fraction",
    "nuclei_per_mm2",
    "threshold",
    "pixel_size_um",
    "seconds",
    "model",
    "error",
)


def find_images(inputs: Iterable[str | Path], split: str | None = None) -> Found:
    """Find the images that a person means by files, folders, patterns or prepared datasets.

    Parameters
    ----------
    inputs : iterable of path-like
        A file; a folder, of which the images directly inside are taken (or those in its
        ``images`` or ``Image`` folder if it has one); or a pattern such as ``slides/*.tif``. What
        exists under its exact name is never taken for a pattern.
    split : str, optional
        Take only this part of a prepared dataset, by the column ``split`` of its manifest.

    Returns
    -------
    Found
        Images in natural order without repeats, and what was skipped.

    Raises
    ------
    InputError
        If something does not exist, or there is no image at all.
    """
    images: dict[Path, None] = {}
    skipped: list[Path] = []
    inputs = list(inputs)
    for name in inputs:
        for path in _existing(name):
            if path.is_dir():
                found = _images_in(path, split)
                images.update(dict.fromkeys(found.images))
                skipped += found.skipped
            else:
                images[path] = None
    if not images:
        raise InputError(
            "no image in " + ", ".join(str(name) for name in inputs),
            expected="files ending in " + ", ".join(sorted(IMAGE_SUFFIXES)),
            remedy="Name the images, or the folder they lie in.",
        )
    return Found(list(images), skipped)


def _existing(name: str | Path) -> list[Path]:
    path = Path(name)
    if path.exists():
        return [path]
    matches = sorted(Path(match) for match in glob.glob(str(name), recursive=True))  # noqa: PTH207 (absolute patterns)
    if not matches:
        raise InputError(
            "no such file or folder, and no file matches it as a pattern",
            expected="an image, a folder of images or a pattern",
            remedy="Check the spelling.",
            path=path,
        )
    return matches


def _images_in(folder: Path, split: str | None) -> Found:
    if split is not None:
        from napari_snow_unet.data.manifest import split_images

        return Found(split_images(folder, split), [])
    for name in IMAGE_FOLDERS:
        if (folder / name).is_dir():
            folder = folder / name
            break
    files = sorted(
        (path for path in folder.iterdir() if path.is_file()),
        key=lambda path: natural_key(path.name),
    )
    images = [path for path in files if _is_image(path)]
    return Found(images, [path for path in files if path not in set(images)])


def _is_image(path: Path) -> bool:
    name = path.name.lower()
    return (
        path.suffix.lower() in IMAGE_SUFFIXES
        and not name.startswith(".")
        and not path.stem.endswith(DERIVED)
    )


def segment_files(
    files: Sequence[Path], model: Model, options: Options, outputs: Outputs
) -> Generator[Progress, None, list[FileResult]]:
    """Segment images one after the other and write their labels.

    A file that cannot be used is reported in its result and the others are done. What is written
    is whole at any moment, so stopping between two steps leaves nothing half.

    Parameters
    ----------
    files : sequence of Path
        Images; a stack is segmented plane by plane.
    model : Model
        The network or the classical method.
    options : Options
        What the person chose.
    outputs : Outputs
        Where to, and what else.

    Yields
    ------
    Progress
        After every window of the network; `done` counts files. After every file a `FileDone`.

    Returns
    -------
    list of FileResult
        In the order of `files`.

    Raises
    ------
    InputError
        If an option cannot be used for any image.
    """
    results: list[FileResult] = []
    sources = {path.resolve() for path in files}
    taken: dict[str, Path] = {}
    check_options(options, model)
    start_summary(outputs.folder / SUMMARY, files)
    for done, source in enumerate(files):
        yield Progress(done, len(files), source.name)
        start = time.perf_counter()
        try:
            _refuse_clash(source, outputs, sources, taken)
            taken[source.stem] = source
            result = yield from _segment_file(source, model, options, outputs, done, len(files))
        except (InputError, OSError, MemoryError) as error:
            result = FileResult(source, error=_reason(error, source))
        results.append(replace(result, seconds=round(time.perf_counter() - start, 3)))
        append_to_summary(outputs.folder / SUMMARY, results[-1], model.name)
        yield FileDone(done + 1, len(files), source.name, results[-1])
    yield Progress(len(files), len(files), f"{len(files)} of {len(files)} images")
    return results


def _segment_file(
    source: Path, model: Model, options: Options, outputs: Outputs, done: int, total: int
) -> Generator[Progress, None, FileResult]:
    image = read_image(source)
    divisor = unit_divisor(image.array)
    parts: list[Segmentation] = []
    for plane in _planes(image.array):
        steps = segment(plane, model, options, pixel_size_um=image.pixel_size_um, divisor=divisor)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                parts.append(end.value)
                break
            yield Progress(done, total, f"{source.name}, {step.message}")
    labels = _write(image, divisor, parts, outputs, mask=options.output == "mask")
    return _result(source, labels, parts)


def _planes(array: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    rgb = is_rgb(array.shape)
    if plane_axes(array.shape, rgb=rgb) == "plane":
        return [array]
    plane = array.shape[-3:] if rgb else array.shape[-2:]
    return list(array.reshape(-1, *plane))


def _write(
    image: ImageFile,
    divisor: float,
    parts: Sequence[Segmentation],
    outputs: Outputs,
    *,
    mask: bool,
) -> Path:
    stem, overwrite = image.path.stem, outputs.overwrite
    planes = _planes(image.array)
    if outputs.probability:
        target = outputs.folder / f"{stem}_probability.png"
        _write_planes(target, [part.probability for part in parts], overwrite)
    if outputs.overlay:
        drawn = [
            draw_outlines(to_rgb8(plane, divisor), part.labels)
            for plane, part in zip(planes, parts, strict=True)
        ]
        _write_planes(outputs.folder / f"{stem}_overlay.png", drawn, overwrite)
    if mask:
        masks = [(part.labels * 255).astype(np.uint8) for part in parts]
        return _write_planes(outputs.folder / f"{stem}.png", masks, overwrite)
    target = outputs.folder / f"{stem}.png"
    if len(parts) == 1:
        return write_labels(target, parts[0].labels, overwrite=overwrite)
    return _write_planes(target, [part.labels for part in parts], overwrite)


def _write_planes(target: Path, planes: Sequence[np.ndarray[Any, Any]], overwrite: bool) -> Path:
    """Write one plane as PNG, several as a TIFF stack of the same stem."""
    if len(planes) == 1:
        return write_image(target, planes[0], overwrite=overwrite)
    import tifffile

    target = target.with_suffix(".tif")
    with written_whole(target, overwrite=overwrite) as temporary:
        stack = np.stack(planes)
        photometric = "rgb" if is_rgb(stack.shape) else "minisblack"
        tifffile.imwrite(temporary, stack, compression="zlib", photometric=photometric)
    return target


def _result(source: Path, labels: Path, parts: Sequence[Segmentation]) -> FileResult:
    densities = [part.nuclei_per_mm2 for part in parts if part.nuclei_per_mm2 is not None]
    return FileResult(
        source=source,
        labels=labels,
        nuclei=sum(part.nuclei for part in parts),
        area_fraction=float(np.mean([part.area_fraction for part in parts])),
        nuclei_per_mm2=float(np.mean(densities)) if densities else None,
        threshold=float(np.mean([part.threshold for part in parts])),
        pixel_size_um=parts[0].provenance["pixel_size_um"],
        messages=tuple(dict.fromkeys(message for part in parts for message in part.messages)),
    )


def _refuse_clash(
    source: Path, outputs: Outputs, sources: set[Path], taken: dict[str, Path]
) -> None:
    if source.stem in taken:
        raise InputError(
            f"its results would have the names of those of {taken[source.stem]}",
            expected="images of different names",
            remedy="Segment them into different folders.",
            path=source,
        )
    wanted = [outputs.folder / f"{source.stem}{suffix}" for suffix in (".png", ".tif")]
    for flag, name in ((outputs.probability, DERIVED[0]), (outputs.overlay, DERIVED[1])):
        if flag:
            wanted += [outputs.folder / f"{source.stem}{name}{end}" for end in (".png", ".tif")]
    for target in wanted:
        if target.resolve() in sources:
            raise InputError(
                "the result would replace an image that is to be segmented",
                expected="an output folder other than the images' own",
                remedy="Choose another folder.",
                path=target,
            )
        if target.exists() and not outputs.overwrite:
            raise InputError(
                "the result exists already",
                expected="a free name",
                remedy="Choose another folder or allow overwriting.",
                path=target,
            )


def _reason(error: Exception, source: Path) -> str:
    if isinstance(error, MemoryError):
        return f"{source}: not enough memory; use a smaller tile size or a smaller image."
    return str(error) if isinstance(error, InputError) else f"{source}: {error}"


def start_summary(path: Path, sources: Sequence[Path]) -> None:
    """Begin a CSV table of one row per image, or go on with one that is there.

    Rows of images that are about to be segmented again are taken out; all others stay.

    Parameters
    ----------
    path : Path
        The table.
    sources : sequence of Path
        The images whose rows will come.

    Raises
    ------
    InputError
        If a file of this name is some other table.
    """
    rows: list[dict[str, str]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if tuple(reader.fieldnames or ()) != COLUMNS:
                raise InputError(
                    "the file is another table",
                    expected="the columns " + ", ".join(COLUMNS),
                    remedy="Choose another folder for the results.",
                    path=path,
                )
            again = {str(source) for source in sources}
            # A row cut short by a crash lacks its last columns.
            rows = [row for row in reader if row["image"] not in again and None not in row.values()]
    with (
        written_whole(path, overwrite=True) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as file,
    ):
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def append_to_summary(path: Path, result: FileResult, model: str) -> None:
    """Append one row to a table that `start_summary` began.

    Parameters
    ----------
    path : Path
        The table.
    result : FileResult
        What became of one image.
    model : str
        Name of the model.
    """
    row = {name: getattr(result, name, "") for name in COLUMNS}
    row |= {"image": str(result.source), "labels": str(result.labels or ""), "model": model}
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, COLUMNS).writerow(
            {key: "" if value is None else value for key, value in row.items()}
        )
