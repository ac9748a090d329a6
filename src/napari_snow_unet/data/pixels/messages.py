"""What a person reads about image files: why one is refused, and how it was read."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted, shape_in_words

_COPY_AGAIN = "Check it in another program, and copy or export it again."
_AS_RGB = "Save it as 8-bit RGB and open that."

NOT_IN_MEMORY = Message("The image does not fit into memory.", "Cut it into smaller tiles.")
OTHER_FORMAT = Message(
    "The file is not a PNG, JPEG, TIFF or BMP image.", "Save the image as PNG or TIFF."
)
DEEP_COLOUR = Message(
    "The image has several 16-bit channels.", "Save it with one number per pixel, as grey."
)
YCBCR = Message("The TIFF is in YCbCr but not compressed as JPEG.", _AS_RGB)
LOOKUP_TABLE = Message("Lookup tables are not applied to TIFF files of this size.", _AS_RGB)
NEARLY_BLACK = (
    "The image is nearly black: hardly any value exceeds an eighth of white. Check that it is a "
    "bright-field image, and which value is white."
)
CHANNELS_AS_COLOURS = "The three channels of the file are read as red, green and blue."
FOURTH_AS_ALPHA = "The fourth channel is read as transparency; the file does not say what it is."


def damaged(detail: str) -> Message:
    """Say that a file is damaged, with what a decoder noticed."""
    return Message(f"The file is damaged ({detail}).", _COPY_AGAIN)


def unreadable(reason: str) -> Message:
    """Say that the system does not let a file be read."""
    return Message(f"The file cannot be read ({reason}).", "Check the path and its permissions.")


def content_is(kind: str) -> Message:
    """Say which format a file has that is not read."""
    return Message(f"The content of the file is {kind}.", "Save it as PNG or TIFF.")


def photometric(name: str) -> Message:
    """Refuse a TIFF in a colour space that is not read."""
    return Message(f"The TIFF has the photometric interpretation {name}.", _AS_RGB)


def not_one_stack(axes: str, shape: tuple[int, ...]) -> Message:
    """Refuse a TIFF of more than one stack of planes."""
    return Message(
        f"The TIFF has the axes {axes} and the shape {shape_in_words(shape)}.",
        "Save one plane, or one stack of planes, to a file.",
    )


def other_suffix(suffix: str) -> Message:
    """Refuse a name of an image to write."""
    return Message(f"An image cannot be saved as '{suffix}'.", "Use .png, .tif or .tiff.")


def not_8_bits(dtype: str, shape: tuple[int, ...]) -> Message:
    """Refuse an array to write."""
    return Message(
        f"The array has the type {dtype} and the shape {shape_in_words(shape)}.",
        "Convert it to 8-bit grey, RGB or RGBA.",
    )


def pixel_size_out_of_range(um: str, low: float, high: float) -> Message:
    """Refuse a pixel size that no microscope has."""
    return Message(
        f"The pixel size of {um} µm is outside {low:g} to {high:g} µm.",
        "Give it in micrometres per pixel, such as 0.25 for a 40x scan, or leave it out.",
    )


def large_pixel_size(um: float) -> str:
    """Doubt a pixel size that may be a magnification."""
    return (
        f"A pixel size of {um:g} µm is large: nuclei are about 8 µm wide. If {um:g} is the "
        "magnification, give the pixel size instead: 0.25 for 40x, 0.5 for 20x, 1 for 10x."
    )


def unknown_channel(channel: str, channels: tuple[str, ...]) -> Message:
    """Refuse a name of a channel."""
    return Message(
        f"The channel '{channel}' does not exist.",
        f"Choose one of {', '.join(channels)}.",
        ("channel",),
    )


def not_a_plane(shape: tuple[int, ...]) -> Message:
    """Refuse an array that is not one image."""
    return Message(
        f"The array is {shape_in_words(shape)}, not a single grey or RGB image.",
        "Pass one plane, with colours on the last axis: (Y, X), (Y, X, 3) or (Y, X, 4).",
    )


def not_numbers(dtype: str) -> Message:
    """Refuse a data type."""
    return Message(
        f"The image has the data type {dtype}.",
        "Convert it to integers or floating-point numbers, for example to 8 bits.",
    )


def values_out_of_range(low: float, high: float) -> Message:
    """Refuse values below 0 or not finite."""
    return Message(
        f"The image has values from {low:g} to {high:g}.",
        "Clip or rescale it: values must be finite and not negative.",
    )


def too_bright(dtype: str, largest: float, most: int) -> Message:
    """Refuse values beyond 16 bits."""
    return Message(
        f"The {dtype} image has values up to {largest:g}, above {most:,}.",
        "Rescale it to 0 to 255 or 0 to 1.",
    )


def white_is(dtype: str, white: float) -> str:
    """Say which value is taken as white."""
    return f"For {dtype} images, {white:,g} is taken as white, the smallest usual range that fits."


def white_as_in(dtype: str, white: float, of: str) -> str:
    """Say which value is taken as white, and where it comes from."""
    return f"For {dtype} images, {white:,g} is taken as white, as in {of}."


def turned(orientation: int) -> str:
    """Say that an image was turned."""
    return f"The image is turned as its file says (orientation {orientation})."


def mask_turned(orientation: int) -> str:
    """Say that a mask was turned like its image."""
    return (
        f"The mask was turned like its image (orientation {orientation}), since it has the size "
        "of the image as stored."
    )


def mask_in_doubt(orientation: int) -> str:
    """Doubt a mask that fits its image both as shown and as stored."""
    return (
        f"The image is turned as its file says (orientation {orientation}), and its mask is taken "
        "to match the turned image. Check one of them: a mask from a program that does not turn "
        "images is misplaced."
    )


def other_images(count: int, which: str) -> str:
    """Say that a file contains other images too."""
    return f"Only the {which} of {counted(count, 'image')} in the file is read."
