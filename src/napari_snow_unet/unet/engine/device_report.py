"""Print the device of a Keras backend as JSON; a separate program, since it loads the backend.

python -m napari_snow_unet.unet.engine.device_report BACKEND DEVICE
"""

from __future__ import annotations

import dataclasses
import json
import sys

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.unet.engine.selection import load_engine, select_device


def main(backend: str, device: str) -> None:
    """Print the device, or exit with the reason why there is none."""
    try:
        select_device(backend, device)
        sys.stdout.write(json.dumps(dataclasses.asdict(load_engine())) + "\n")
    except InputError as error:
        sys.exit(f"Error: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
