"""A picture in a notebook."""

from __future__ import annotations

import base64
from html import escape
from io import BytesIO

from PIL import Image

_LONGEST_SIDE, _COLOURS = 800, 64


def picture(image: Image.Image, alternative: str) -> str:
    """Return a small PNG that lies in the page itself; notebooks keep it."""
    image = image.convert("RGB")
    image.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    png = BytesIO()
    image.quantize(_COLOURS, dither=Image.Dither.NONE).save(png, "PNG", optimize=True)
    data = base64.b64encode(png.getvalue()).decode()
    return f'<img alt="{escape(alternative)}" src="data:image/png;base64,{data}">'
