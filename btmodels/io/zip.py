"""A zip in memory: its files, within limits that are checked before anything is unpacked."""

from __future__ import annotations

import io
import re
import zipfile

from btmodels.errors import DecodeError
from btmodels.filenames import plain_name, plain_path
from btmodels.io import limits
from btmodels.io.raster import LIBRARY_ERRORS, MAX_BYTES

MAX_FILES = 2_000
"""A patient has 20 to 88 slices and as many masks, a study of DICOM several hundred files."""

MAX_TOTAL = 400_000_000
"""Bytes of all files together, unpacked."""

MAX_RATIO = 200
"""Bytes unpacked for each packed one, of a zip of more than `FREE`: empty masks pack well, too."""

FREE = 20_000_000

_IS_UTF8 = 0x800
_OF_WINDOWS = ("thumbs.db", "desktop.ini")

_ERRORS = (*LIBRARY_ERRORS, zipfile.BadZipFile, zipfile.LargeZipFile)


def is_zip(data: bytes) -> bool:
    """Tell whether bytes start as a zip does."""
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


def unzip(data: bytes, name: str) -> tuple[tuple[str, bytes | str], ...]:
    """Unpack a zip.

    Args:
        data: The file.
        name: As the visitor knows it.

    Returns:
        Paths within the zip, folders parted by ``/``, none leading out of it, and what the files hold;
        of a member that is damaged, locked or too large a sentence instead. Of several at one path the
        last is taken, which would replace the others on a disk. What a system adds of its own
        (``__MACOSX``, names with a dot in front) is left out.

    Raises:
        DecodeError: It is damaged, or would unpack to more than is read.
    """
    name = plain_name(name)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as file:
            entries = [entry for entry in file.infolist() if not entry.is_dir()]
            wanted = {path: entry for entry in entries if (path := path_of(_spoken(entry)))}
            _check(list(wanted.values()), len(data), name)
            return tuple((path, _member(file, entry, path)) for path, entry in wanted.items())
    except _ERRORS as error:
        raise DecodeError(
            f"{name} is a zip that is cut off, damaged or packed in a rare way."
        ) from error


def _spoken(entry: zipfile.ZipInfo) -> str:
    """A member's name: programs write UTF-8 without the flag that says so, which reads as CP437."""
    if entry.flag_bits & _IS_UTF8:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _member(file: zipfile.ZipFile, entry: zipfile.ZipInfo, path: str) -> bytes | str:
    own = plain_name(path)
    if entry.flag_bits & 1:
        return f"{own} is locked with a password; unpack the zip first."
    if entry.file_size > MAX_BYTES:
        size = entry.file_size // 1_000_000
        return f"{own} has {size:,} MB; at most {MAX_BYTES // 1_000_000} MB are read."
    try:
        # `read` ends at the size that was announced and checked, whatever follows.
        return file.read(entry)
    except MemoryError:
        raise
    except _ERRORS:
        return f"{own} is damaged or packed in a rare way within its zip."


def path_of(name: str) -> str:
    """Return a path without tricks, "" of what no visitor put there.

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
