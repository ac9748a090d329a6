"""Run the frozen commands with the package that is first on the path: `python drive.py FOLDER`.

The folder holds the inputs as `in`; results go to `out/COMMAND`, with what was printed.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

import numpy as np
import numpy.typing as npt

FAKE = "darkness"
SMALL = "--epochs 2 --batch-size 2 --crop 32 --base-filters 2 --precision float32 --device cpu"
#: What is run, in this order: `@` stands for the folder of its own results.
COMMANDS = {
    "models": "models --json",
    "segment": f"segment in/tiles/images -o @/r --model {FAKE} --probability --overlay "
    "--format png,tif,mat,geojson,zarr,csv",
    "segment-classical": "segment in/tiles/images in/unusual -o @/r --model classical "
    "--format png,geojson,csv",
    "segment-mask": f"segment in/tiles/images -o @/r --model {FAKE} --output mask --threshold 0.45 "
    "--no-fill-holes --clear-border --channel green",
    "segment-areas": f"segment in/tiles/images -o @/r --model {FAKE} --min-area-um2 12 "
    "--pixel-size 0.4 --no-split --test-time-augmentation --tile 64",
    "segment-stacks": f"segment in/stacks/stack.tif -o @/r --model {FAKE} --format tif,zarr,csv",
    "segment-zarr": "segment in/stacks/image.zarr -o @/r --model classical",
    "segment-slide": f"segment in/slide.ome.tif -o @/r --model {FAKE} --format zarr,geojson,csv",
    "segment-again": "segment in/tiles/images -o out/segment-mask/r",
    "segment-resumed": f"segment in/tiles/images -o out/segment-mask/r --model {FAKE} --resume",
    "segment-missing": "segment in/nothing -o @/r --model classical",
    "evaluate": "evaluate out/segment-areas/r in/tiles/masks -o @/r --probability out/segment/r",
    "evaluate-json": "evaluate in/outlines/t0.geojson out/segment/r/t0.mat --json",
    "evaluate-outlines": "evaluate in/outlines in/tiles/masks -o @/r --pixel-size 0.5",
    "evaluate-region": "evaluate out/segment-mask/r in/tiles/masks --region in/outlines/regions "
    "--compare out/segment-areas/r -o @/r",
    "prepare": "prepare in/snow -o @/d --workers 1 --json",
    "prepare-zip": "prepare in/snow.zip -o @/d --workers 2 --verify --shard 3",
    "prepare-plain": "prepare in/tiles -o @/d --workers 1 --binary --pixel-size 0.4 --train 4 "
    "--val 2 --test 2 --seed 3",
    "prepare-again": "prepare in/tiles -o out/prepare-plain/d --workers 1",
    "segment-dataset": f"segment out/prepare/d -o @/r --model {FAKE}",
    "evaluate-dataset": "evaluate out/segment-dataset/r out/prepare/d --instances --json",
    "check": "check out/prepare/d --workers 1 --json",
    "check-plain": "check in/tiles --workers 1",
    "split": "split out/prepare-zip/d --train 4 --val 2 --test 2 --seed 5 --folds 3",
    "train": f"train out/prepare/d -o @/run --workers 1 {SMALL}",
    "train-resumed": "train --resume out/train/run",
    "train-fold": f"train out/prepare-zip/d -o @/run --workers 1 --fold 1 {SMALL}",
    "segment-trained": "segment in/tiles/images -o @/r --model out/train/run --precision float32",
    "segment-default": "segment in/tiles/images in/stacks/stack.tif -o @/r --precision float32 "
    "--format tif",
    "export": "export out/train/run -o @/model.zip",
    "reproduce": "reproduce in/snow -o @/e --limit 8 --epochs 1 --device cpu --workers 1",
}


def main() -> None:
    """Run every command in this process, one after the other."""
    os.chdir(sys.argv[1])
    use_fake_network()
    for name, words in COMMANDS.items():
        place = Path("out") / name
        place.mkdir(parents=True)
        code = run(words.replace("@", str(place)).split(), place / "printed.txt")
        (place / "exit-code.txt").write_text(f"{code}\n", encoding="utf-8")
        print(f"{name}: {code}", flush=True)
    read_as_napari()


def use_fake_network() -> None:
    """Let a network of plain arithmetic be a model, which computes the same on every processor."""
    import napari_snow_unet.models as models
    from napari_snow_unet.segmentation.model import Model

    real = models.open_model

    def open_model(name_or_path: str | os.PathLike[str] = "default", **options: str) -> Model:
        if str(name_or_path) != FAKE:
            return real(name_or_path, **options)
        return Model(darkness, FAKE, checksum="0" * 64, halo=0)

    models.open_model = open_model


def darkness(pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return how dark each pixel is."""
    return np.float32(1) - pixels[..., 0]


def run(words: list[str], printed: Path) -> int:
    """Run one command line in a copy of this process; return its exit code."""
    sys.argv = ["napari-snow-unet", *words]
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with printed.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    code = 1
    try:
        from napari_snow_unet.cli import main as command_line

        command_line()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # a traceback is a result as well
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def read_as_napari() -> None:
    """Read some files as napari does when they are dropped, and write what layers they become."""
    from npe2 import PluginManager
    from npe2.io_utils import read

    place = Path("out") / "reader"
    place.mkdir()
    PluginManager.instance().discover()
    files = ["in/snow/SNOW_Image/seed1.png", "in/snow/mask_0_5000/mat/seed2.mat"]
    files += ["in/outlines/t1.geojson", "out/segment/r/t1.geojson", "out/segment/r/t1.mat"]
    for number, file in enumerate(files):
        facts = []
        for index, (data, options, kind) in enumerate(
            read([file], stack=False, plugin_name="napari-snow-unet")
        ):
            np.save(place / f"{number}-{index}.npy", np.asarray(data))
            facts.append([kind, {key: repr(value) for key, value in sorted(options.items())}])
        text = json.dumps(facts, indent=1)
        (place / f"{number}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
