"""Files in folders and in zip archives, which are never unpacked to disk."""

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
from napari_snow_unet.data.datasets import messages
from napari_snow_unet.data.datasets.problems import Problem
from napari_snow_unet.data.names.file_names import is_junk
from napari_snow_unet.data.names.folder_names import is_ignored_folder
from napari_snow_unet.data.pairs.pairing import Listed

LARGEST_MEMBER = 1 << 29  # bytes, unpacked: larger files are zip bombs, not tiles


@dataclass(frozen=True)
class Member:
    """An image or mask in a folder or an archive."""

    source: str  # path of the folder or archive
    path: str  # path in it, with forward slashes
    size: int  # bytes, unpacked
    state: str  # size and checksum or time, which differ when the content does
    offset: int = -1  # in its archive; -1 for a file in a folder
    packed: bool = False  # whether it is compressed in its archive
    # one file per nucleus, if the mask is a folder of them
    files: tuple[Member, ...] = ()

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]

    @property
    def label(self) -> str:
        """Its name in tables: the name of the source, then the path in it."""
        return f"{Path(self.source).name}/{self.path}"


ListedMember: TypeAlias = Listed[Member]


class NamedBytes(BytesIO):
    """The content of a file, with its name."""

    def __init__(self, content: bytes, name: str) -> None:
        super().__init__(content)
        self.name = name


@contextmanager
def open_member(member: Member) -> Iterator[BinaryIO]:
    """Open a member for reading forwards; InputError if it is missing or damaged."""
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
        raise InputError(messages.DAMAGED_IN_ARCHIVE, path=member.label) from error
    except (NotImplementedError, RuntimeError, KeyError) as error:
        raise InputError(messages.not_unpacked(str(error)), path=member.label) from error
    except OSError as error:
        reason = str(error.strerror or error)
        raise InputError(messages.not_read(reason), path=member.label) from error


def read_member(member: Member) -> NamedBytes:
    """Read a whole member; in archives its checksum is verified."""
    with open_member(member) as stream:
        # Limited to its stated size: otherwise zipfile unpacks everything and truncates it later.
        content = stream.read(member.size + 1) if member.offset >= 0 else stream.read()
        return NamedBytes(content, member.name)


def _packed(member: Member) -> IO[bytes]:
    try:
        archive, infos = _archive(member.source)
        return archive.open(infos[member.offset])
    except (ValueError, OverflowError, struct.error) as error:  # which zipfile lets through
        raise zipfile.BadZipFile(str(error)) from error


def close_archives() -> None:
    """Close the archives that `open_member` has opened in this process."""
    _archive.cache_clear()


@lru_cache(maxsize=16)
def _archive(path: str) -> tuple[zipfile.ZipFile, dict[int, zipfile.ZipInfo]]:
    archive = zipfile.ZipFile(path)
    return archive, {info.header_offset: info for info in archive.infolist()}


def in_archive(path: Path, problems: list[Problem]) -> Iterator[ListedMember]:
    """Yield the files of an archive; add those that cannot be used to `problems`."""
    try:
        with zipfile.ZipFile(path) as archive:
            infos = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error) as error:
        problems.append(Problem(path.name, messages.archive_not_opened(str(error))))
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
    """Return the ignored folders of an archive and all folders in them."""
    files = {_parts(info.filename.replace("\\", "/"))[:-1] for info in infos}
    folders = {place[:depth] for place in files for depth in range(1, len(place) + 1)}
    inside: dict[tuple[str, ...], list[str]] = {}
    for *outer, name in folders:
        inside.setdefault(tuple(outer), []).append(name)
    bad = {place for place in folders if is_ignored_folder(place[-1], inside[place[:-1]])}
    return {place for place in files if any(place[: n + 1] in bad for n in range(len(place)))}


def _danger(info: zipfile.ZipInfo, inner: str) -> str:
    """Return why a member must not be read; empty if it may."""
    path = PurePosixPath(inner)
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        return messages.OUTSIDE_ARCHIVE
    if stat.S_ISLNK(info.external_attr >> 16):
        return messages.LINK_IN_ARCHIVE
    if info.flag_bits & 0x1:
        return messages.ENCRYPTED
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return messages.UNKNOWN_COMPRESSION
    if info.file_size > LARGEST_MEMBER:
        return messages.too_large_in_archive(info.file_size)
    return ""
