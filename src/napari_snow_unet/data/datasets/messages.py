"""Messages about datasets: sources, tables, splits, tiles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted, listed, shape_in_words

_PREPARE = ("Prepare a dataset first.", ("prepare_dataset",))
_RESTORE = "Restore the table, or prepare the dataset again in another folder."
_LARGEST_ID = "65,535"

NO_FOLDER = Message("The folder does not exist.", *_PREPARE)
NO_MANIFEST = Message("The folder has no manifest.csv, so it is not a prepared dataset.", *_PREPARE)
NO_SOURCE = Message("The source does not exist.", "Check the path.")
SOURCE_IS_TARGET = Message(
    "The folder is both a source and the dataset.", "Choose another folder for the dataset."
)
SINGLE_FILE = Message(
    "The source is a single file.", "Add the folder that contains it, or a zip archive."
)
DEAD_LINK = "The file is a link whose target is missing. Restore the target."
OUTSIDE_ARCHIVE = "The path leads out of the archive. The file is skipped."
LINK_IN_ARCHIVE = "The file is a link in an archive. It is skipped."
ENCRYPTED = "The file is encrypted. Unpack the archive with its password and add the folder."
UNKNOWN_COMPRESSION = (
    "The compression method is not supported. Unpack the archive and add the folder."
)
DAMAGED_IN_ARCHIVE = Message(
    "The file is damaged in the archive.", "Download or copy the archive again."
)
READING_CRASHED = (
    "Every attempt to read the file crashed. It may be damaged, or too large for the memory."
)
ONLY_ONE_USED = "Only one of the two is used."
TILE_EXISTS = Message(
    "The dataset has a tile with this image already.", "Replace it, or leave it as it is."
)
TO_BE_DRAWN = Message(
    "The tile is marked 'draw without prediction'.",
    "Draw its nuclei from scratch, or remove the mark: scores on a corrected prediction favour the "
    "model.",
    ("draw_without_prediction",),
)
UNEDITED = "The labels are the prediction, unedited."
SHOWN_BLANK = "The tile is shown blank."


def listing_source(name: str) -> str:
    """Name the source whose files are being listed."""
    return f"Listing {name}..."


def archive_not_opened(reason: str) -> str:
    """Report an archive that cannot be opened."""
    return f"The archive cannot be opened ({reason}). Download it again."


def too_large_in_archive(size: int) -> str:
    """Report a file in an archive that is larger than any tile."""
    return f"The file claims {counted(size, 'byte')}, too many for a tile. It is skipped."


def not_unpacked(reason: str) -> Message:
    """Report a file that cannot be unpacked."""
    return Message(
        f"The file cannot be unpacked ({reason}).", "Unpack the archive and add the folder."
    )


def not_read(reason: str) -> Message:
    """Report a file that cannot be read."""
    return Message(f"The file cannot be read ({reason}).", "Check the file and its permissions.")


def other_format(version: str, expected: int) -> Message:
    """Report a dataset.json of another version."""
    return Message(
        f"The format is {version}, but this version reads format {expected}.",
        "Update napari-snow-unet, or restore the file.",
    )


def damaged_info(reason: str) -> Message:
    """Report a dataset.json that cannot be used."""
    return Message(f"The file is damaged ({reason.rstrip('.')}).", "Restore the file.")


def foreign_manifest(columns: tuple[str, ...]) -> Message:
    """Report a manifest.csv of something else."""
    return Message(
        "The folder is not a prepared dataset. Its manifest.csv lacks these columns: "
        f"{', '.join(columns)}.",
        *_PREPARE,
    )


def damaged_row(line: int, reason: str) -> Message:
    """Report a line of the table that cannot be read."""
    return Message(f"Line {line} of the table is damaged ({reason}).", _RESTORE)


def missing_columns(columns: tuple[str, ...]) -> Message:
    """Report columns that the table of a dataset lacks."""
    return Message(f"The table lacks these columns: {', '.join(columns)}.", _RESTORE)


def empty_subset(subset: str, others: tuple[str, ...]) -> Message:
    """Report a subset without tiles."""
    choose = f"Choose {' or '.join(others)}, or split" if others else "Split"
    return Message(
        f"The subset {subset} has no tiles.", f"{choose} the dataset again.", ("split_dataset",)
    )


def subsets(counts: Mapping[str, int]) -> str:
    """Return the number of tiles in each subset."""
    shown = (f"{name} {count:,}" for name, count in counts.items() if count or name != "unused")
    return f"Subsets: {', '.join(shown)}."


def folds(sizes: tuple[int, ...]) -> str:
    """Return the number of tiles in each fold."""
    return f"Tiles per fold: {', '.join(f'{size:,}' for size in sizes)}."


def impossible_folds(folds: int, count: int, kind: str) -> Message:
    """Report a number of folds that the tiles or groups do not allow."""
    return Message(
        f"{counted(count, kind)} outside the test subset cannot be split into "
        f"{counted(folds, 'fold')}.",
        f"Choose at least 2 folds, and at most one per {kind}.",
    )


def not_a_share(text: str) -> Message:
    """Report a text that is no size of a subset."""
    return Message(
        f"{text!r} is neither a number of tiles (400) nor a fraction (0.08 or 8%).",
        "Write a fraction with a decimal point or a percent sign.",
    )


def too_many_tiles(shares: tuple[str, ...], tiles: int) -> Message:
    """Report a split that takes more tiles than there are."""
    return Message(
        f"The split needs more tiles than there are: {', '.join(shares)} of "
        f"{counted(tiles, 'tile')}.",
        "Ask for fewer tiles, or for fractions such as 0.72, 0.08 and 0.2.",
        ("train", "val", "test"),
    )


def invalid_pattern(pattern: str, reason: str) -> Message:
    """Report a regular expression that cannot be compiled."""
    return Message(
        f"{pattern!r} is not a valid regular expression ({reason}).",
        r"Correct it, for example to '^(\d+)_'.",
        ("group_by",),
    )


def names_without_group(pattern: str, names: tuple[str, ...]) -> Message:
    """Report names in which a regular expression finds no group."""
    return Message(
        f"{pattern!r} has no match in {counted(len(names), 'name')}: {listed(names, 1)}.",
        "Change the regular expression, or remove those images.",
        ("group_by",),
    )


def unpaired(names: tuple[str, ...]) -> str:
    """Report files without a partner."""
    have = "has" if len(names) == 1 else "have"
    return f"{counted(len(names), 'file')} without a partner {have} been skipped: {listed(names)}."


def other_tile_size(tile: tuple[int, ...], stack: tuple[int, ...]) -> str:
    """Report a tile that does not fit into its stack."""
    return f"The tile is {shape_in_words(tile)} px, the stack {shape_in_words(stack)} px."


def not_one_plane(shape: tuple[int, ...]) -> Message:
    """Report an image that is no single plane."""
    return Message(
        f"The image is {shape_in_words(shape)}, not a single grey or RGB plane.",
        "Save each plane of a stack as a file of its own.",
    )


def sizes_differ(mask: tuple[int, ...], image: tuple[int, ...]) -> Message:
    """Report a mask of another size than its image."""
    return Message(
        f"The mask is {shape_in_words(mask)} px, the image {shape_in_words(image)} px.",
        "Check that they belong together.",
    )


def too_many_nuclei(nuclei: int) -> Message:
    """Report a mask with more nuclei than 16 bits can number."""
    return Message(
        f"The mask has {counted(nuclei, 'ID')}, but 16 bits hold at most {_LARGEST_ID}.",
        "Cut the image into smaller tiles.",
    )


def components_numbered(count: int) -> str:
    """Note that the nuclei of a binary mask are its connected components."""
    each = "Each connected component of the binary mask is one nucleus"
    return f"{each} ({counted(count, 'component')})."


def renumbered(count: int) -> str:
    """Note that high ids were replaced."""
    return f"IDs above {_LARGEST_ID} were renumbered ({counted(count, 'ID')})."


def same_image(other: str, correlation: float | None = None) -> str:
    """Report a tile with the image of another one, or nearly."""
    if correlation is None:
        return f"The image is the same as that of {other}."
    return f"The image is nearly the same as that of {other} (correlation {correlation:.2f})."


def added(folder: Path, image: str, mask: str) -> str:
    """Say where the copies of an image and its labels are."""
    return f"Copied to {folder} as {image} and {mask}."


def subset_of_added(subset: str, tiles: int) -> str:
    """Say in which subset a tile is, of how many."""
    kinds = {"train": "training", "val": "validation", "test": "test"}
    kind = kinds.get(subset)
    use = "It is not used" if kind is None else f"It is a {kind} tile"
    return f"{use}; the dataset has {counted(tiles, 'tile')}."


def favours(model: str) -> str:
    """Say what scores are worth on a ground truth that is a prediction, corrected or not."""
    name = "the classical method" if model == "classical" else f"the model {model}"
    return f"This ground truth began as the output of {name}. Scores favour that model."


def corrected(tiles: int, of: int, models: tuple[str, ...]) -> str:
    """Say how many ground truths of some tiles are corrected predictions, and of which models."""
    are = "is a prediction" if tiles == 1 else "are predictions"
    truths = f"{tiles:,} of {counted(of, 'ground truth')} {are}"
    return f"{truths} that may have been corrected, of {listed(models)}."
