"""Look the installed packages up in the databases of known flaws, and say what was found.

Ends with 1 where a package has a known flaw, and with 2 where packages could not be looked up, as
without a network: pip-audit alone would call that a success. This package itself, which no index
may know yet, is left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

OWN = "napari-snow-unet"
OPTIONS = ["--local", "--progress-spinner", "off", "--format", "json"]
MOST_NAMES = 5


def main() -> int:
    """Print known flaws; return the exit status."""
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    command = [sys.executable, "-m", "pip_audit", *OPTIONS]
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        sys.exit(done.stderr)
    packages = [
        package for package in json.loads(done.stdout)["dependencies"] if package["name"] != OWN
    ]
    flaws = [(package, flaw) for package in packages for flaw in package.get("vulns", [])]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    for package, flaw in flaws:
        mended = ", ".join(flaw["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {flaw['id']}, mended in {mended}")
    looked_up = len(packages) - len(unknown)
    print(f"{looked_up} of {len(packages)} packages looked up, {len(flaws)} known flaws.")
    if unknown:
        more = f" and {len(unknown) - MOST_NAMES} more" if len(unknown) > MOST_NAMES else ""
        print(f"Not looked up: {', '.join(unknown[:MOST_NAMES])}{more}.")
    return 1 if flaws else 2 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
