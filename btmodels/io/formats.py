"""File formats: what can be read, and what a file is by its first bytes."""

from __future__ import annotations

SUFFIXES = {
    "TIFF": (".tif", ".tiff"),
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
}
"""Endings of the formats that are read, by Pillow's name of the format."""

_STARTS = {
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"BM": "BMP",
}

_OTHERS = {
    b"PK": "a zip archive",
    b"\x1f\x8b": "a gzip file",
    b"GIF8": "a GIF",
    b"%PDF": "a PDF",
    b"\x89HDF": "an HDF5 file",
    b"<": "a text file",
}

_VOLUMES = ("a DICOM file", "a NIfTI file")


def _kind_of(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for start, kind in _STARTS.items() if data.startswith(start)), None)


def _what_else(data: bytes) -> str:
    if data[128:132] == b"DICM":
        return "a DICOM file"
    if data[344:347] in (b"n+1", b"ni1"):
        return "a NIfTI file"
    if data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"avif"):
        return "a HEIC or AVIF picture, as telephones store them"
    return next((what for start, what in _OTHERS.items() if data.startswith(start)), "no image")


KNOWN = tuple(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
"""Endings of pictures that are looked for in folders; a file that is named is read whatever its ending."""

VOLUMES = (".dcm", ".ima", ".nii", ".nii.gz", ".zip")
"""Endings of what holds more than a picture; a DICOM file is found without one, too."""
