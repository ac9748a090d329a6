"""Images larger than the memory: window by window, with the labels of the whole."""

from napari_snow_unet.segmentation.large.pipeline import LargeSegmentation, segment_large

__all__ = ["LargeSegmentation", "segment_large"]
