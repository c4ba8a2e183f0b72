"""Names of a zip's members that are not UTF-8: which of the encodings of Windows were they written in?"""

from __future__ import annotations

import re
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence

_UNICODE_PATH = 0x7075
"""ID of the extra field that holds a member's name in UTF-8 (APPNOTE.TXT 6.3, section 4.6.9)."""

_ENCODINGS = {
    "cp437": ("LATIN",),
    "cp866": ("CYRILLIC",),
    "cp932": ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"),
    "gb2312": ("CJK",),
}
"""For each encoding, the scripts of its letters, in the order in which they are tried: text in one of them
is hardly ever plausible in an earlier one."""

_MOST_ACCENTS = 2
"""Maximum number of letters with accents in a row: "öß" occurs, while Russian read as Latin has more."""

_SIGNS = "°№"
"""Signs other than letters that names have in CP437 and CP866."""

_SOME = 200
"""Number of names that decide on the encoding."""


def names_of(entries: Sequence[zipfile.ZipInfo]) -> list[str]:
    """Return the names of members, in UTF-8 if they say so, in CP437 as the standard wants it, or in the
    first of `_ENCODINGS` in which the names of all members are plausible."""
    known = [_stated(entry) for entry in entries]
    raw = [_raw(entry) for entry, name in zip(entries, known, strict=True) if name is None]
    encoding = next(
        (each for each in _ENCODINGS if all(_fits(name, each) for name in raw[:_SOME])), "cp437"
    )
    rest = iter(name.decode(encoding, "replace") for name in raw)
    return [next(rest) if name is None else name for name in known]


def _raw(entry: zipfile.ZipInfo) -> bytes:
    return entry.orig_filename.encode("cp437").split(b"\0")[0]


def _stated(entry: zipfile.ZipInfo) -> str | None:
    """Return a member's name if its encoding is known; else None."""
    if entry.flag_bits & 0x800:
        return entry.filename
    raw = _raw(entry)
    if (stated := _unicode_path(entry.extra, raw)) is not None:
        return stated
    try:
        return raw.decode("utf-8")  # some programs write it without the flag
    except UnicodeError:
        return None


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind == _UNICODE_PATH and field[:5] == struct.pack("<BI", 1, zlib.crc32(raw)):
            return field[5:].decode("utf-8", "replace")
    return None


def _fits(raw: bytes, encoding: str) -> bool:
    """Return whether a name is plausible in an encoding: no symbols, words of one script and one case."""
    try:
        text = raw.decode(encoding)
    except UnicodeError:
        return False
    if any(not char.isascii() and not _is_of(char, _ENCODINGS[encoding]) for char in text):
        return False
    if encoding not in ("cp437", "cp866"):
        return True
    words = [word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()]
    cased = all(word[1:].islower() or word.isupper() or len(word) == 1 for word in words)
    if encoding == "cp866":
        return cased and all(not char.isascii() for word in words for char in word)
    return cased and not re.search(rf"[^\x00-\x7f]{{{_MOST_ACCENTS + 1}}}", text)


def _is_of(char: str, scripts: tuple[str, ...]) -> bool:
    # Katakana of half width are what other encodings look like in Shift-JIS.
    name = unicodedata.name(char, "")
    if "CJK" in scripts and (name.startswith("FULLWIDTH") or unicodedata.category(char)[0] == "P"):
        return True
    return char in _SIGNS or char.isalpha() and name.split(" ")[0] in scripts
