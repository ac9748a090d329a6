"""Where datasets come from: folders and zip archives, which are read in place, never unpacked."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, TypeAlias

from napari_snow_unet.data.annotation_files import holds_outlines, images_named_in
from napari_snow_unet.data.annotation_text import first_bytes
from napari_snow_unet.data.files import InputError
from napari_snow_unet.data.foreign_annotations import why_foreign
from napari_snow_unet.data.image_header import is_picture
from napari_snow_unet.data.matching import Access
from napari_snow_unet.data.naming import (
    IMAGE_SUFFIXES,
    LABEL_SUFFIXES,
    is_ignored_folder,
    is_junk,
    suffix_of,
)
from napari_snow_unet.data.pairing import Listed, Paired, pair_up
from napari_snow_unet.data.problems import Problem
from napari_snow_unet.data.progress import Progress

LARGEST_MEMBER = 1 << 29  # bytes, unpacked: no tile is larger, but a bomb is
_ARCHIVE_SUFFIX = ".zip"


@dataclass(frozen=True)
class Member:
    """An image or mask in a folder or an archive.

    Attributes
    ----------
    source : str
        Path of the folder or archive.
    path : str
        Where it lies in there, with forward slashes.
    size : int
        Bytes, unpacked.
    state : str
        Size, and checksum or time: another state means that the content may be another.
    offset : int
        Where it begins in its archive; -1 for a file in a folder.
    packed : bool
        Whether the archive holds it compressed.
    parts : tuple of Member
        The files of a mask that comes in one for each nucleus; the member is then their folder.
    """

    source: str
    path: str
    size: int
    state: str
    offset: int = -1
    packed: bool = False
    parts: tuple[Member, ...] = ()

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]

    @property
    def label(self) -> str:
        """What it is called in tables: the source's own name, then the path in it."""
        return f"{Path(self.source).name}/{self.path}"


Found: TypeAlias = Listed[Member]


class NamedBytes(BytesIO):
    """The content of a file, with the file's name."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


def together(parts: Sequence[Member]) -> Member:
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
        together=together,
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
    """List the files of folders and archives; archives in folders are opened too.

    Parameters
    ----------
    sources : sequence of path-like
        Folders and zip archives.
    leave_out : Path
        A folder that is passed over where it lies within a source.

    Yields
    ------
    Progress
        Before every source.

    Returns
    -------
    members : list of tuple
        Members, each with its source and the folders in it. Hidden files and what lies in folders
        without images and masks, such as overlays, are left out.
    problems : list of Problem
        Archives that cannot be opened, and what is dangerous or useless in the others.

    Raises
    ------
    InputError
        If a source does not exist or is neither folder nor zip archive.
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
                found += _in_archive(file, problems)
            else:
                found += _in_folder(path, file, problems)
    return found, problems


@contextmanager
def open_member(member: Member) -> Iterator[BinaryIO]:
    """Open a member for reading forwards.

    Raises
    ------
    InputError
        If it is missing, damaged, encrypted, or packed by an unknown method; here or, for damage
        further on, while the block reads it.
    """
    try:
        if member.offset < 0:
            with Path(member.source, member.path).open("rb") as stream:
                yield stream
        else:
            with _packed(member) as packed:
                yield packed  # type: ignore[misc]
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _unreadable(member, f"is damaged in the archive ({error})") from error
    except (NotImplementedError, RuntimeError, KeyError) as error:
        raise _unreadable(member, f"cannot be taken out of the archive ({error})") from error
    except OSError as error:
        raise _unreadable(member, f"cannot be read ({error.strerror or error})") from error


def read_member(member: Member) -> NamedBytes:
    """Read a member as a whole, its checksum checked if it comes from an archive."""
    with open_member(member) as stream:
        # No more than it claims: without a size zipfile unpacks first and cuts off afterwards.
        content = stream.read(member.size + 1) if member.offset >= 0 else stream.read()
        return NamedBytes(content, member.name)


def _packed(member: Member) -> IO[bytes]:
    try:
        archive, infos = _archive(member.source)
        return archive.open(infos[member.offset])
    except (ValueError, OverflowError, struct.error) as error:  # what zipfile does not foresee
        raise zipfile.BadZipFile(str(error)) from error


def close_archives() -> None:
    """Close the archives that `open_member` has opened in this process."""
    _archive.cache_clear()


@lru_cache(maxsize=16)
def _archive(path: str) -> tuple[zipfile.ZipFile, dict[int, zipfile.ZipInfo]]:
    archive = zipfile.ZipFile(path)
    return archive, {info.header_offset: info for info in archive.infolist()}


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


def _in_archive(path: Path, problems: list[Problem]) -> Iterator[Found]:
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        problems.append(
            Problem(path.name, f"the archive cannot be opened ({error}). Download it again.")
        )
        return
    ignored = _ignored_folders(infos)
    for info in infos:
        inner = info.filename.replace("\\", "/")
        parts = _parts(inner)
        if not parts or info.is_dir() or is_junk(parts[-1]) or parts[:-1] in ignored:
            continue
        member = Member(
            str(path),
            inner,
            info.file_size,
            f"{info.file_size}-{info.CRC:08x}",
            info.header_offset,
            packed=info.compress_type != zipfile.ZIP_STORED,
        )
        if danger := _danger(info, inner):
            problems.append(Problem(member.label, danger))
        else:
            yield member, str(path), parts[:-1]


def _parts(inner: str) -> tuple[str, ...]:
    return tuple(part for part in inner.split("/") if part not in ("", ".", ".."))


def _ignored_folders(infos: Sequence[zipfile.ZipInfo]) -> set[tuple[str, ...]]:
    """Return the folders of an archive that are passed over, or lie in one that is."""
    files = {_parts(info.filename.replace("\\", "/"))[:-1] for info in infos}
    folders = {place[:depth] for place in files for depth in range(1, len(place) + 1)}
    inside: dict[tuple[str, ...], list[str]] = {}
    for *outer, name in folders:
        inside.setdefault(tuple(outer), []).append(name)
    bad = {place for place in folders if is_ignored_folder(place[-1], inside[place[:-1]])}
    return {place for place in files if any(place[: n + 1] in bad for n in range(len(place)))}


def _danger(info: zipfile.ZipInfo, inner: str) -> str:
    """Return why a member is not to be read; empty if it is."""
    path = PurePosixPath(inner)
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return "its path leads out of the archive; it is left alone."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "it is a link, not a file; it is left alone."
    if info.flag_bits & 0x1:
        return "it is encrypted. Unpack the archive with its password, and name the folder."
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "it is packed by an unusual method. Unpack the archive, and name the folder."
    if info.file_size > LARGEST_MEMBER:
        return f"it claims {info.file_size:,} bytes, more than a tile has; it is left alone."
    return ""


def _unreadable(member: Member, what: str) -> InputError:
    remedy = "Download or copy it again." if member.offset >= 0 else "Check the file."
    return InputError(
        f"it {what}", expected="an image or mask that can be read", remedy=remedy, path=member.label
    )
