"""Images larger than the memory: window by window, with the labels of the whole."""

from napari_snow_unet.segmentation.large.pipeline import segment_large
from napari_snow_unet.segmentation.large.result import LargeSegmentation

__all__ = ["LargeSegmentation", "segment_large"]
