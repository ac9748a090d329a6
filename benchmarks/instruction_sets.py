"""Count nuclei with the instruction sets of other processors and in bfloat16, beside float32 here.

    python benchmarks/instruction_sets.py [--tiles N]

Segments the same generated tiles of 512 x 512 pixels by the shell's command, in processes that may
use AVX2, AVX-512 or whatever the processor has, in float32 and in bfloat16, and prints how the
counts of nuclei differ from those in float32 with all instructions, and whether labels do.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

LIMIT = "ONEDNN_MAX_CPU_ISA"
WAYS = {
    "float32": ("float32", {}),
    "float32, AVX-512": ("float32", {LIMIT: "AVX512_CORE"}),
    "float32, AVX2": ("float32", {LIMIT: "AVX2"}),
    "bfloat16": ("bfloat16", {}),
}


def main() -> None:
    """Print the differences."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tiles", type=int, default=100)
    tiles = parser.parse_args().tiles
    from napari_snow_unet.data.formats.label_images import read_labels
    from napari_snow_unet.data.pixels.images import write_image
    from napari_snow_unet.data.synthetic import generate_tile

    with tempfile.TemporaryDirectory() as temporary:
        images = Path(temporary, "images")
        names = [f"{seed:04d}.png" for seed in range(tiles)]
        for seed, name in enumerate(names):
            write_image(images / name, generate_tile(seed).image)
        counts, labels = {}, {}
        for way, (precision, limits) in WAYS.items():
            out = Path(temporary, way)
            command = [sys.executable, "-m", "napari_snow_unet.cli", "segment", str(images)]
            command += ["-o", str(out), "--precision", precision, "--device", "cpu"]
            done = subprocess.run(command, env=os.environ | limits, capture_output=True, text=True)
            if done.returncode:
                print(f"{way}: left out ({done.stderr.strip().splitlines()[-1]})")
                continue
            with (out / "summary.csv").open(encoding="utf-8", newline="") as rows:
                counts[way] = np.array([int(row["nuclei"]) for row in csv.DictReader(rows)])
            labels[way] = [read_labels(out / name) for name in names]
        here = counts["float32"]
        print(f"{tiles} tiles, {here.sum():,} nuclei")
        for way, found in counts.items():
            apart = np.abs(found - here)
            same = sum(map(np.array_equal, labels[way], labels["float32"]))
            print(
                f"  {way:18} {found.sum() - here.sum():+d} nuclei in all; a tile differs by "
                f"{(apart / here).mean():.3%} on average, by {apart.max()} at most; equal labels: "
                f"{same} tiles"
            )


if __name__ == "__main__":
    main()
