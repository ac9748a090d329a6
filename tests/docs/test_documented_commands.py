"""Every command and program of the README and of the pages in docs, as they stand there.

Blocks run in the order of their page, in a folder with generated data under the names that the
pages use. What cannot run here is marked in the page, in front of its block, for the whole block
or for some of its lines by their numbers::

    <!-- not run: why -->
    <!-- not run (2, 3): why -->

and its commands are then only understood: each option must exist.
"""

from __future__ import annotations

import importlib.util
import re
import shlex
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from napari_snow_unet.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MARK = r"<!-- not run(?: \(([\d, ]+)\))?: (.{10,}?) -->\n"
BLOCK = re.compile(rf"^(?:{MARK})?```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OURS = "napari-snow-unet"
NEEDED = {"formats.md": "onnx", "look_at_slides.md": "openslide"}
TRAINING = ("README.md", "train.md", "train_on_my_images.md")


@dataclass(frozen=True)
class Block:
    """A block of a page: its language, and which of its lines are run."""

    language: str
    run: tuple[str, ...]
    marked: tuple[str, ...]


def blocks_of(text: str) -> list[Block]:
    """Return the blocks that hold commands or programs; others are pictures in letters."""
    found = []
    for numbers, why, language, body in BLOCK.findall(text):
        lines = body.splitlines()
        chosen = {int(number) for number in re.findall(r"\d+", numbers)} or set(
            range(1, len(lines) + 1) if why else ()
        )
        assert chosen <= set(range(1, len(lines) + 1)), (numbers, body)
        marked = tuple(line for number, line in enumerate(lines, 1) if number in chosen)
        run = tuple(line for number, line in enumerate(lines, 1) if number not in chosen)
        if language:
            found.append(Block(language, run, marked))
    return found


def words_of(line: str) -> list[str]:
    """Split a line as a shell does: comments gone, patterns replaced by the files they fit."""
    return [
        file
        for word in shlex.split(line, comments=True)
        for file in (sorted(map(str, Path().glob(word))) if "*" in word else ()) or [word]
    ]


def run_line(line: str, place: Path) -> None:
    program, *words = words_of(line)
    assert program == OURS, line
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, (line, done.output, done.exception)
    if "-o" in words:
        assert (place / words[words.index("-o") + 1]).exists(), line


def understand(line: str) -> None:
    """Let the command line be read, its options and types, without running it."""
    program, *words = shlex.split(line, comments=True) or [""]
    if program != OURS:
        return
    name, *arguments = words
    command = get_command(app)
    with command.make_context(OURS, [name], resilient_parsing=True) as context:
        command.get_command(context, name).make_context(name, arguments, parent=context)


def test_every_block_is_seen():
    """No fence is written in a way that the tests below would pass over."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert len(BLOCK.findall(text)) * 2 == text.count("```"), page.name
        assert len(re.findall(MARK, text)) == text.count("<!-- not run"), page.name
        for block in blocks_of(text):
            assert block.language in ("bash", "python") or not block.run, (page.name, block)
            assert block.run or block.marked, page.name


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks_of(page.read_text(encoding="utf-8"))],
    ids=lambda page: page.name,
)  # fmt: skip
def test_what_a_page_says_can_be_done(page, place):
    if page.name in TRAINING and importlib.util.find_spec("keras") is None:
        pytest.skip("needs the extra train")  # looked for only: the package loads Keras in its way
    if page.name in NEEDED:
        pytest.importorskip(NEEDED[page.name])
    names: dict[str, object] = {}
    for block in blocks_of(page.read_text(encoding="utf-8")):
        if block.language == "python":
            exec("\n".join(block.run), names)
            continue
        for line in filter(str.strip, block.run):
            run_line(line, place)
        for line in block.marked:
            understand(line)


def test_an_unknown_option_in_a_marked_block_is_noticed():
    understand("napari-snow-unet train dataset/ -o run --preset paper   # takes long")
    with pytest.raises(Exception, match="--presets"):
        understand("napari-snow-unet train dataset/ -o run --presets paper")


def test_what_pip_is_asked_for_exists():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {
        extra for page in PAGES
        for extra in re.findall(r"napari-snow-unet\[(\w+)\]", page.read_text(encoding="utf-8"))
    }  # fmt: skip
    assert {"all", "slides", "export", "cluster", "train"} <= asked
    assert asked <= set(project["optional-dependencies"])


def test_what_make_is_asked_for_exists():
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    for page in (*PAGES, ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"^make ([a-z-]+)", page.read_text(encoding="utf-8"), re.M):
            assert target in targets, (page.name, target)


def test_every_page_is_linked_from_the_readme():
    readme = PAGES[0].read_text(encoding="utf-8")
    for page in PAGES[1:]:
        assert f"(docs/{page.name})" in readme, page.name


def test_links_of_the_pages_lead_somewhere():
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in link:
                assert (page.parent / link).exists(), (page.name, link)


def test_rooms_and_doors_of_the_house_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    house = ROOT / "src" / "napari_snow_unet"
    named = {path for path in re.findall(r"`([\w/*.]+\.py)`", text) if "NAME" not in path}
    assert "unet/engine/tensorflow.py" in named
    for path in named:
        assert any([*house.glob(path), *house.rglob(path), *ROOT.glob(path)]), path
    for room in house.iterdir():
        if (room / "__init__.py").exists():
            assert f"`{room.name}/`" in text, room.name
            for inner in room.iterdir():
                assert not (inner / "__init__.py").exists() or f"`{inner.name}/`" in text, inner
