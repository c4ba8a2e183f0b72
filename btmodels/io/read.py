"""Read one file of any supported format, whatever its ending: pictures, DICOM, NIfTI, zip."""

from __future__ import annotations

from btmodels.errors import DecodeError, FormatError
from btmodels.filenames import plain_name
from btmodels.io.dicom.file import DicomFile
from btmodels.io.dicom.preamble import is_dicom
from btmodels.io.formats import unread_image
from btmodels.io.image import decode
from btmodels.io.limits import check_bytes
from btmodels.io.raster import EXPECTED
from btmodels.io.scan import Scan
from btmodels.io.zip import is_zip, unzip
from btmodels.slices import Slice

Members = tuple[tuple[str, bytes | str], ...]
"""Paths in a zip and their contents; a sentence instead of a content that cannot be unpacked."""

Content = Slice | DicomFile | tuple[Scan, ...]

_GZIP = b"\x1f\x8b"
_ANALYZE = (348).to_bytes(4, "little"), (348).to_bytes(4, "big")


def is_gzip(data: bytes) -> bool:
    """Return whether bytes start like a gzip file."""
    return data[:2] == _GZIP


def read_file(data: bytes, name: str) -> Content:
    """Read a picture, a DICOM file or a NIfTI volume; the latter two may be compressed with gzip.

    Args:
        data: The file.
        name: File name for messages.

    Raises:
        DecodeError: It is none of them, damaged, or too large.
    """
    # These modules are slow to import, and most files are pictures.
    from btmodels.io.dicom.read import read_dicom
    from btmodels.io.nifti import gunzip, is_nifti, read_nifti

    name = plain_name(name)
    check_bytes(name, len(data))
    inner = gunzip(data, name) if is_gzip(data) else data
    if is_nifti(inner):
        return read_nifti(inner, name)
    if is_dicom(inner):
        return read_dicom(inner, name)
    if inner[:4] in _ANALYZE and len(inner) == 348:
        raise FormatError(
            f"{name} is the header of an Analyze volume in two files; save it as one .nii file."
        )
    if is_zip(inner):
        raise DecodeError(
            f"{name} is a zip within another file; unpack it first. Otherwise, {EXPECTED}."
        )
    if what := unread_image(inner):
        raise FormatError(f"{name} is {what}, which is not supported; {EXPECTED}.")
    return decode(inner, name)


def prepare() -> None:
    """Import the modules that `read_file` may need, so that no file has to wait for them."""
    import btmodels.io.dicom.read
    import btmodels.io.dicom.series
    import btmodels.io.nifti  # noqa: F401


def open_zip(data: bytes, name: str) -> Members:
    """Call `btmodels.io.zip.unzip`."""
    return unzip(data, name)


__all__ = ["Content", "Members", "is_gzip", "is_zip", "open_zip", "prepare", "read_file"]
