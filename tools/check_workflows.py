# /// script
# dependencies = ["pyyaml"]
# ///
"""Run the steps of the workflows that need no host: those of linting and of building a release."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

TAG = "GITHUB_REF_NAME"
#: Jobs and the variables that their host would set. The tests are run in the settings themselves.
JOBS = {"tests.yml": {"lint": {}}, "release.yml": {"build": {TAG: "v{}"}}}


def steps(repository: Path, file: str, job: str) -> list[str]:
    """Return the commands of a job."""
    path = repository / ".github" / "workflows" / file
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return [step["run"] for step in jobs[job]["steps"] if "run" in step]


def run(command: str, repository: Path, variables: dict[str, str]) -> int:
    """Run a command as the host does."""
    print(f"$ {command}", flush=True)
    shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
    return subprocess.run(shell, cwd=repository, env=os.environ | variables).returncode


def version(repository: Path) -> str:
    """Return the version of the package."""
    ask = [sys.executable, "-c", "import napari_snow_unet as p; print(p.__version__)"]
    own = os.environ | {"PYTHONPATH": str(repository / "src")}
    return subprocess.run(ask, env=own, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    """See that the release refuses the tag of another version, and run the jobs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        repository = shutil.copytree(asked.repository, Path(folder, "repository"))
        subprocess.run([sys.executable, "-m", "venv", Path(folder, "python")], check=True)
        path = {"PATH": f"{folder}/python/bin{os.pathsep}{os.environ['PATH']}"}
        comparisons = [step for step in steps(repository, "release.yml", "build") if TAG in step]
        if not comparisons or not run(comparisons[0], repository, path | {TAG: "v0.0.0"}):
            print("The release takes the tag of another version.")
            return 1
        for file, jobs in JOBS.items():
            for job, given in jobs.items():
                variables = {key: text.format(version(repository)) for key, text in given.items()}
                for command in steps(repository, file, job):
                    if code := run(command, repository, path | variables):
                        print(f"{file}, {job}: this step ended with {code}.")
                        return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
