"""Two label images to numbers."""
