"""Augmented crops of tiles: rotation, scale, light, focus, noise; with NumPy and OpenCV only.

Every function takes its random generator, so that a crop depends on nothing else.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from napari_snow_unet.data.pixels.channels import network_input
from napari_snow_unet.unet.runs.options import TrainingOptions
from napari_snow_unet.unet.training.appearance import add_artefact, vary_stain
from napari_snow_unet.unet.training.tile_reader import IGNORED, TrainingArrays

SCALES = (0.6, 1.5)  # smallest and largest scale
BLANK = 0.04  # fraction of the crops of "strong" that show an empty field
Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


def needs_colour(options: TrainingOptions) -> bool:
    """Tell whether crops are augmented in colour before the channel is taken."""
    varied = options.augment == "strong" or options.stain > 0 or options.artefacts > 0
    return varied and options.channel != "rgb"


def augment_crop(
    rng: np.random.Generator,
    tile: TrainingArrays,
    size: tuple[int, int],
    options: TrainingOptions,
) -> tuple[Floats, Bytes]:
    """Cut a crop of (height, width) from a tile, mirrored beyond its edges, and augment it.

    Return pixels, float32 (Y, X, C) in unit range, and truth: 0, 1, or 255 where not annotated.
    """
    # "none": only the position is random. "standard": any rotation, with or without mirroring,
    # scaled by 0.6 to 1.5, other brightness, contrast and gamma. "strong": also squeezed, blurred
    # or sharpened, with noise, JPEG compression, mixed channels, and sometimes an empty field.
    # The channel is taken after the colours were changed, those of the stains included.
    kind, channel = options.augment, options.channel
    if kind == "none":
        pixels, truth = _cut(rng, tile, size)
        return _to_network(pixels, channel), truth
    strong = kind == "strong"
    if strong and rng.random() < BLANK:
        planes = 3 if channel == "rgb" else 1
        return np.repeat(_blank_field(rng, size)[..., None], planes, -1), np.zeros(size, np.uint8)
    pixels, truth = _warp(rng, tile, size, squeeze=0.1 if strong else 0.0)
    if options.stain and rng.random() < options.stain_share:
        pixels = vary_stain(rng, pixels, options.stain)
    if options.artefacts and rng.random() < options.artefacts:
        pixels, truth = add_artefact(rng, pixels, truth)
    if not strong:
        return _vary_light(rng, _to_network(pixels, channel)), truth
    if rng.random() < 0.15:
        pixels = _compress(rng, pixels)
    if channel != "rgb" and pixels.shape[-1] == 3 and rng.random() < 0.15:
        mix = rng.dirichlet((1.0, 1.0, 0.3)).astype(np.float32)
        unit = ((pixels @ mix) / np.float32(255))[..., None]
    else:
        unit = _to_network(pixels, channel)
    return _add_noise(rng, _vary_light(rng, _vary_focus(rng, unit), strength=1.5)), truth


def _to_network(pixels: Bytes, channel: str) -> Floats:
    if pixels.shape[-1] == 1:
        return network_input(pixels[..., 0], channel)
    return network_input(pixels, channel)


def _cut(
    rng: np.random.Generator, tile: TrainingArrays, size: tuple[int, int]
) -> tuple[Bytes, Bytes]:
    """Cut a crop at a random position, on whole pixels."""
    height, width = size
    center_y, center_x = _draw_centre(rng, tile.truth, size)
    y, x = int(center_y - height / 2), int(center_x - width / 2)
    rows = _mirrored(np.arange(y, y + height), tile.truth.shape[0])
    columns = _mirrored(np.arange(x, x + width), tile.truth.shape[1])
    window = np.ix_(rows, columns)
    return tile.pixels[window], tile.truth[window]


def _mirrored(index: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Reflect indices at the first and last pixel."""
    period = max(2 * length - 2, 1)
    index = np.abs(index) % period
    return np.minimum(index, period - index) if length > 1 else np.zeros_like(index)


def _draw_centre(
    rng: np.random.Generator, truth: Bytes, extent: tuple[float, float]
) -> list[float]:
    """Draw the centre of a crop: inside the tile if it fits, and in annotated areas."""
    draws = rng.random(2)
    margins = [min(reach, length) / 2 for reach, length in zip(extent, truth.shape, strict=True)]
    annotated = truth != IGNORED
    if annotated.all() or not annotated.any():
        return [
            margin + draw * (length - 2 * margin)
            for draw, margin, length in zip(draws, margins, truth.shape, strict=True)
        ]
    ys, xs = np.nonzero(annotated)
    chosen = int(draws[0] * ys.size)
    return [
        float(np.clip(at[chosen], margin, length - margin))
        for at, margin, length in zip((ys, xs), margins, truth.shape, strict=True)
    ]


