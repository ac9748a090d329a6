"""Sources of datasets: folders and zip archives, which are read in place."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.base.progress import Progress
from napari_snow_unet.data.annotations.annotation_files import holds_outlines, images_named_in
from napari_snow_unet.data.annotations.file_text import first_bytes
from napari_snow_unet.data.annotations.unsupported import why_foreign
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.members import (
    ListedMember,
    Member,
    in_archive,
    open_member,
    read_member,
)
from napari_snow_unet.data.datasets.problems import Problem
from napari_snow_unet.data.names.file_names import (
    IMAGE_SUFFIXES,
    LABEL_SUFFIXES,
    is_junk,
    suffix_of,
)
from napari_snow_unet.data.names.folder_names import is_ignored_folder
from napari_snow_unet.data.pairs.entries import Access
from napari_snow_unet.data.pairs.pairing import Paired, pair_up
from napari_snow_unet.data.pixels.images import is_picture

_ARCHIVE_SUFFIX = ".zip"


def combined_member(files: Sequence[Member]) -> Member:
    """Combine the files of a mask to one member, whose state changes with any of them."""
    states = "".join(f"{file.path}:{file.state};" for file in files)
    return Member(
        files[0].source,
        files[0].path.rpartition("/")[0],
        sum(file.size for file in files),
        f"{len(files)}-{hashlib.sha256(states.encode()).hexdigest()[:16]}",
        files=tuple(files),
    )


def pair_members(members: Sequence[ListedMember]) -> Paired[Member]:
    """Match images with masks among the files of folders and archives."""
    access: Access[Member] = Access(
        label=lambda member: member.label,
        together=combined_member,
        is_picture=lambda member: is_picture(read_member(member)),
        holds_outlines=_holds_outlines,
        names_in=_images_outlined_in,
        why_foreign=_why_foreign,
    )
    return pair_up(members, access)


def _holds_outlines(member: Member) -> bool:
    try:
        with open_member(member) as stream:
            return holds_outlines(member.name, first_bytes(stream))
    except InputError:
        return False


def _why_foreign(member: Member) -> str:
    try:
        with open_member(member) as stream:
            return why_foreign(first_bytes(stream))
    except (InputError, ValueError):
        return ""


def _images_outlined_in(member: Member) -> list[str]:
    """Return the images that a file of outlines names; empty for any other file."""
    try:
        return images_named_in(read_member(member))
    except InputError:
        return []


def find_members(
    sources: Sequence[str | os.PathLike[str]], leave_out: Path
) -> Generator[Progress, None, tuple[list[ListedMember], list[Problem]]]:
    """List the files of folders and archives, also of archives in folders, and the problems.

    Hidden files, `leave_out` and folders of other files, such as overlays, are skipped.
    """
    members: list[ListedMember] = []
    problems: list[Problem] = []
    paths = [_checked(source, leave_out) for source in sources]
    seen: set[Path] = set()
    for done, path in enumerate(paths):
        yield Progress(done, len(paths), messages.listing_source(path.name))
        files = _files(path, leave_out.resolve()) if path.is_dir() else [(path, path.resolve())]
        for file, itself in files:
            if itself in seen:
                continue
            seen.add(itself)
            if file.suffix.lower() == _ARCHIVE_SUFFIX:
                members += in_archive(file, problems)
            else:
                members += _in_folder(path, file, problems)
    return members, problems


def _checked(source: str | os.PathLike[str], leave_out: Path) -> Path:
    path = Path(os.path.abspath(source))  # noqa: PTH100 (resolve() would follow links)
    if not path.exists():
        raise InputError(messages.NO_SOURCE, path=path)
    if path.is_dir() and path.resolve() == leave_out.resolve():
        raise InputError(messages.SOURCE_IS_TARGET, path=path)
    if path.is_file() and path.suffix.lower() != _ARCHIVE_SUFFIX:
        raise InputError(messages.SINGLE_FILE, path=path)
    return path


def _files(folder: Path, leave_out: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the files of a folder, each with its resolved path."""
    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        here, itself = Path(place), Path(place).resolve()
        if itself in seen or itself == leave_out:
            folders.clear()
            continue
        seen.add(itself)
        folders[:] = sorted(name for name in folders if not is_ignored_folder(name, folders))
        yield from ((here / name, itself / name) for name in sorted(names))


def _in_folder(root: Path, file: Path, problems: list[Problem]) -> Iterator[ListedMember]:
    inner = file.relative_to(root)
    if not is_junk(file.name):
        try:
            status = file.stat()
        except OSError:
            if file.is_symlink() and suffix_of(file.name) in IMAGE_SUFFIXES | LABEL_SUFFIXES:
                name = f"{root.name}/{inner.as_posix()}"
                problems.append(Problem(name, messages.DEAD_LINK))
            return
        state = f"{status.st_size}-{status.st_mtime_ns:x}"
        member = Member(str(root), inner.as_posix(), status.st_size, state)
        yield member, str(root), inner.parts[:-1]
