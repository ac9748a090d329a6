"""Run the tests as other people's machines would: `make test-anywhere`.

Every setting is run on the last commit, in a clone of its own. Results are kept under
build/test-anywhere/COMMIT, and what has been run there is not run again. The table of all settings
comes at the end.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any
from zlib import crc32

from anywhere_environments import UV, Build, NotHereError, build_commit, make_environment
from anywhere_stranger import stranger

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "test-anywhere"
#: What the tests may know of the environment that this is started from.
PASSED_ON = ("CI", "HOME", "LANG", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PATH")
#: As in tox.ini.
ON_A_VIRTUAL_SCREEN = {
    "LIBGL_ALWAYS_SOFTWARE": "1",
    "PYTHONUNBUFFERED": "1",
    "QT_QPA_PLATFORM": "xcb",
}
DOCKS, COMMANDS = "tests/widgets", "tests/cli"


@dataclass(frozen=True)
class Setting:
    """One kind of machine, user or installation.

    Attributes
    ----------
    name, about : str
        What it is called, and what it stands for.
    environment : str
        One of `anywhere_environments.ENVIRONMENTS`.
    paths : tuple of str
        The tests to run; all by default.
    variables : dict of str to str
        Added to the environment.
    before : tuple of str
        What is put in front of the command.
    screen : str
        Size of the virtual screen.
    warnings : tuple of str
        Filters of warnings in addition to those of pyproject.toml, for the processes that tests
        start too.
    busy : bool
        Beside processes that compute without end, one for each core.
    stranger : bool
        As another user, see `anywhere_stranger.stranger`.
    """

    name: str
    about: str
    environment: str = "random-order"
    paths: tuple[str, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    screen: str = "1600x1200"
    warnings: tuple[str, ...] = ()
    busy: bool = False
    stranger: bool = False


SETTINGS = (
    Setting(
        "avx2",
        "a laptop: no instructions beyond AVX2",
        variables={
            "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
            "ONEDNN_MAX_CPU_ISA": "AVX2",
            "OPENBLAS_CORETYPE": "Haswell",
            "OV_CPU_MAX_ISA": "AVX2",
        },
    ),
    Setting("one-core", "one core", before=("taskset", "-c", "0")),
    Setting("busy", "beside processes that take all cores", busy=True),
    *(
        Setting(f"busy-{number}", "the same", paths=(DOCKS, COMMANDS), busy=True)
        for number in (1, 2, 3)
    ),
    Setting(
        "stranger",
        "an ordinary user in another language, time zone and umask; umlauts and spaces in paths",
        warnings=("ignore::EncodingWarning", "error::EncodingWarning:napari_snow_unet"),
        stranger=True,
    ),
    Setting(
        "large-text",
        "everything 1.5 times as large, text of 14 points, a screen of 1280 x 720, light theme",
        paths=(DOCKS,),
        variables={
            "NAPARI_APPEARANCE_FONT_SIZE": "14",
            "NAPARI_APPEARANCE_THEME": "light",
            "QT_SCALE_FACTOR": "1.5",
        },
        screen="1280x720",
    ),
    Setting("pyside6", "PySide6 in place of PyQt6", "pyside6", paths=(DOCKS,)),
    Setting("python3.12", "Python 3.12", "python3.12"),
    Setting("python3.13", "Python 3.13", "python3.13"),
    Setting(
        "lowest",
        "the lowest versions that pyproject.toml admits",
        "lowest",
        warnings=(
            "ignore::DeprecationWarning",
            "ignore::PendingDeprecationWarning",
            "ignore::FutureWarning",
            "error::DeprecationWarning:napari_snow_unet",
        ),
    ),
)
#: Checks without tests: what each is, and the script beside this one that does it.
CHECKS = {
    "wheels": (
        "wheels for Python 3.14, ARM, Windows and Macs of all but TensorFlow",
        "check_wheels.py",
    ),
    "workflows": ("what of the workflows needs no host", "check_workflows.py"),
}


@dataclass
class Result:
    """What became of the tests in a setting."""

    setting: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    seed: int | None = None
    failures: list[str] = field(default_factory=list)


def run_setting(setting: Setting, build: Build) -> Result:
    """Run the tests in a setting."""
    seed = crc32(f"{build.commit} {setting.name}".encode()) % 10_000
    python = make_environment(setting.environment, build)
    with ExitStack() as stack:
        clone, identity, inside = build.clone, dict[str, Any](), list[str]()
        variables = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        variables |= ON_A_VIRTUAL_SCREEN | setting.variables
        variables["PYTHONWARNINGS"] = ",".join(setting.warnings)
        if setting.stranger:
            clone, own, identity = stack.enter_context(stranger(build))
            # not for xvfb-run, which cuts a path at its spaces
            inside = ["env", f"TMPDIR={own.pop('TMPDIR')}"]
            variables |= own
        if setting.busy:
            stack.enter_context(all_cores_taken())
        report = clone / "junit.xml"
        command = [
            *setting.before,
            # its own range of displays: two settings that begin at once do not take the same one
            *("xvfb-run", "--auto-servernum", f"--server-num={200 + 10 * SETTINGS.index(setting)}"),
            f"--server-args=-screen 0 {setting.screen}x24",
            *inside,
            *(str(python), "-m", "pytest", "-n", "2", "--dist", "loadfile"),
            *(f"--randomly-seed={seed}", f"--junitxml={report}"),
            *filters(setting, clone),
            *setting.paths,
        ]
        if missing := [word for word in (command[0], "xvfb-run") if not shutil.which(word)]:
            raise NotHereError(f"{missing[0]} was not found; make test installs what is needed")
        report.unlink(missing_ok=True)
        with (build.folder / f"{setting.name}.log").open("wb") as log:
            begun = time.monotonic()
            code = run_to_the_end(command, log, cwd=clone, env=variables, **identity)
            seconds = time.monotonic() - begun
        result = counted(setting.name, report)
    if code and not result.failed:
        result.failed = 1
        result.failures.append(f"pytest ended with {code}: see {setting.name}.log")
    result.seconds, result.seed = round(seconds, 1), seed
    return result


def run_to_the_end(command: list[str | Path], log: IO[bytes], **how: Any) -> int:
    """Run a command, and after Ctrl-C, which the command has had as well, wait until it is over."""
    process = subprocess.Popen(command, stdout=log, stderr=log, **how)
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()
        raise


def filters(setting: Setting, clone: Path) -> list[str]:
    """Return the option with which pytest takes further filters of warnings."""
    if not setting.warnings:
        return []
    config = tomllib.loads((clone / "pyproject.toml").read_text(encoding="utf-8"))
    known = config["tool"]["pytest"]["ini_options"]["filterwarnings"]
    return ["-o", "filterwarnings=" + "\n".join([*known, *setting.warnings])]


@contextmanager
def all_cores_taken() -> Iterator[None]:
    """Compute without end beside what is run, as long as this process lives."""
    burn = f"import os\nwhile os.getppid() == {os.getpid()}: pass"
    cores = range(os.cpu_count() or 1)
    burning = [subprocess.Popen([sys.executable, "-c", burn]) for _ in cores]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()


def counted(name: str, report: Path) -> Result:
    """Count what pytest says in its report; none is a failure too."""
    if not report.is_file():
        return Result(name, failed=1, failures=[f"no report: see {name}.log"])
    result = Result(name)
    for case in ET.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            result.failed += 1
            result.failures.append(f"{case.get('classname')}::{case.get('name')}")
        elif "skipped" in kinds:
            result.skipped += 1
        else:
            result.passed += 1
    return result


def run_check(name: str, build: Build) -> Result:
    """Run a check that is no test."""
    begun = time.monotonic()
    script = Path(__file__).with_name(CHECKS[name][1])
    with (build.folder / f"{name}.log").open("wb") as log:
        # uv installs what the script says that it needs
        command = [*UV, "run", "--python", sys.executable, "--script", script, build.clone]
        failed = int(run_to_the_end(command, log) != 0)
    failures = [f"see {name}.log"] * failed
    return Result(name, 1 - failed, failed, 0, round(time.monotonic() - begun, 1), None, failures)


def table(results: list[Result]) -> str:
    """Return the results in Markdown, with what has failed below."""
    about = {setting.name: setting.about for setting in SETTINGS}
    about |= {name: text for name, (text, _) in CHECKS.items()}
    lines = [
        "| setting | what it is | passed | failed | skipped | seconds | seed of the order |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for result in results:
        cells = [result.setting, about[result.setting], result.passed, result.failed]
        cells += [
            result.skipped,
            f"{result.seconds:.0f}",
            "" if result.seed is None else result.seed,
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    failures = [f"{result.setting}: {test}" for result in results for test in result.failures]
    return "\n".join([*lines, *failures])


def run_and_keep(name: str, build: Build) -> Iterator[str]:
    """Run a setting or a check and keep its result; yield why it could not be run."""
    print(f"{time.strftime('%H:%M:%S')} {name}", flush=True)
    known = {setting.name: setting for setting in SETTINGS}
    try:
        done = run_setting(known[name], build) if name in known else run_check(name, build)
    except (NotHereError, subprocess.CalledProcessError) as error:
        yield f"{name} was not run: {error}"
        return
    kept_at(name, build).write_text(json.dumps(asdict(done)), encoding="utf-8")
    print(f"  {done.passed} passed, {done.failed} failed, {done.seconds:.0f} s", flush=True)


def kept_at(name: str, build: Build) -> Path:
    """Return where the result of a setting is kept."""
    return build.folder / f"{name}.json"


def main() -> int:
    """Run what is asked for and has not been run on this commit, and print the table."""
    names = [*(setting.name for setting in SETTINGS), *CHECKS]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("settings", nargs="*", metavar="SETTING", help=", ".join(names))
    parser.add_argument("--again", action="store_true", help="also what has been run already")
    asked = parser.parse_args()
    if unknown := set(asked.settings) - set(names):
        parser.error(f"no setting {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    build = build_commit(ROOT, WORK)
    not_run: list[str] = []
    try:
        for name in names:
            wanted = not asked.settings or name in asked.settings
            if wanted and (asked.again or not kept_at(name, build).is_file()):
                not_run += run_and_keep(name, build)
    except KeyboardInterrupt:
        not_run.append("Interrupted: the same command goes on here.")
    kept = [path for name in names if (path := kept_at(name, build)).is_file()]
    results = [Result(**json.loads(path.read_text(encoding="utf-8"))) for path in kept]
    print(f"\nCommit {build.commit[:12]}\n\n{table(results)}", *not_run, sep="\n")
    return int(bool(not_run) or any(result.failed for result in results))


if __name__ == "__main__":
    sys.exit(main())
