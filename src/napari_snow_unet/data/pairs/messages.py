"""What a person reads about a folder: which files are not used and why, and what to do."""

from __future__ import annotations

from napari_snow_unet.base.errors import Message
from napari_snow_unet.base.words import counted, shape_in_words
from napari_snow_unet.data.masks.messages import JPEG

_TOGETHER = "put both in one folder, or in folders named images and masks."
_PACKED = "Unpack them first."

NO_FOLDER = Message("This folder does not exist.", "Choose another folder.")
NO_PAIR = "No mask has the same name as an image."
NO_FILES = "The folder contains no files."
PAIRS_NEEDED = (
    "Choose the folder that contains images and masks. Name them a.png and a_mask.png, or use "
    "equal names in two folders."
)
#: Why files of a type are not read, and what to do.
JPEG_MASK = JPEG.text()
ARRAYS_OF_TILES = (
    "The arrays of PanNuke and CoNIC (images.npy, masks.npy, labels.npy) are not read. Save every "
    "tile as images/N.png and its labels, with an ID for each nucleus, as masks/N.png."
)
CELLPOSE = "Cellpose's _seg.npy files are not read. Save its masks as PNG or TIFF."
GIF = "GIF files are not read. Save them as PNG."
WEBP = "WebP files are not read. Save them as PNG."
NIFTI = "NIfTI files are not read. Save them as TIFF."
JPEG_2000 = "JPEG 2000 files are not read. Save them as PNG or TIFF."
NUMPY = "NumPy files are not read. Save images and label images as PNG or TIFF."
SLIDE = "Slides are not paired with masks. Export tiles, or segment the slide itself."
ROI = "ImageJ's ROI files are not read. Save them as a label image or as GeoJSON."
TEXT = "Masks as text are not read. Save them as PNG or TIFF."
OTHER_JSON = "Outlines in .json files of this kind are not read. Export them as GeoJSON."
XML_ALONE = "Outlines in .xml files need an image of the same name."
HDF5 = "HDF5 files are not read. Save images and labels as PNG or TIFF."
ZIP = f"Archives are opened only to prepare a dataset. {_PACKED}"
OTHER_ARCHIVE = f"Of archives, only .zip files are opened. {_PACKED}"
ZIP_IN_ZIP = "An archive inside another is not opened. Unpack the outer one first."
PACKED = f"Compressed files are not read. {_PACKED}"


def files_ignored(reason: str, files: str, example: str) -> str:
    """Say that files are ignored though they may have been meant."""
    return f"Ignored {files}, such as {example}: {_sentence(reason)}"


def _sentence(text: str) -> str:
    return f"{text.removesuffix('.')}."


def labels_needed(suffixes: tuple[str, ...]) -> str:
    """Say what a folder of labels contains."""
    return f"Choose the folder that contains the label files ({', '.join(suffixes)})."


def images_needed(suffixes: tuple[str, ...]) -> str:
    """Say what a folder of images contains."""
    return f"Choose the images, or the folder that contains them ({', '.join(suffixes)} or slides)."


def folder_ignored(folder: str) -> str:
    """Say that a folder is ignored because of its name."""
    return f"The folder {folder}/ is ignored: choose it by itself, or rename it."


def same_name(used: str) -> str:
    """Say that another file of the name is used."""
    return f"It has the same name as {used}, which is used."


def without_partner(wanted: str) -> str:
    """Say that a file has no partner; `wanted` is "mask" or "image"."""
    return f"No {wanted} has the same name."


def partner_not_read(wanted: str, reason: str) -> str:
    """Say that a file has a partner that is not read."""
    return f"No readable {wanted} has the same name. Found: {_sentence(reason)}"


def partner_elsewhere(wanted: str, files: str, count: int) -> str:
    """Say that files of the name lie in other folders."""
    if count == 1:
        advice = f"If they belong together, {_TOGETHER}"
    else:
        advice = f"Choose the one that belongs to it, and {_TOGETHER}"
    return f"No {wanted} in its folder has the same name, but in others: {files}. {advice}"


def several_partners(wanted: str, files: str) -> str:
    """Say that several files may be the partner."""
    return f"Several files may be its {wanted} ({files}). Keep one of them in the folder."


def rivals(others: str, kind: str, of: str) -> str:
    """Say that several files may be the partner of one."""
    return f"It and {others} may each be the {kind} of {of}. Keep one of them."


def unclear(file: str, wanted: str) -> str:
    """Say that folders leave open whether a file is the partner."""
    return (
        f"It is unclear whether {file} is its {wanted}. Give the folders of images and masks "
        "names that differ only in these words."
    )


def images_missing(names: str) -> str:
    """Say that annotations name images that are not there."""
    return f"No image that it names ({names}) is left in its folder or one within."


def may_be_masks(wanted: str, files: str) -> str:
    """Say which files may be masks whose folder does not say so."""
    return f"{without_partner(wanted)} If {files} is one, rename its folder to masks."


def contents(parts: tuple[str, ...], more: int) -> str:
    """Say what a folder contains, by folder and type."""
    others = f", and {counted(more, 'folder')} more" if more else ""
    return f"Contents: {', '.join(parts)}{others}."


def merged_nuclei(images: int) -> str:
    """Say that masks of single nuclei are merged."""
    return (
        f"2018 Data Science Bowl layout: the masks of {counted(images, 'image')}, with a file for "
        "each nucleus, are merged."
    )


def layout(name: str) -> str:
    """Say which published layout was recognised."""
    return f"Layout recognised: {name}."


def chosen_masks(folder: str, others: str) -> str:
    """Say whose masks are used."""
    return f"Masks are taken from the folders '{folder}', not from: {others}."


def files_merged(count: int) -> str:
    """Say how many files make a label image."""
    return f"{counted(count, 'file')} of one nucleus each merged into one mask."


def overlaps(pixels: int) -> str:
    """Say how many pixels belong to several nuclei."""
    return f"{counted(pixels, 'overlapping pixel')} given to the smaller nucleus."


def files_empty(count: int) -> str:
    """Say how many files have no nucleus."""
    return f"{counted(count, 'file')} without a nucleus."


def _not_one_nucleus(problem: str) -> Message:
    return Message(problem, "Give a mask of all nuclei the name of its image, or remove the file.")


NO_MASK_IN_FOLDER = _not_one_nucleus("The folder contains no mask.")


def other_size(file: str, shape: tuple[int, ...], others: tuple[int, ...]) -> Message:
    """Refuse a mask of one nucleus with another size."""
    sizes = f"{shape_in_words(shape)} px, others {shape_in_words(others)} px"
    return _not_one_nucleus(f"The mask {file} has {sizes}.")


def several_nuclei(file: str, parts: int) -> Message:
    """Refuse a mask of more than one nucleus; no `parts` are several values."""
    many = f"{parts} separate parts" if parts else "several values besides 0"
    return _not_one_nucleus(f"The mask {file} has {many}, not one nucleus.")
