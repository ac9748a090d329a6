"""Nuclei from the JSON of HoVer-Net and of CellViT.

Both trace contours with OpenCV: corners are the centres of the nucleus' outermost pixels.

References
----------
.. [1] S. Graham et al., "Hover-Net", Medical Image Analysis 58, 2019; as its published code
       writes ``json/NAME.json``.
.. [2] F. Hörst et al., "CellViT: Vision Transformers for precise cell segmentation and
       classification", Medical Image Analysis 94, 2024; as its code writes ``cells.json``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.annotations import messages
from napari_snow_unet.data.annotations.outlines import ONE, Annotations, Outline, ring_of
from napari_snow_unet.data.pixels.messages import damaged

_LARGEST_TYPE = 1 << 31


def is_nuclei_json(content: Any) -> bool:
    """Tell HoVer-Net's and CellViT's JSON by its structure."""
    return isinstance(content, dict) and (
        isinstance(content.get("nuc"), dict) or isinstance(content.get("cells"), list)
    )


def read_nuclei_json(content: dict[str, Any]) -> Annotations:
    """Return the nuclei that HoVer-Net or CellViT found, with their types."""
    nuclei: Iterable[dict[str, Any]] = (
        content["cells"] if isinstance(content.get("cells"), list) else content["nuc"].values()
    )
    names = {key: str(name) for key, name in (content.get("type_map") or {}).items()}
    return Annotations([_outline(nucleus, names) for nucleus in nuclei])


def _outline(nucleus: dict[str, Any], names: dict[str, str]) -> Outline:
    if "contour" not in nucleus:
        raise InputError(messages.NO_CONTOURS)
    number = nucleus.get("type")
    kind = int(number) if number is not None else 0
    if not 0 <= kind < _LARGEST_TYPE:
        raise InputError(damaged(f"a nucleus has the type {number}"))
    ring = ring_of(nucleus["contour"])
    return Outline(([ring],), names.get(str(kind), ""), ONE, kind, centred=True)
