"""Messages of the shell."""

from __future__ import annotations

from pathlib import Path

from napari_snow_unet.base.errors import Message

# all commands
STOPPED = "Stopped. Finished results are kept."
CONTAIN_NAMES = "The results contain the names and folders of the images."
NO_MEMORY = "Error: Not enough memory. Use smaller tiles or images."


def renamed(old: str, new: str) -> str:
    """Say that an option of version 0.1 has a new name."""
    return f"The option {old} is now called {new}."


def more_rows(count: int) -> str:
    """Say how many rows of a table are not shown."""
    return f"({count:,} more.)"


def unknown_command(name: str, meant: tuple[str, ...]) -> str:
    """Say that a command does not exist, and which one was probably meant."""
    return f"There is no command {name}.{_did_you_mean(meant)}"


def unknown_option(name: str, meant: tuple[str, ...]) -> str:
    """Say that an option does not exist, and which one was probably meant."""
    return f"There is no option {name}.{_did_you_mean(meant)}"


def _did_you_mean(meant: tuple[str, ...]) -> str:
    return f" Did you mean {' or '.join(meant)}?" if meant else ""


def must_be(form: str) -> str:
    """Say what the value of an option must be."""
    return f"It must be {form}."


def disk_failed(path: Path | None, reason: str) -> str:
    """Say which file could not be read or written, with the reason of the system."""
    return f"Error: {path or 'A file'}: {reason}."


# prepare, check, split, demo
NOT_THE_DEMO_TILE = Message(
    "The file already exists and is not the demo tile.", "Choose another folder with -o."
)

# evaluate
WROTE_LABEL = "Wrote {}"
COMPARING_LABEL = "Comparing {}"


def largest_differences(tiles: tuple[str, ...]) -> str:
    """Return the tiles on which two predictions differ most."""
    return f"Largest differences in Dice: {', '.join(tiles)}."


# reproduce
PREPARING_LABEL = "Preparing"
SEGMENTING_LABEL = "Segmenting: {}"
CONTINUE_EXPERIMENT = "Run the same command again to continue."


def tile_not_used(problem: str) -> str:
    """Return why a tile of an experiment is not used."""
    return f"Not used: {problem.removesuffix('.')}."
