"""Files in folders and in zip archives, opened in place, never unpacked."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, TypeAlias

from napari_snow_unet.base.errors import InputError
from napari_snow_unet.data.datasets.problems import Problem
from napari_snow_unet.data.names.file_names import is_junk
from napari_snow_unet.data.names.folder_names import is_ignored_folder
from napari_snow_unet.data.pairs.pairing import Listed

LARGEST_MEMBER = 1 << 29  # bytes, unpacked: no tile is larger, but a bomb is
DAMAGED = "is damaged in the archive"


@dataclass(frozen=True)
class Member:
    """An image or mask in a folder or an archive."""

    source: str  # path of the folder or archive
    path: str  # where it lies in there, with forward slashes
    size: int  # bytes, unpacked
    state: str  # size and checksum or time: with another state the content may be another
    offset: int = -1  # where it begins in its archive; -1 for a file in a folder
    packed: bool = False  # whether the archive holds it compressed
    # the files of a mask that comes in one for each nucleus; it is then their folder
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


@contextmanager
def open_member(member: Member) -> Iterator[BinaryIO]:
    """Open a member for reading forwards; InputError here, or where the reading meets damage."""
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
        raise _unreadable(member, f"{DAMAGED} ({error})") from error
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


def in_archive(path: Path, problems: list[Problem]) -> Iterator[Found]:
    """Go through the files of an archive; note what cannot be used."""
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
