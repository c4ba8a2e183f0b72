"""File formats: the supported ones, and recognition of a format by a file's first bytes."""

from __future__ import annotations

import re

from btmodels.filenames import plain_name

SUFFIXES = {
    "TIFF": (".tif", ".tiff"),
    "PNG": (".png",),
    "JPEG": (".jpg", ".jpeg"),
    "WEBP": (".webp",),
    "BMP": (".bmp",),
}
"""File endings of supported formats, by Pillow's name of the format."""

_STARTS = {
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"BM": "BMP",
}

_UNREAD = {
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 picture",
    b"\xff\x4f\xff\x51": "a JPEG 2000 picture",
    b"GIF8": "a GIF",
    b"NRRD000": "an NRRD volume",
    b"CDF\x01": "a MINC volume",
    b"CDF\x02": "a MINC volume",
    b"\x89HDF": "an HDF5 file, as MINC and MATLAB write them",
    b"\xff\x0a": "a JPEG XL picture",
    b"\0\0\0\x0cJXL ": "a JPEG XL picture",
    b"II\xbc\x01": "a JPEG XR picture",
    b"8BPS": "a Photoshop picture",
    b"qoif": "a QOI picture",
}
"""First bytes of known pictures and volumes that are not supported."""

_OTHERS = {
    b"PK": "a zip archive",
    b"\x1f\x8b": "a gzip file",
    b"Rar!": "a RAR archive; unpack it first",
    b"7z\xbc\xaf": "a 7z archive; unpack it first",
    b"\x28\xb5\x2f\xfd": "compressed with Zstandard; unpack it first",
    b"BZh": "compressed with bzip2; unpack it first",
    b"\xfd7zXZ": "compressed with xz; unpack it first",
    b"%PDF": "a PDF",
    b"%!PS": "a PostScript file",
    b"\0\0\1\0": "an icon of Windows",
    b"icns": "an icon of macOS",
    b"DDS ": "a DDS texture",
    b"SIMPLE  =": "a FITS picture",
    b"\x93NUMPY": "an array of NumPy",
    b"MATLAB 5": "a file of MATLAB",
    b"<": "a text file",
}

_VOLUMES = ("a DICOM file", "a NIfTI file")
_BRANDS = re.compile(rb"avif|avis|he[iv][cfmsx]|m[is]f1|avc[is]|MiHE")
_META_IMAGE = re.compile(rb"(?m)^(?:ObjectType|NDims|ElementDataFile) *=")
_PHILIPS = b"DATA DESCRIPTION FILE"
_NETPBM = re.compile(rb"P[1-7]\s+(?:\d|#|WIDTH)")
_MGH = (b"\0\0\0\1", "a FreeSurfer volume (MGH or MGZ)")


def _kind_of(data: bytes) -> str | None:
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    return next((kind for start, kind in _STARTS.items() if data.startswith(start)), None)


def unread_image(data: bytes) -> str:
    """Return the name of an unsupported picture or volume format by a file's first bytes; "" for others."""
    if _NETPBM.match(data):
        return "a Netpbm picture (PBM, PGM or PPM)"
    if _META_IMAGE.search(data[:400]):
        return "a MetaImage (MHA or MHD)"
    if data[4:8] == b"ftyp" and _BRANDS.match(data[8:12]):
        return f"a HEIC or AVIF picture ({data[8:12].decode()}), as phones save them"
    if _PHILIPS in data[:400]:
        return "the header of a Philips volume in two files (PAR and REC)"
    if data[:4] == _MGH[0] and len(data) > 284 and data[20:24] in _MGH_TYPES:
        return _MGH[1]
    return next((what for start, what in _UNREAD.items() if data.startswith(start)), "")


def starts_as_known(data: bytes) -> bool:
    """Return whether a file starts as a picture or a volume, supported or not, other than DICOM."""
    if _kind_of(data) or unread_image(data) or data[:4] in _ANALYZE:
        return True
    return data[344:347] in (b"n+1", b"ni1") or data[4:7] in (b"n+2", b"ni2")


_ANALYZE = (348).to_bytes(4, "little"), (348).to_bytes(4, "big")
_MGH_TYPES = tuple(bytes([0, 0, 0, kind]) for kind in (0, 1, 3, 4, 10))


def _what_else(data: bytes) -> str:
    if data[128:132] == b"DICM":
        return "a DICOM file"
    if data[344:347] in (b"n+1", b"ni1"):
        return "a NIfTI file"
    if data[4:8] == b"ftyp":
        return "a video, or a camera's own photograph"
    if data[257:262] == b"ustar":
        return "a tar archive; unpack it first"
    return next((what for start, what in _OTHERS.items() if data.startswith(start)), "no image")


KNOWN = tuple(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
"""Endings of pictures that are searched for in folders; a file given by path may have any ending."""

VOLUMES = (".dcm", ".ima", ".nii", ".nii.gz", ".zip")
"""Endings of files with more than a picture; DICOM files are also found without an ending."""


def stem_of_volume(name: str) -> str:
    """Return a volume's name without ``.nii``, ``.nii.gz`` and dots, so that a number can follow it."""
    stem = plain_name(name)
    for ending in (".gz", ".nii"):
        if stem.lower().endswith(ending) and len(stem) > len(ending):
            stem = stem[: -len(ending)]
    return stem.replace(".", "_")
