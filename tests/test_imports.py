"""What is loaded when, and what the package stands on; each import in an interpreter of its own."""

import ast
import importlib.metadata
import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import napari_snow_unet

PACKAGE = Path(napari_snow_unet.__file__).parent
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
HEAVY = {"tensorflow", "keras", "torch", "jax", "openvino", "cv2", "matplotlib", "napari", "qtpy"}
ROOMS_WITH_HEAVY_IMPORTS = {"unet", "widgets"}
ROOMS = {path.parent.name for path in PACKAGE.glob("*/*.py")} | {
    path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__"
}

LOAD_IN_TURN = """
import importlib, json, sys
loaded, heavy = {}, set(sys.argv[1].split())
for module in sys.argv[2:]:
    importlib.import_module(module)
    loaded[module] = sorted(heavy & set(sys.modules))
    heavy -= set(loaded[module])
print(json.dumps(loaded))
"""


def load_in_turn(modules: list[str], heavy: set[str]) -> dict[str, list[str]]:
    """Tell which module was the first to bring which of the heavy ones."""
    warnings = [f"-W{option}" for option in ("error", *sys.warnoptions)]
    command = [sys.executable, *warnings, "-c", LOAD_IN_TURN, " ".join(heavy), *modules]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return {name: brought for name, brought in json.loads(ended.stdout).items() if brought}


def modules_of(room: str) -> list[str]:
    """Name every module of a room, as it lies on the disk."""
    files = sorted((PACKAGE / room).rglob("*.py")) or [PACKAGE / f"{room}.py"]
    names = [".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files]
    return [name.removesuffix(".__init__") for name in names]


def test_importing_the_package_loads_nothing_but_what_loads_the_rest_later():
    libraries = {name for names in installed_as().values() for name in names}
    assert load_in_turn(["napari_snow_unet"], libraries) == {"napari_snow_unet": ["lazy_loader"]}


@pytest.mark.parametrize("room", sorted(ROOMS - ROOMS_WITH_HEAVY_IMPORTS))
def test_importing_a_room_loads_no_network_window_or_figure(room):
    assert load_in_turn(modules_of(room), HEAVY) == {}


def test_no_module_is_called_utils():
    assert [path for path in PACKAGE.rglob("*") if path.stem.lower().startswith("util")] == []


def requirements(extra: str | None = None) -> dict[str, Requirement]:
    """Read what the package asks for, by itself or in one of its extras."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    lines = project["optional-dependencies"][extra] if extra else project["dependencies"]
    return {item.name: item for item in map(Requirement, lines)}


def installed_as() -> dict[str, set[str]]:
    """Map the requirements to the names they are imported by."""
    names: dict[str, set[str]] = {name: set() for name in requirements()}
    for module, distributions in importlib.metadata.packages_distributions().items():
        for distribution in distributions:
            if distribution.lower() in names:
                names[distribution.lower()].add(module)
    return names


def test_no_module_brings_openvino_before_a_network_is_opened():
    """Only training needs Keras at the top of modules; OpenVINO is wanted at once nowhere."""
    quick = [name for name in modules_of("unet") if ".training" not in name]
    quick.remove("napari_snow_unet.unet.network.build")
    assert load_in_turn(quick, {"openvino", "keras", "tensorflow"}) == {}


def test_the_base_installs_no_qt_and_nothing_that_trains():
    assert [name for name in requirements() if name.lower().startswith(("pyqt", "pyside"))] == []
    assert requirements()["napari"].extras == set()
    assert requirements(extra="all")["napari"].extras == {"all"}
    assert requirements(extra="all")["napari-snow-unet"].extras == {"train"}
    assert not {"tensorflow", "keras"} & set(requirements())


def test_opencv_comes_without_its_own_qt():
    names = [name for extra in (None, "all", "test", "train") for name in requirements(extra)]
    assert [name for name in names if "opencv" in name] == ["opencv-python-headless"]


def imported_by(file: Path) -> set[str]:
    """Collect the top-level names a file imports, functions included."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module).partition(".")[0])
    return names - sys.stdlib_module_names - {"napari_snow_unet"}


#: What an extra brings is imported below here alone; it is imported by the name it is installed by.
IMPORTED_FROM_EXTRAS = {"train": "unet/", "export": "unet/models/onnx.py"}


def test_everything_imported_is_required():
    required = set().union(*installed_as().values())
    missing = {}
    for file in PACKAGE.rglob("*.py"):
        path = file.relative_to(PACKAGE).as_posix()
        extras = [extra for extra, place in IMPORTED_FROM_EXTRAS.items() if path.startswith(place)]
        if names := imported_by(file) - required.union(*map(requirements, extras)):
            missing[path] = names
    assert missing == {}
