"""Findings of the dataset check."""

from __future__ import annotations

from napari_snow_unet.base.words import counted, shape_in_words
from napari_snow_unet.data.datasets import messages as of_datasets

COMPARING = "Comparing tiles..."
NOT_IN_MANIFEST = "The file is not listed in manifest.csv."
NOT_YET_IN_MANIFEST = (
    "The image and its mask are not listed in manifest.csv yet. Prepare the dataset again to "
    "continue."
)
BINARY = "The mask is binary: all nuclei share one value."
NOT_0_AND_255 = "The mask has values other than 0 and 255, the only ones in a binary dataset."


def checked(tiles: int, problems: int, notes: int) -> str:
    """Return the number of problems and notes."""
    results = [counted(problems, "problem") if problems else "no problems"]
    results += [counted(notes, "note")] if notes else []
    return f"{counted(tiles, 'tile')} checked: {', '.join(results)}."


def foreground_text(mean: float, low: float, high: float) -> str:
    """Return the fraction of nucleus pixels, and its 5 % and 95 % quantiles over the tiles."""
    return f"{mean:.1%} of all pixels; {low:.1%} to {high:.1%} in nine of ten tiles."


def changed_file(kind: str) -> str:
    """Report an image or mask that was changed since it was prepared."""
    return f"The {kind} has changed since it was prepared. Prepare the dataset again to accept it."


def implausible_pixel_size(um: float) -> str:
    """Report a pixel size in the table that no microscope has."""
    return f"The pixel size in manifest.csv is {um:g} µm, which no microscope has."


def image_type(dtype: str, channels: int) -> str:
    """Report an image that is not 8-bit RGB."""
    return f"The image is {dtype} with {counted(channels, 'channel')}, not 8-bit RGB."


def mask_type(dtype: str) -> str:
    """Report a mask of an unusual data type."""
    return f"The mask is stored as {dtype}."


def high_ids(largest: int) -> str:
    """Report ids above 65,535."""
    return f"The largest ID is {largest:,}, but 16 bits hold at most 65,535."


def unconnected_ids(unconnected: int, ids: int) -> str:
    """Report ids with several connected components."""
    of = f"{counted(unconnected, 'ID')} (of {ids:,})"
    return f"The mask has {of} with more than one connected component."


def other_size(shape: tuple[int, ...], usual: tuple[int, ...]) -> str:
    """Report tiles of another size than most."""
    return f"The size is {shape_in_words(shape)} px; that of most tiles {shape_in_words(usual)} px."


def leakage(other: str, other_subset: str, subset: str, correlation: float | None = None) -> str:
    """Report the same image in two subsets."""
    same = of_datasets.same_image(other, correlation)
    return f"{same} One is in {other_subset or 'no subset'}, one in {subset or 'no subset'}."


def empty_subset(subset: str) -> str:
    """Report a subset without tiles."""
    return of_datasets.empty_subset(subset, ()).problem


def unknown_subset(subset: str) -> str:
    """Report a subset in the table that is neither train, val, test nor unused."""
    return f"The column split of manifest.csv contains the unknown subset {subset!r}."


def group_in_subsets(group: str, subsets: tuple[str, ...]) -> str:
    """Report a group that was split."""
    return f"The group {group!r} is in more than one subset: {', '.join(subsets)}."


def prefix_in_subsets(
    count: int, prefixes: int, prefix: str, subsets: tuple[str, ...], pattern: str
) -> str:
    """Report name prefixes, often patients, in more than one subset."""
    example = f"(such as {prefix!r}, in {' and '.join(subsets)})"
    return (
        f"Tiles of {count:,} of {prefixes:,} name prefixes {example} are in more than one subset. "
        "If prefixes are patients or slides, test scores will be too optimistic. Split the dataset "
        f"again, grouped by {pattern}."
    )
