"""What napari calls: reader, writer, samples."""

from typing import Any

PLUGIN = "napari-snow-unet"  # its name in napari, and in a layer's metadata of what is known of it
LayerData = tuple[Any, dict[str, Any], str]
