"""Segment cell nuclei in H&E images of breast cancer with a U-Net, in napari and from the shell."""

__version__ = "0.2.0"
