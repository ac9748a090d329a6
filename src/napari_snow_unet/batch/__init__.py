"""Files in, files out: segment any number of images, for the shell and the segment dock."""

from napari_snow_unet.batch.finding import FoundImages, find_images
from napari_snow_unet.batch.segmenting import segment_files
from napari_snow_unet.batch.summary import SUMMARY, FileDone, FileResult, messages_of
from napari_snow_unet.batch.writing import Outputs

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
