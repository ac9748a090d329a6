"""Opening what napari's own reader cannot, or reads otherwise."""
