"""What a program or a notebook calls: `import napari_snow_unet as snow`; no work of its own."""
