import ast
import json
import re
import shlex
from pathlib import Path

import pytest
import typer

from napari_snow_unet.cli import app


@pytest.fixture(scope="module")
def cells(request):
    root = request.config.rootpath
    notebook = json.loads((root / "docs" / "colab.ipynb").read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    return ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_the_python_of_the_notebook_is_python(cells):
    plain = [cell for cell in cells if not cell.startswith(("!", "%"))]
    assert len(plain) == 3
    for cell in plain:
        ast.parse(cell)


def test_the_command_of_the_notebook_is_understood(cells):
    settings = {}
    exec(cells[0], settings)
    (line,) = [cell for cell in cells if cell.startswith("!napari-snow-unet")]
    line = line[1:].replace("\\\n", " ")
    filled = re.sub(r"\$(\w+)", lambda name: str(settings[name[1]]), line)
    _, name, *arguments = shlex.split(filled)
    command = typer.main.get_command(app).commands[name]
    given = command.make_context(name, arguments).params
    assert (given["limit"], given["epochs"], given["seed"]) == (5000, 50, 0)
    assert given["device"] == "gpu"
    assert [Path(path).name for path in given["sources"]] == ["SNOW_Image.zip", "mask_*.zip"]
