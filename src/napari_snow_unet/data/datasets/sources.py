"""Where datasets come from: folders and zip archives, which are read in place, never unpacked."""

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
from napari_snow_unet.data.datasets.members import (
    Found,
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


def combined_member(parts: Sequence[Member]) -> Member:
    """Make one member of the files of a mask, which changes when any of them does."""
    states = "".join(f"{part.path}:{part.state};" for part in parts)
    return Member(
        parts[0].source,
        parts[0].path.rpartition("/")[0],
        sum(part.size for part in parts),
        f"{len(parts)}-{hashlib.sha256(states.encode()).hexdigest()[:16]}",
        parts=tuple(parts),
    )


def pair_members(found: Sequence[Found]) -> Paired[Member]:
    """Match images with masks among the files of folders and archives."""
    access: Access[Member] = Access(
        label=lambda member: member.label,
        together=combined_member,
        is_picture=lambda member: is_picture(read_member(member)),
        holds_outlines=_holds_outlines,
        names_in=_images_outlined_in,
        why_foreign=_why_foreign,
    )
    return pair_up(found, access)


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
    """Return the names of the images that a file of outlines names; empty for any other file."""
    try:
        return images_named_in(read_member(member))
    except InputError:
        return []


def find_members(
    sources: Sequence[str | os.PathLike[str]], leave_out: Path
) -> Generator[Progress, None, tuple[list[Found], list[Problem]]]:
    """List the files of folders and archives, also of archives in folders, and what cannot be used.

    Hidden files, `leave_out`, and folders without images and masks, such as overlays, are left out.
    """
    found: list[Found] = []
    problems: list[Problem] = []
    paths = [_checked(source, leave_out) for source in sources]
    known: set[Path] = set()
    for done, path in enumerate(paths):
        yield Progress(done, len(paths), f"looking into {path.name}")
        files = _files(path, leave_out.resolve()) if path.is_dir() else [(path, path.resolve())]
        for file, itself in files:
            if itself in known:
                continue
            known.add(itself)
            if file.suffix.lower() == _ARCHIVE_SUFFIX:
                found += in_archive(file, problems)
            else:
                found += _in_folder(path, file, problems)
    return found, problems


def _checked(source: str | os.PathLike[str], leave_out: Path) -> Path:
    path = Path(os.path.abspath(source))  # noqa: PTH100 (resolve() would follow links)
    expected, remedy = "a folder or a zip archive", "Check the spelling."
    if not path.exists():
        raise InputError("there is no such file", expected=expected, remedy=remedy, path=path)
    if path.is_dir() and path.resolve() == leave_out.resolve():
        remedy = "Choose another folder for the dataset."
        raise InputError(
            "it is the source and the target at once", expected=expected, remedy=remedy, path=path
        )
    if path.is_file() and path.suffix.lower() != _ARCHIVE_SUFFIX:
        remedy = "Name the folder that the file lies in, or the archive."
        raise InputError("a single file", expected=expected, remedy=remedy, path=path)
    return path


def _files(folder: Path, leave_out: Path) -> Iterator[tuple[Path, Path]]:
    """Go through the files of a folder, each with its path when links are followed."""
    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        here, itself = Path(place), Path(place).resolve()
        if itself in seen or itself == leave_out:
            folders.clear()
            continue
        seen.add(itself)
        folders[:] = sorted(name for name in folders if not is_ignored_folder(name, folders))
        yield from ((here / name, itself / name) for name in sorted(names))


def _in_folder(root: Path, file: Path, problems: list[Problem]) -> Iterator[Found]:
    inner = file.relative_to(root)
    if not is_junk(file.name):
        try:
            status = file.stat()
        except OSError:
            if file.is_symlink() and suffix_of(file.name) in IMAGE_SUFFIXES | LABEL_SUFFIXES:
                why = "it is a link to nowhere. Restore what it points to."
                problems.append(Problem(f"{root.name}/{inner.as_posix()}", why))
            return
        state = f"{status.st_size}-{status.st_mtime_ns:x}"
        member = Member(str(root), inner.as_posix(), status.st_size, state)
        yield member, str(root), inner.parts[:-1]
