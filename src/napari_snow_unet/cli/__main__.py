"""Start the command of the shell by ``python -m napari_snow_unet.cli``, without its script."""

from napari_snow_unet.cli import main

if __name__ == "__main__":
    main()
