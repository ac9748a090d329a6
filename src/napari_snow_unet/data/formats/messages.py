"""What a person reads about files of labels: why one is refused, and how it was read."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted, shape_in_words

_NAMED = 6
_SAVE_AGAIN = "Load it in MATLAB and save it again with save(..., '-v7')."
_FROM_OCTAVE = "Save it in Octave with save -v7."
_NUMBERED = "Export it as a grey image with a number for each nucleus."

MATLAB_73 = Message("The file is in MATLAB 7.3 format (HDF5).", _SAVE_AGAIN)
MATLAB_4 = Message("The file is in MATLAB 4 format.", _SAVE_AGAIN)
OCTAVE_TEXT = Message("The file is in Octave's text format.", _FROM_OCTAVE)
OCTAVE_BINARY = Message("The file is in Octave's binary format.", _FROM_OCTAVE)
NOT_MATLAB_5 = Message(
    "The file is not in MATLAB 5 format.", "Choose a .mat file as HoVer-Net writes it."
)
NO_IDS = Message(
    "The variable inst_uid contains values that are not IDs.", "Check how the file was written."
)
IN_COLOUR = Message("The image is in colour.", _NUMBERED)
BLACK_AND_TRANSPARENT = Message("The image is black and transparent.", _NUMBERED)
HALF_TRANSPARENT = Message("The image is in colour or half transparent.", _NUMBERED)
ALL_OUTLINES_TINY = Message(
    "No outline is as large as a pixel.",
    "Check their unit: convert fractions of the image or micrometres to pixels first.",
)
CONTAIN_NAMES = (
    "Result files contain the names and folders of the images: check them before you share them."
)
REGION_COUNTS = "Only the annotated region counts."


def lacks_map(variables: tuple[str, ...]) -> Message:
    """Refuse a MATLAB file without a label image."""
    some = ", ".join(variables[:_NAMED]) + (", ..." if len(variables) > _NAMED else "")
    return Message(
        f"The file has no inst_map{f', only {some}' if some else ''}.",
        "Choose a file that HoVer-Net wrote, or save its label image under the name inst_map.",
    )


def not_real_numbers(variable: str) -> Message:
    """Refuse a variable of another kind."""
    return Message(
        f"The variable {variable} is not an array of real numbers.",
        "Save it as a matrix of real numbers.",
    )


def column_ignored(column: str, size: int, expected: int) -> str:
    """Say that a column of another length is not read."""
    values = f"{counted(size, 'value')} instead of {expected:,}"
    return f"The variable {column} has {values} and is ignored."


def downsample(factor: float) -> Message:
    """Refuse a factor between image and slide."""
    return Message(
        f"The downsample factor is {factor}.",
        "Give the slide pixels per image pixel: above 0, and 1 at full resolution.",
    )


def unknown_format(name: str, formats: tuple[str, ...]) -> Message:
    """Refuse a format of labels."""
    return Message(f"The format '{name}' does not exist.", f"Choose one of {', '.join(formats)}.")


def too_many_axes(name: str, axes: int, most: float) -> Message:
    """Refuse a format that cannot hold a stack."""
    holds = "one plane" if most == 2 else f"arrays of {most:g}D at most"
    return Message(
        f"The format {name} holds {holds}, not a stack ({axes}D).",
        "Save the stack as .tif or .csv, or save one slice of it.",
    )


def too_large_image(shape: tuple[int, ...], most: int) -> Message:
    """Refuse to draw outlines on a whole slide."""
    return Message(
        f"The outlines need an image of {shape_in_words(shape)} px, above {most:,} in all.",
        "Export the slide from QuPath as tiles, and put them beside the file.",
    )


def of_other_size(stated: tuple[int, ...], image: tuple[int, ...]) -> Message:
    """Refuse outlines of another image."""
    return Message(
        f"The outlines are for an image of {shape_in_words(stated)} px, but it has "
        f"{shape_in_words(image)} px.",
        "Check that they belong together, and whether the image was resized.",
    )


def all_outside(count: int, x: tuple[float, float], y: tuple[float, float], name: str) -> Message:
    """Refuse outlines that miss their image, with the name that would put it below them."""
    return Message(
        f"{'The outline lies' if count == 1 else f'All {count} outlines lie'} outside the image, "
        f"at x {x[0]:.0f} to {x[1]:.0f} and y {y[0]:.0f} to {y[1]:.0f}.",
        f"If they are positions in the slide, name the image after its place, such as '{name}' "
        "with its own corner, or export them from the cropped image.",
    )


def regions(count: int) -> str:
    """Say how many outlines are regions."""
    return f"{counted(count, 'outline')} {_are(count)} read as the annotated region, not a nucleus."


def nuclei_outside(count: int) -> str:
    """Say that nuclei lie outside the annotated region."""
    nuclei = "1 nucleus is" if count == 1 else f"{count:,} nuclei are"
    return f"{nuclei} outside the region, so the whole image counts."


def region_counts(share: float) -> str:
    """Say which part of the image counts."""
    return f"{REGION_COUNTS.removesuffix('.')}, {share:.0%} of the image."


def outlines_outside(outside: int, of: int) -> str:
    """Say how many outlines miss the image."""
    return f"{outside} of {counted(of, 'outline')} {_are(outside)} outside the image."


def outlines_hidden(hidden: int, of: int) -> str:
    """Say how many outlines are covered."""
    return f"{hidden} of {counted(of, 'outline')} {_are(hidden)} mostly covered by smaller ones."


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
