"""A user who owns nothing on this machine but a home with an awkward name."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from anywhere_environments import Build, Environment, NotHereError, find_python, is_for_all

LANGUAGE = "de_DE.UTF-8"
HOME = "Zoë Müller"


@contextmanager
def stranger(build: Build) -> Iterator[tuple[Path, dict[str, str], dict[str, Any]]]:
    """Make the home and a clone in it.

    Yields
    ------
    clone : Path
        The files of the commit, owned by the user.
    variables : dict of str to str
        What differs in the environment.
    identity : dict
        Keywords of `subprocess.run`: user, groups and umask. Without root's rights the user is the
        one who runs this.
    """
    home = build.folder / HOME
    shutil.rmtree(home, ignore_errors=True)
    clone, temporary = home / build.clone.name, home / "tmp"
    shutil.copytree(build.clone, clone, symlinks=True)
    temporary.mkdir()
    identity: dict[str, Any] = {"umask": 0o077}
    if os.getuid() == 0:
        if not is_for_all(find_python(Environment().python)):
            raise NotHereError("there is no Python that other users may run")
        nobody = pwd.getpwnam("nobody")
        subprocess.run(["chown", "-R", f"{nobody.pw_uid}:{nobody.pw_gid}", home], check=True)
        identity |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    variables = {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LC_ALL": LANGUAGE,
        "LOCPATH": str(_language(build.environments.parent / "locales")),
        "TZ": "Pacific/Auckland",
        "PYTHONWARNDEFAULTENCODING": "1",
    }
    try:
        yield clone, variables, identity
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _language(folder: Path) -> Path:
    """Compile the language into a folder, for systems that were installed without it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / LANGUAGE).is_dir():
        if not Path("/usr/share/i18n/locales/de_DE").is_file():
            raise NotHereError("the sources of locales are missing: apt-get install locales")
        subprocess.run(
            ["localedef", "-i", "de_DE", "-f", "UTF-8", str(folder / LANGUAGE)], check=True
        )
    return folder
