"""Which published layout the files of a dataset have, by the names of files and folders."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from napari_snow_unet.data.pairs import messages
from napari_snow_unet.data.pairs.entries import Entry, File, Match

#: Name, and patterns of the image's and the mask's folder and file; the first that fits counts.
_LAYOUTS = (
    ("SNOW", r".*/seed\d+\.png", r".*/mat/seed\d+\.mat"),
    ("TNBC", r".*/Slide_\d+/[^/]+", r".*/GT_\d+/[^/]+"),
    (
        "CryoNuSeg",
        r".*/tissue images/[^/]+",
        r".*/annotator \d[^/]*/(label masks.*|mask binary)/[^/]+",
    ),
    ("NuInsSeg", r".*/tissue images/[^/]+", r".*/(label masks.*|mask binary)/[^/]+"),
    ("MoNuSeg", r".*\.tiff?", r".*\.xml"),
    ("Lizard", r".*/lizard_images\d/[^/]+", r".*\.mat"),
    ("CoNSeP", r".*/images/[^/]+", r".*/labels/[^/]+\.mat"),
    ("HoVer-Net", r".*", r".*/mat/[^/]+\.mat"),
)


def layout_notes(
    matches: Sequence[Match[File]], repeats: Iterable[tuple[Entry[File], Entry[File]]]
) -> list[str]:
    """Return notes on the layout, and on whose masks are used if several folders have some."""
    notes = []
    if nuclei := sum(match.nuclei for match in matches):
        notes.append(messages.merged_nuclei(nuclei))
    notes += [messages.layout(name) for name in dict.fromkeys(map(_name, matches)) if name]
    chosen: dict[str, set[str]] = defaultdict(set)
    for other, used in repeats:
        if is_other_choice(other, used):
            chosen[used.folder[-1]].add(other.folder[-1])
    for folder, others in chosen.items():
        notes.append(messages.chosen_masks(folder, ", ".join(sorted(others))))
    return notes


def is_other_choice(other: Entry[File], used: Entry[File]) -> bool:
    """Tell a mask in a folder that goes behind another with masks for the same images."""
    return other.kind == "mask" and other.folder != used.folder and other.rank != used.rank


def _name(match: Match[File]) -> str:
    image, mask = ("/".join((*e.folder, e.name)) for e in (match.image, match.masks[0]))
    for name, of_image, of_mask in _LAYOUTS:
        if re.fullmatch(of_image, image, re.IGNORECASE) and re.fullmatch(
            of_mask, mask, re.IGNORECASE
        ):
            return name
    return ""