def _warp(
    rng: np.random.Generator, tile: TrainingArrays, size: tuple[int, int], *, squeeze: float
) -> tuple[Bytes, Bytes]:
    """Rotate, mirror, scale and cut in one step, so that pixels are interpolated only once."""
    import cv2

    scale = math.exp(rng.uniform(*np.log(SCALES)))
    turn, mirror = rng.uniform(0, 2 * math.pi), rng.choice((-1, 1))
    stretch = math.exp(rng.uniform(-squeeze, squeeze))
    cos, sin = math.cos(turn), math.sin(turn)
    linear = np.array([[cos, -sin * mirror], [sin, cos * mirror]])
    linear = linear @ np.diag([stretch, 1 / stretch]) / scale
    height, width = size
    y, x = _draw_centre(rng, tile.truth, (height / scale, width / scale))
    part, top, left = _around(tile, y, x, math.hypot(*size) / 2 / scale * math.exp(squeeze) + 8)
    pixels = part.pixels
    if scale < 0.85:  # against aliasing
        pixels = cv2.GaussianBlur(pixels, (0, 0), 0.4 / scale)
    middle = np.array([x - left, y - top])
    matrix = np.c_[linear, middle - linear @ np.array([width / 2, height / 2])]
    border = {"borderMode": cv2.BORDER_REFLECT_101}
    exact, smooth = (flag | cv2.WARP_INVERSE_MAP for flag in (cv2.INTER_NEAREST, cv2.INTER_LINEAR))
    seen = cv2.warpAffine(pixels, matrix, (width, height), flags=smooth, **border)
    truth = cv2.warpAffine(part.truth, matrix, (width, height), flags=exact, **border)
    return seen.reshape(height, width, -1), truth


def _around(
    tile: TrainingArrays, y: float, x: float, radius: float
) -> tuple[TrainingArrays, int, int]:
    """Cut out the part of a tile that a rotated crop can cover."""
    top, left = max(int(y - radius), 0), max(int(x - radius), 0)
    place = np.s_[top : int(y + radius) + 1, left : int(x + radius) + 1]
    pixels, truth = (np.ascontiguousarray(part[place]) for part in (tile.pixels, tile.truth))
    return TrainingArrays(pixels, truth), top, left


def _vary_light(rng: np.random.Generator, unit: Floats, *, strength: float = 1.0) -> Floats:
    """Change gamma, contrast and brightness."""
    gamma = math.exp(rng.uniform(-0.4, 0.4) * strength)
    contrast = math.exp(rng.uniform(-0.25, 0.2) * strength)
    shift = rng.uniform(-0.08, 0.08) * strength
    unit = np.power(np.clip(unit, 0, 1), np.float32(gamma))
    mean = unit.mean(dtype=np.float32)
    return np.clip((unit - mean) * np.float32(contrast) + (mean + np.float32(shift)), 0, 1)


def _vary_focus(rng: np.random.Generator, unit: Floats) -> Floats:
    import cv2

    draw = rng.random()
    if draw < 0.35:
        unit = cv2.GaussianBlur(unit, (0, 0), rng.uniform(0.3, 1.8)).reshape(unit.shape)
    elif draw < 0.5:
        blurred = cv2.GaussianBlur(unit, (0, 0), 1.5).reshape(unit.shape)
        unit = unit + np.float32(rng.uniform(0.3, 1.2)) * (unit - blurred)
    return unit


def _add_noise(rng: np.random.Generator, unit: Floats) -> Floats:
    if rng.random() < 0.4:
        noise = rng.standard_normal(unit.shape, dtype=np.float32)
        unit = np.clip(unit + noise * np.float32(rng.uniform(0, 0.04)), 0, 1)
    return unit


def _compress(rng: np.random.Generator, pixels: Bytes) -> Bytes:
    """Compress and decompress as JPEG of quality 30 to 90."""
    import cv2

    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))]
    flag = cv2.IMREAD_COLOR if pixels.shape[-1] == 3 else cv2.IMREAD_GRAYSCALE
    # OpenCV swaps red and blue, on input and output.
    encoded = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), quality)[1]
    return np.asarray(cv2.imdecode(encoded, flag)).reshape(pixels.shape)[..., ::-1]


def _blank_field(rng: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Return a field without tissue of any brightness; half of them have uneven light and noise."""
    plane = np.full(size, rng.uniform(0, 1), np.float32)
    if rng.random() < 0.5:
        down = np.linspace(-1, 1, size[0], dtype=np.float32)[:, None]
        across = np.linspace(-1, 1, size[1], dtype=np.float32)
        plane += np.float32(rng.normal(0, 0.05)) * down + np.float32(rng.normal(0, 0.05)) * across
        noise = rng.standard_normal(size, dtype=np.float32)
        plane += noise * np.float32(rng.uniform(0, 0.03))
    return np.clip(plane, 0, 1)
