"""Tools with which labels of nuclei are corrected by hand in napari, one undo step each."""
