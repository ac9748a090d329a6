"""The notebooks of the documentation: they run, and hold the outputs that people see."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "notebooks").glob("*.ipynb"))


def code_of(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


#: The one that trains takes half a minute.
RUN = [
    pytest.param(path, id=path.stem, marks=[pytest.mark.slow] * path.stem.startswith("train"))
    for path in NOTEBOOKS
]


@pytest.mark.parametrize("path", RUN)
def test_a_notebook_runs(path, tmp_path):
    """As a program; `jupyter nbconvert --execute --inplace` brings its outputs up to date."""
    program = "\n".join("".join(cell["source"]) for cell in code_of(path))
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_its_outputs(path):
    cells = code_of(path)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    pictures = 0
    for cell in cells:
        kinds = [output["output_type"] for output in cell["outputs"]]
        shows = isinstance(ast.parse("".join(cell["source"])).body[-1], ast.Expr)
        assert ("execute_result" in kinds) == shows, cell["id"]
        assert "error" not in kinds
        pictures += "data:image/png;base64," in json.dumps(cell["outputs"])
    assert pictures
    assert path.stat().st_size < 200_000
