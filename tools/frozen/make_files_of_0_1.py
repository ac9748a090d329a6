"""Make the files of users of 0.1 that tests open: run with the sources of 0.1 in PYTHONPATH.

git archive 6541e6f src | tar -x -C /tmp/of_0_1
PYTHONPATH=/tmp/of_0_1/src python tools/frozen/make_files_of_0_1.py tests/files_of_0_1.tar.xz
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path


def rows_of(run: Path) -> list[str]:
    """Return the lines of a training's history."""
    return (run / "history.csv").read_text(encoding="utf-8").splitlines()


def main(folder: Path) -> None:
    """Write a dataset, a training that was killed, a model, results, and a run of `segment`."""
    from napari_snow_unet.data.images import write_image, write_labels  # type: ignore[import]
    from napari_snow_unet.data.synthetic import generate_tile

    sources = folder / "sources"
    for seed in range(4):
        tile = generate_tile(seed, size=64)
        for name, write, pixels in (
            ("images", write_image, tile.image),
            ("masks", write_labels, tile.labels),
        ):
            (sources / name).mkdir(parents=True, exist_ok=True)
            write(sources / name / f"seed{seed}.png", pixels)
    shell = [sys.executable, "-m", "napari_snow_unet.cli"]
    small = [
        "--epochs",
        "200",
        "--base-filters",
        "2",
        "--crop",
        "32",
        "--batch-size",
        "4",
        "--precision",
        "float32",
    ]
    classical = ["--model", "classical", "--pixel-size", "0.25"]
    run = folder / "run"
    for words in (
        ["prepare", str(sources), "-o", "dataset", "--train", "2", "--val", "1", "--test", "1"],
        ["segment", "sources/images", "-o", "results", *classical, "--format", "png,tif,zarr"],
        ["segment", "sources/images/seed0.png", "-o", "network", "--model", "run/best"],
    ):
        if words[0] == "segment" and not run.exists():
            training = subprocess.Popen(
                [*shell, "train", "dataset", "-o", "run", *small], cwd=folder
            )
            while not (run / "best").is_dir() or len(rows_of(run)) < 3:
                time.sleep(0.05)
            training.kill()
            training.wait()
        subprocess.run([*shell, *words], check=True, cwd=folder)
    shutil.rmtree(folder / "results" / "seed3.zarr")  # as if it had been ended before that
    for path in (folder / "results").glob("seed3.*"):
        path.unlink()
    table = folder / "results" / "summary.csv"
    rows = table.read_text(encoding="utf-8").splitlines(keepends=True)
    table.write_text("".join(rows[:-1]), encoding="utf-8")
    for path in [*folder.rglob("*lock"), *run.glob("*.txt")]:  # they name a computer
        path.unlink()
    shutil.rmtree(sources / "masks")
    for path in [*folder.rglob("*.json"), table]:  # where the files were made is nobody's business
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(str(folder), "FOLDER"), encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, tarfile.open(sys.argv[1], "w:xz") as packed:
        main(Path(name).resolve())
        packed.add(name, "files_of_0_1")
