"""Segment cell nuclei in H&E images of breast cancer with a U-Net, in napari and from the shell.

In Python, ``import napari_snow_unet as snow`` and what `__all__` lists is all that most programs
need; docs/python.md shows it. Each name is loaded when it is first used.
"""

import lazy_loader

__version__ = "0.2.0"

# `attach_stub` would read the same from __init__.pyi, and take three times as long: every command
# of the shell starts here. tests/api/test_names.py holds both together.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "api.adding": ["add_to_dataset"],
        "api.datasets": ["check", "check_steps", "prepare", "prepare_steps", "split"],
        "api.evaluating": ["evaluate", "evaluate_folder", "evaluate_folder_steps"],
        "api.files": ["read_image", "read_labels", "write_labels"],
        "api.models": ["list_models", "load_model"],
        "api.results": ["relabel"],
        "api.segmenting": [
            "segment",
            "segment_folder",
            "segment_folder_steps",
            "segment_steps",
        ],
        "api.training": ["train", "train_steps"],
    },
)
