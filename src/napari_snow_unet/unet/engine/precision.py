"""The fastest number format of a device."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from napari_snow_unet.unet.engine.device import onednn_may_use_bfloat16
from napari_snow_unet.unet.engine.selection import load_engine
from napari_snow_unet.unet.engine.tensorflow import gpu_generation


def fast_precision() -> str:
    """Return the dtype policy that trains fastest on the device without loss of quality."""
    device = load_engine()
    if device.kind == "cpu":
        fast = _uses_onednn(device.backend) and _multiplies_bfloat16()
        return "mixed_bfloat16" if fast else "float32"
    if device.backend == "tensorflow":
        generation = gpu_generation()
    elif device.backend == "torch":
        generation = importlib.import_module("torch").cuda.get_device_capability(0)
    else:
        return "float32"
    if generation >= (8, 0):
        return "mixed_bfloat16"
    return "mixed_float16" if generation >= (7, 0) else "float32"


def _multiplies_bfloat16(facts: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether the processor multiplies bfloat16 and oneDNN may use it (Linux only)."""
    if not onednn_may_use_bfloat16():
        return False
    try:
        with facts.open(encoding="ascii", errors="replace") as file:
            flags = next((line.split() for line in file if line.startswith("flags")), [])
            return not {"amx_bf16", "avx512_bf16"}.isdisjoint(flags)
    except OSError:
        return False


def _uses_onednn(backend: str) -> bool:
    """Tell whether the backend uses oneDNN; without it, bfloat16 is slower than float32."""
    setting = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "").lower()
    return backend == "torch" or (backend == "tensorflow" and setting not in {"0", "false"})
