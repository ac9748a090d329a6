"""What a person reads about whole slides: why one is refused, and how a layer differs from it."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import shape_in_words

_EXPORT = "Export it again as OME-Zarr or as a tiled OME-TIFF."

NOT_TILED = Message(
    "The image is not stored in tiles, so a region of it cannot be read by itself.",
    "Save it as a tiled pyramid.",
)
NOT_TIFF = Message("The file is not a TIFF, despite its name.", _EXPORT)
NOT_ZARR = Message("The folder is not an OME-Zarr.", "Choose the folder that contains .zattrs.")
NO_SUFFIX = Message("The file has no suffix, so its format is unknown.", "Rename the file.")
OTHER_PIXELS = "The layer has other pixels than its file."


def not_one_plane(axes: str, shape: tuple[int, ...]) -> Message:
    """Refuse several planes or channels."""
    return Message(
        f"The image has the axes {axes} and the shape {shape_in_words(shape)}.",
        "Export one plane in grey or RGB.",
    )


def no_openslide(suffix: str) -> Message:
    """Say that the library for a scanner's format is missing."""
    return Message(
        f"OpenSlide, which reads {suffix} files, is not installed.",
        'Install it with `pip install "napari-snow-unet[slides]"` and start again.',
    )


def refused_by_openslide(reason: str) -> Message:
    """Say that the library cannot read a file."""
    return Message(
        f"OpenSlide cannot read the slide ({reason}).", "Copy or export the slide again."
    )


def mrxs_in_capitals(suffix: str) -> Message:
    """Refuse an MRXS by its name."""
    return Message(
        f"OpenSlide does not recognise {suffix}, only .mrxs.", "Rename it in small letters."
    )


def mrxs_without_folder(folder: str, lack: str) -> Message:
    """Refuse an MRXS without its pixels."""
    return Message(
        f"The folder {folder} with the pixels of the slide {lack}.",
        "Copy the .mrxs and its folder to the same place, and rename neither alone.",
    )


def too_large(size: tuple[int, int], most: int) -> Message:
    """Refuse to read a whole slide at once."""
    height, width = size
    return Message(
        f"The slide of {width:,} x {height:,} px has too many pixels (more than {most:,}).",
        "Export the region of interest, for example with QuPath.",
    )


def other_suffix(suffix: str) -> Message:
    """Refuse a file that is not a slide."""
    return Message(f"Files ending in {suffix} are not slides.", "Open them as images instead.")


def zarr_without(content: str) -> Message:
    """Refuse an OME-Zarr without images or labels."""
    return Message(f"The OME-Zarr contains no {content}.", "Choose another folder.")


def zarr_of_other_type(dtype: str) -> Message:
    """Refuse labels that are not whole numbers."""
    return Message(f"The OME-Zarr contains {dtype} values, not labels.", "Choose another folder.")


def level_outside(path: str) -> Message:
    """Refuse an OME-Zarr that refers to other folders."""
    return Message(f"A level of the OME-Zarr lies outside its folder ({path}).", _EXPORT)


def unknown_codecs(codecs: tuple[str, ...]) -> Message:
    """Refuse an OME-Zarr in a compression that is not read."""
    return Message(f"The OME-Zarr is compressed with {', '.join(codecs)}.", _EXPORT)


def as_stored(orientation: int) -> str:
    """Say that a layer shows its file as stored."""
    return (
        f"The layer shows the file as stored, but a script would turn it (orientation "
        f"{orientation}). Save the image upright and open that."
    )


def other_array(
    layer: tuple[int, ...], layer_type: str, file: tuple[int, ...], file_type: str
) -> str:
    """Say how the array of a layer differs from its file."""
    return (
        f"The layer is {shape_in_words(layer)} of {layer_type}, but its file is "
        f"{shape_in_words(file)} of {file_type}."
    )
