"""Texts about a run over images: refusals, failures of images, progress."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted

ARCHIVE = Message(
    "Images in an archive cannot be segmented.",
    "Unpack it, or prepare a dataset from it.",
    ("prepare_dataset",),
)
NO_SUBSETS = Message(
    "Only a prepared dataset has subsets.",
    "Name the folder of a prepared dataset, or leave the subset out.",
)
NOT_FOUND = Message(
    "There is no such file or folder, and no file matches it as a pattern.", "Check the spelling."
)
RESULT_EXISTS = Message(
    "The image already has a result.",
    "Overwrite it, or choose another folder.",
    ("overwrite", "resume"),
)
OTHER_OPTIONS = Message(
    "Some of these images already have results, made with other options.",
    "Overwrite them, or choose another folder.",
    ("overwrite", "resume"),
)
WOULD_REPLACE_IMAGE = Message(
    "The result would overwrite an image of this run.", "Choose another folder for the results."
)
WOULD_REPLACE_SUMMARY = Message(
    "The result would overwrite the summary of this run.",
    "Rename the image, or choose another format.",
)
OTHER_TABLE = Message(
    "The file is not a summary of this plugin: its columns differ.",
    "Choose another folder for the results.",
)
OUT_OF_MEMORY = Message(
    "There was not enough memory for the image.",
    "Use smaller windows or a smaller image.",
    ("tile",),
)
WORKERS_DIED = Message(
    "Every worker that took the image died, possibly out of memory.",
    "Start workers with more memory.",
)
NO_DASK = Message(
    "The package dask.distributed, which reaches other machines, is not installed.",
    'Install it with `pip install "napari-snow-unet[cluster]"`.',
)


def no_scheduler(address: str, reason: str) -> Message:
    """Return the refusal of an address where no scheduler answers."""
    return Message(
        f"The scheduler at {address} cannot be reached ({reason}).",
        "Start one with `dask scheduler`, and workers with `dask worker ADDRESS`.",
    )


def worker_failed(reason: str) -> Message:
    """Return why an image failed on a worker that is not set up like this machine."""
    return Message(
        f"The worker failed ({reason}).",
        "Install the same versions on all machines, and try again.",
    )


def file_failed(reason: str, other_file: str | None) -> Message:
    """Return why an image failed when the system could not read or write a file."""
    return Message(f"The file{f' {other_file}' if other_file else ''} cannot be used ({reason}).")


def too_large(outputs: tuple[str, ...], width: int, height: int) -> Message:
    """Return the refusal of outputs that cannot hold an image of this size."""
    return Message(
        f"An image of {width:,} x {height:,} is too large for {' and '.join(outputs)}.",
        "Choose the format zarr or tif, without an overlay.",
        ("formats",),
    )


def same_names(other: str) -> Message:
    """Return the refusal of an image whose name another image of the run has."""
    return Message(
        f"The results would have the same names as those of {other}.",
        "Segment the two images into different folders.",
    )


def other_model(image: str, was: str, now: str) -> Message:
    """Return the refusal to resume a run with another model."""
    return Message(
        f"The image {image} was segmented with the model {was!r}, not with {now!r}.",
        "Choose the same model, or another folder for the results.",
    )


def other_run(was: str, now: str) -> Message:
    """Return the refusal to resume a run with other options."""
    return Message(
        f"The run was started with {was}, not with {now}.",
        "Leave these options out to continue as before, choose another folder, or overwrite.",
        ("overwrite",),
    )


def mixed(was: str, now: str) -> Message:
    """Return the refusal of a folder with results of another model, number format or version."""
    return Message(
        f"The folder holds results of other images made with {was}; this run uses {now}.",
        "Choose another folder, so that the results are not mixed.",
    )


def unusable_options(refusal: Message) -> Message:
    """Return the refusal of a damaged record of options."""
    return Message(
        f"The options of the interrupted run cannot be used. {refusal.problem}",
        "Give that option, choose another folder, or overwrite.",
        ("overwrite",),
    )


def several_label(first: str, others: int) -> str:
    """Return the images that a text is about."""
    return f"{first} and {others:,} more" if others else first


def images_label(done: int, total: int) -> str:
    """Return the progress over all images."""
    return f"{done:,} of {counted(total, 'image')}"


def workers_label(count: int) -> str:
    """Return how many workers a scheduler has."""
    return counted(count, "worker")
