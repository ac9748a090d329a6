"""Segment images larger than memory, with the same labels as in memory."""

from napari_snow_unet.segmentation.large.pipeline import LargeSegmentation, segment_large

__all__ = ["LargeSegmentation", "segment_large"]
