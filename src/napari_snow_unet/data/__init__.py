"""Files to arrays and back: no Keras, no Qt, no napari."""
