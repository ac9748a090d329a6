"""The rooms of the package: what `ls` shows is short, and so is what is in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

MOST_MODULES, MOST_LINES = 16, 300


@pytest.fixture(scope="module")
def modules(repository):
    return sorted((repository / "src" / "napari_snow_unet").rglob("*.py"))


def test_no_room_is_crowded(modules):
    rooms = {path.parent for path in modules}
    counts = {room: len({*room.glob("*.py")} - {room / "messages.py"}) for room in rooms}
    crowded = {room.name for room, count in counts.items() if count > MOST_MODULES}
    assert not crowded


def test_no_module_is_long(modules):
    lengths = {str(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_every_room_says_what_it_is_for(modules):
    rooms = [path for path in modules if path.name == "__init__.py"]
    assert {path.parent for path in modules} == {path.parent for path in rooms}
    assert all(path.read_text(encoding="utf-8").startswith('"""') for path in rooms)


def test_names_of_modules_say_a_job(modules):
    names = {path.stem for path in modules} - {"__init__", "__main__"}
    assert not [name for name in names if name.startswith("_") or name in ("utils", "helpers")]


def test_tests_stand_in_the_rooms_that_they_test(modules, repository):
    package = repository / "src" / "napari_snow_unet"
    rooms = {path.parent.relative_to(package) for path in modules}
    own = {Path(name) for name in ("docs", "faults", "helpers", "your_files")}
    tests = repository / "tests"
    used = {path.parent.relative_to(tests) for path in tests.rglob("*.py")}
    assert used <= rooms | own


def test_only_the_shell_speaks_its_words(modules):
    """An error names what would help by the options' names; see `base.errors.InputError`."""
    found = []
    for path in modules:
        if path.parent.name == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "InputError":
                said = " ".join(
                    part.value
                    for part in ast.walk(node)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )
                said = re.sub("`pip [^`]*`", "", said)  # another program's
                if re.search(r"(^|[ (])--[a-z]|snow-unet ", said):
                    found.append(f"{path}: {said}")
    assert not found


def lost_references(texts, rooms):
    """Return each `` `room.module.name` `` that is no such module and not defined in one."""

    def is_there(reference):
        module, _, name = reference.rpartition(".")
        return any(
            path.endswith(f".{reference}")
            or (path.removesuffix(".__init__").endswith(f".{module}") and name in text)
            for path, text in texts.items()
        )

    references = {
        found
        for text in texts.values()
        for found in re.findall(r"(?<!`)`([a-z_]+(?:\.\w+)+)`(?!`)", text)
        if found.split(".")[0] in rooms
    }
    return {found for found in references if not is_there(found)}


def test_a_docstring_points_at_what_is_there(modules, repository):
    package = repository / "src" / "napari_snow_unet"
    texts = {
        "." + ".".join(path.relative_to(package).with_suffix("").parts): path.read_text("utf-8")
        for path in modules
    }
    rooms = {path.parent.name for path in modules} - {package.name}
    assert lost_references(texts, rooms) == set()
    texts[".base.more"] = "See `base.errors.InputError`, `base.errors.Gone` and `base.gone.run`."
    assert lost_references(texts, rooms) == {"base.errors.Gone", "base.gone.run"}


#: Names that say nothing of what they name; the terms are in the glossary of CONTRIBUTING.md.
VAGUE = re.compile(r"(^|_)(told|said|asked|begun)(_|$)|^_?(found|known)$")


def vague_names(tree):
    """Return the variables, parameters, attributes and functions with a name that says nothing."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            name = node.name
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            name = node.id if isinstance(node, ast.Name) else node.attr
        else:
            continue
        if VAGUE.search(name):
            yield name


def test_names_say_what_they_name(modules):
    vague = {
        str(path): names
        for path in modules
        if (names := sorted(set(vague_names(ast.parse(path.read_text(encoding="utf-8"))))))
    }
    assert vague == {}
    assert list(vague_names(ast.parse("def tell(known): self._said = 1"))) == ["known", "_said"]
