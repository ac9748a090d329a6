"""Segment any number of image files, for the shell and the segment dock."""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from napari_snow_unet.batch.finding import FoundImages, find_images
    from napari_snow_unet.batch.outputs import Outputs
    from napari_snow_unet.batch.segmenting import segment_files
    from napari_snow_unet.batch.summary import SUMMARY, FileDone, FileResult, messages_of

# Every command of the shell imports the options, and few need the rest.
__getattr__, __dir__, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "finding": ["FoundImages", "find_images"],
        "outputs": ["Outputs"],
        "segmenting": ["segment_files"],
        "summary": ["SUMMARY", "FileDone", "FileResult", "messages_of"],
    },
)

__all__ = [
    "SUMMARY",
    "FileDone",
    "FileResult",
    "FoundImages",
    "Outputs",
    "find_images",
    "messages_of",
    "segment_files",
]
