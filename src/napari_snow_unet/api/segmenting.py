"""Segmenting one image, or a folder of them, for the API."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

from napari_snow_unet.api import messages
from napari_snow_unet.api.calls import ShowProgress, blocks, finish, split_options, steps
from napari_snow_unet.api.inputs import paths_of, pixels_of
from napari_snow_unet.api.models import loaded
from napari_snow_unet.api.results import SegmentedFolder, SegmentedImage
from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.precision import Precision
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.batch import Outputs, find_images, segment_files
from napari_snow_unet.batch.job import Job
from napari_snow_unet.batch.run_options import continued_job, entries_of
from napari_snow_unet.data.formats.registry import known_formats
from napari_snow_unet.segmentation.model import Model
from napari_snow_unet.segmentation.options import Options
from napari_snow_unet.segmentation.plan import values_for
from napari_snow_unet.segmentation.stack import segment_stack


@steps(Options)
def segment_steps(
    image: Any,
    model: Model | str | os.PathLike[str] = "default",
    *,
    white: float | None = None,
    planes: Sequence[tuple[int, ...]] | None = None,
    **options: Any,
) -> Generator[Progress, None, SegmentedImage]:
    """Segment an image step by step.

    Parameters
    ----------
    image, model, white, planes, **options
        See `segment`.

    Yields
    ------
    Progress
        After every window: ``done`` of ``total``, and a ``message``. To stop, stop asking.

    Returns
    -------
    SegmentedImage
        As `segment` returns it, when the generator ends.
    """
    chosen, unknown_size = _options(options)
    pixels, network = pixels_of(image), loaded(model)
    values = values_for(network, pixels.array, white=pixels.white if white is None else white)
    stack = yield from segment_stack(
        pixels.array,
        network,
        chosen,
        rgb=pixels.rgb,
        planes=planes,
        pixel_size_um=None if unknown_size else pixels.pixel_size_um,
        values=values,
    )
    return SegmentedImage(
        pixels, values, chosen, network.threshold_floor, stack, network.pixel_size_um
    )


@blocks(segment_steps)
def segment(
    image: Any,
    model: Model | str | os.PathLike[str] = "default",
    *,
    progress: ShowProgress = None,
    **options: Any,
) -> SegmentedImage:
    """Segment the cell nuclei of an image or stack.

    Parameters
    ----------
    image : ndarray, path-like, ImageFile or napari Image layer
        Of shape (..., Y, X) or (..., Y, X, 3|4) and any real data type; a stack is segmented plane
        by plane. Lazy arrays are read window by window. Files and layers bring their pixel size.
    model : Model, str or path-like, default: "default"
        What `load_model` returned, or its name or folder.
    progress : callable or True, optional
        Called with a `Progress` after every window; True shows a progress bar.
    threshold : float or "otsu", default: "otsu"
        Probability above which a pixel is nucleus, 0 to 1; "otsu" finds one for every plane.
    output : {"nuclei", "mask"}, default: "nuclei"
        One label per nucleus, or 1 for all of them.
    separate : bool, default: True
        Separate touching nuclei by a watershed.
    min_area : float, optional
        Smallest nucleus in pixels; by default 5 µm².
    min_area_um2 : float, optional
        Smallest nucleus in µm²; needs a pixel size, and overrides `min_area`.
    fill_holes : bool, default: True
        Fill small holes in nuclei.
    clear_border : bool, default: False
        Drop nuclei that touch the edge of the image.
    channel : {"red", "green", "blue", "grey", "hematoxylin", "rgb"}, optional
        What the model reads of a colour image; by default what it was trained on.
    pixel_size_um : float, optional
        Micrometres per pixel; overrides what the file or layer states, and 0 means unknown. Where
        it is outside the range of the model, the image is resampled for it.
    tile : int, default: 1024
        Size in pixels of the windows passed to the network, a multiple of 64. Smaller ones need
        less memory; the result is the same.
    test_time_augmentation : bool, default: False
        Average the predictions of four mirrored images: usually better, four times slower.
    white : float, optional
        Value that is white, for images of more than 8 bits; by default what the file states, else
        the end of the smallest range (8 to 16 bits) that holds the values.
    planes : sequence of tuple of int, optional
        Planes of a stack to segment, by their index in the leading axes; by default all.

    Returns
    -------
    SegmentedImage
        ``labels`` (int32) and ``probability`` (uint8, times 255) of shape (..., Y, X),
        ``threshold``, ``nuclei``, ``messages``, ``provenance``, and ``relabel(threshold=...)``.

    Raises
    ------
    InputError
        If the image, the model or an option cannot be used. It is a `ValueError`.
    TypeError
        If there is no such option.

    Examples
    --------
    >>> import numpy as np
    >>> import napari_snow_unet as snow
    >>> result = snow.segment(np.full((64, 64, 3), 240, np.uint8), "classical")
    >>> result.labels.shape, result.nuclei
    ((64, 64), 0)
    """
    return finish(segment_steps(image, model, **options), progress)


@steps(Options, Outputs, without=("folder",))
def segment_folder_steps(
    images: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    model: Model | str | os.PathLike[str] = "default",
    *,
    subset: str | None = None,
    **options: Any,
) -> Generator[Progress, None, SegmentedFolder]:
    """Segment images step by step.

    Parameters
    ----------
    images, folder, model, subset, **options
        See `segment_folder`.

    Yields
    ------
    Progress
        After every window; ``done`` and ``total`` count images.

    Returns
    -------
    SegmentedFolder
        As `segment_folder` returns it, when the generator ends.
    """
    given, files = split_options(options, Options, Outputs)
    chosen, unknown_size = _options(given)
    files["formats"] = known_formats(files.get("formats", ()))
    network = loaded(model)
    job = Job(
        network.name,
        cast(Precision, network.precision),
        chosen,
        Outputs(Path(folder), **files),
        not unknown_size,
    )
    if job.outputs.resume:
        job, _ = continued_job(job, entries_of(["model", "precision", *options]))
    inputs = find_images(paths_of(images), subset)
    results = yield from segment_files(
        inputs.images,
        network,
        job.options,
        job.outputs,
        use_pixel_size=job.use_pixel_size,
        pixel_sizes=inputs.pixel_sizes,
    )
    done = SegmentedFolder(Path(folder), results)
    if len(done.failed) == len(results):
        raise InputError(messages.all_failed(len(results), results[0].error))
    return done


def _options(given: dict[str, Any]) -> tuple[Options, bool]:
    """Return the options, and whether the pixel size is said to be unknown, by 0."""
    unknown_size = given.get("pixel_size_um") == 0
    return Options(**given | ({"pixel_size_um": None} if unknown_size else {})), unknown_size


@blocks(segment_folder_steps)
def segment_folder(
    images: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    model: Model | str | os.PathLike[str] = "default",
    *,
    progress: ShowProgress = None,
    **options: Any,
) -> SegmentedFolder:
    """Segment images of any size and write their labels.

    Parameters
    ----------
    images : path-like, or iterable of path-like
        Files, folders (their sub-folders are not searched), patterns or a prepared dataset.
        Slides are segmented at full resolution, also those that are larger than the memory.
    folder : path-like
        Where labels and ``summary.csv`` are written.
    model : Model, str or path-like, default: "default"
        See `segment`.
    progress : callable or True, optional
        Called with a `Progress` after every window; True shows a progress bar.
    subset : {"train", "val", "test"}, optional
        Segment only this subset of a prepared dataset.
    formats : tuple of str, default: ()
        Of "png", "tif", "mat", "geojson", "zarr", "csv"; by default PNG, and OME-Zarr for images of
        more than 67 megapixels.
    probability, overlay : bool, default: False
        Also write the probability map, and the image with outlines.
    overwrite : bool, default: False
        Overwrite existing results; otherwise such images fail.
    resume : bool, default: False
        Continue an interrupted call: finished images are skipped, and options that are not given
        are those of that call.
    **options
        The options of `segment`, except ``white`` and ``planes``.

    Returns
    -------
    SegmentedFolder
        With ``results``, ``failed`` (an image that cannot be used does not stop the others) and
        ``messages``.

    Raises
    ------
    InputError
        If there is no image, none can be segmented, an option cannot be used for any of them, or
        another program writes to the folder.
    TypeError
        If there is no such option.

    Notes
    -----
    The results contain the names and folders of the images.
    """
    return finish(segment_folder_steps(images, folder, model, **options), progress)
