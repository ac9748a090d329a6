"""Messages about files, folders and options."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message

FILE_EXISTS = Message("The file already exists.", "Choose another name, or allow overwriting.")
FOLDER_EXISTS = Message("The folder already exists.", "Choose another name, or allow overwriting.")
OTHER_FOLDER = Message(
    "The folder holds other files and is not overwritten.", "Choose another name."
)
NAME_OF_FILE = Message("A file already has this name.", "Choose another name for the folder.")
FOLDER_IN_USE = Message(
    "Another program is writing to this folder.", "Wait until it has finished, or stop it."
)


def folder_not_writable(reason: str) -> Message:
    """Say that a folder cannot be written to, with the reason of the system."""
    return Message(
        f"The folder cannot be written to ({reason}).", "Choose a folder that you may write to."
    )


def result_too_large(size_gb: float, free_gb: float) -> Message:
    """Say that a result does not fit on the disk of the temporary folder."""
    return Message(
        f"The result needs {size_gb:,.1f} GB, but only {free_gb:,.1f} GB are free here.",
        "Free some space, or set the environment variable TMPDIR to another folder.",
    )


def wrong_value(name: str, value: str, expected: str) -> Message:
    """Say what the value of an option must be."""
    return Message(f"The value of {name} is {value}. It must be {expected}.")


def not_a_number(value: str, words: tuple[str, ...]) -> Message:
    """Say that a text is neither a number nor one of the words of an option."""
    return Message(f"The value {value} is neither a number nor {' or '.join(words)}.")
