"""napari's reader: SNOW tiles and HoVer-Net files, each with the partner that belongs to it."""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.hovernet_mat import is_hovernet_mat, read_hovernet_mat
from napari_snow_unet.data.images import read_image, read_labels
from napari_snow_unet.data.snow import is_mask_path, partner_of

LayerData = tuple[Any, ...]
Read = Callable[[str | Sequence[str]], list[LayerData]]
COMPANION = "opened_with"  # metadata of a layer that came as the partner of another file
ONE_DROP_SECONDS = 20.0  # files dropped together are read one after the other within this time
NO_LAYER: list[LayerData] = [(None,)]  # npe2: read, and there is no layer to add


def get_reader(path: str | Sequence[str]) -> Read | None:
    """Tell napari whether these files are for this plugin.

    Parameters
    ----------
    path : str or sequence of str
        One path, or several to be opened together.

    Returns
    -------
    callable or None
        The reader; None for any file that is neither a HoVer-Net ``.mat`` nor a PNG tile.
        Nothing is raised here.
    """
    paths = [path] if isinstance(path, str) else list(path)
    return read if paths and all(_is_ours(Path(one)) for one in paths) else None


def read(path: str | Sequence[str]) -> list[LayerData]:
    """Read tiles and masks as layers, each with its partner where that can be found.

    Parameters
    ----------
    path : str or sequence of str
        One path, or several to be opened together.

    Returns
    -------
    list of tuple
        Images before labels. When a tile and its mask are dropped together, napari asks for one
        after the other: the second then gives no layer, because the first brought it.

    Raises
    ------
    InputError
        If a file cannot be read; a partner that cannot be read is left out with a warning.
    """
    paths = [Path(path)] if isinstance(path, str) else [Path(one) for one in path]
    asked = {_real(one): one for one in paths}
    layers = {key: _layer(one) for key, one in asked.items() if not _came_with_partner(key)}
    for key in list(layers):
        partner = partner_of(asked[key])
        if partner is None or _real(partner) in asked:
            continue
        try:
            layers[_real(partner)] = _layer(partner, opened_with=asked[key])
        except InputError as error:
            warnings.warn(f"Opened without its partner: {error}", stacklevel=2)
    return sorted(layers.values(), key=lambda layer: layer[2] == "labels") or NO_LAYER


def _is_ours(path: Path) -> bool:
    if path.suffix.lower() == ".mat":
        return is_hovernet_mat(path)
    return path.suffix.lower() == ".png" and path.is_file()


def _real(path: Path) -> str:
    return os.path.normcase(os.path.realpath(path))


def _layer(path: Path, opened_with: Path | None = None) -> LayerData:
    facts: dict[str, Any] = {"source": str(path)}
    if opened_with is not None:
        facts[COMPANION] = {"path": str(opened_with), "time": time.monotonic()}
    if not is_mask_path(path):
        image = read_image(path)
        rgb = image.array.ndim >= 3 and image.array.shape[-1] in (3, 4)
        shown: dict[str, Any] = {"name": path.stem, "rgb": rgb, "metadata": facts}
        if image.pixel_size_um is not None:
            planar = image.array.ndim - rgb
            shown["scale"] = (1.0,) * (planar - 2) + (image.pixel_size_um,) * 2
            shown["units"] = ("pixel",) * (planar - 2) + ("um",) * 2
        return image.array, shown, "image"
    if path.suffix.lower() == ".mat":
        nuclei = read_hovernet_mat(path)
        features = {
            "index": nuclei.index,
            "centroid_y": nuclei.centroid[:, 0],
            "centroid_x": nuclei.centroid[:, 1],
        }
        if nuclei.type is not None:
            features["type"] = nuclei.type
        shown = {"name": f"{path.stem} mask", "features": features, "metadata": facts}
        return nuclei.labels, shown, "labels"
    return read_labels(path), {"name": f"{path.stem} mask", "metadata": facts}, "labels"


def _came_with_partner(key: str) -> bool:
    """Tell whether this file was just brought by its partner, dropped together with it.

    It is told once: opening the file again later gives new layers, as with any file.
    """
    napari = sys.modules.get("napari")
    viewer = napari.current_viewer() if napari is not None else None
    for layer in viewer.layers if viewer is not None else ():
        brought = layer.metadata.get(COMPANION)
        if brought and _real(Path(layer.metadata.get("source", ""))) == key:
            del layer.metadata[COMPANION]
            return bool(time.monotonic() - brought["time"] < ONE_DROP_SECONDS)
    return False
