"""Read a zip in memory, within limits that are checked before anything is unpacked."""

from __future__ import annotations

import io
import re
import struct
import zipfile

from btmodels.errors import DecodeError
from btmodels.filenames import plain_name, plain_path
from btmodels.io import limits
from btmodels.io.limits import MAX_BYTES
from btmodels.io.raster import LIBRARY_ERRORS
from btmodels.io.zip_names import names_of

MAX_FILES = 2_000
"""A patient has 20 to 88 slices and as many masks; a DICOM study has several hundred files."""

MAX_TOTAL = 400_000_000
"""Maximum number of unpacked bytes of all files together."""

MAX_RATIO = 200
"""Maximum compression ratio of a zip with more than `FREE` unpacked bytes: empty masks compress well."""

FREE = 20_000_000

_IS_UTF8 = 0x800
_OF_WINDOWS = ("thumbs.db", "desktop.ini")

_ERRORS = (*LIBRARY_ERRORS, zipfile.BadZipFile, zipfile.LargeZipFile)


def is_zip(data: bytes) -> bool:
    """Return whether bytes start like a zip."""
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def unzip(data: bytes, name: str) -> tuple[tuple[str, bytes | str], ...]:
    """Unpack a zip.

    Args:
        data: The file.
        name: File name for messages.

    Returns:
        Paths in the zip, with ``/`` between folders and without ``..``, and the contents; a sentence
        instead of the content for a member that is damaged, locked or too large. Among several members
        with one path, the last is taken, as on a disk. System files (``__MACOSX``, names with a leading
        dot) are left out.

    Raises:
        DecodeError: It is damaged, or would unpack to more than is read.
    """
    name = plain_name(name)
    try:
        with _open(data) as file:
            entries = [entry for entry in file.infolist() if not entry.is_dir()]
            named = zip(names_of(entries), entries, strict=True)
            wanted = {path: entry for name, entry in named if (path := path_of(name))}
            _check(list(wanted.values()), len(data), name)
            return tuple((path, _member(file, entry, path)) for path, entry in wanted.items())
    except _ERRORS as error:
        raise DecodeError(
            f"{name} is a zip that is cut off, damaged or compressed in a rare way."
        ) from error


def _open(data: bytes) -> zipfile.ZipFile:
    """Open a zip. One name that is flagged as UTF-8 and is not makes `zipfile` refuse the whole zip, so
    such flags are cleared, in the central directory and before the member."""
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except UnicodeDecodeError:
        return zipfile.ZipFile(io.BytesIO(_without_false_flags(data)))


def _without_false_flags(data: bytes) -> bytes:
    # Structures of APPNOTE.TXT 6.3, sections 4.3.7, 4.3.12 and 4.3.16.
    mended = bytearray(data)
    try:
        (at,) = struct.unpack_from("<I", data, data.rindex(b"PK\x05\x06") + 16)
        while data[at : at + 4] == b"PK\x01\x02":
            flags, *lengths = struct.unpack_from("<8xH18xHHH", data, at)
            name = data[at + 46 : at + 46 + lengths[0]]
            if flags & _IS_UTF8 and name != name.decode("utf-8", "replace").encode():
                (member,) = struct.unpack_from("<I", data, at + 42)
                for place in (at + 8, member + 6):
                    struct.pack_into("<H", mended, place, flags & ~_IS_UTF8)
            at += 46 + sum(lengths)
    except (struct.error, ValueError) as error:
        raise zipfile.BadZipFile("no central directory") from error
    return bytes(mended)


def _member(file: zipfile.ZipFile, entry: zipfile.ZipInfo, path: str) -> bytes | str:
    own = plain_name(path)
    if entry.flag_bits & 1:
        return f"{own} is locked with a password; unpack the zip first."
    if entry.file_size > MAX_BYTES:
        size = entry.file_size // 1_000_000
        return f"{own} has {size:,} MB; at most {MAX_BYTES // 1_000_000} MB are read."
    try:
        # `read` stops at the declared size, which was checked.
        return file.read(entry)
    except MemoryError:
        raise
    except _ERRORS:
        return f"{own} is damaged or compressed in a rare way within its zip."


def path_of(name: str) -> str:
    """Return a member's path without ``..``; "" for system files.

    ``/etc/../x.tif`` gives ``etc/x.tif``: nothing is written, so a path only has to be readable.
    """
    parts = [part for part in re.split(r"[\\/]+", name) if part not in ("", ".", "..")]
    if any(part.startswith((".", "__MACOSX")) or part.lower() in _OF_WINDOWS for part in parts):
        return ""
    return plain_path(name) if parts else ""


def _check(entries: list[zipfile.ZipInfo], packed: int, name: str) -> None:
    if len(entries) > MAX_FILES:
        raise DecodeError(f"{name} holds {len(entries):,} files; at most {MAX_FILES:,} are read.")
    total = sum(e.file_size for e in entries if e.file_size <= MAX_BYTES)
    if total > MAX_TOTAL:
        raise DecodeError(
            f"{name} would take {total // 1_000_000:,} MB unpacked; at most "
            f"{MAX_TOTAL // 1_000_000} MB are read."
        )
    if total > FREE and total > MAX_RATIO * packed:
        raise DecodeError(
            f"{name} would grow {total // max(packed, 1):,} times larger when unpacked, as no slices do."
        )
    limits.announce(total)
