"""Recognize a DICOM file by its first bytes, without importing pydicom."""

from __future__ import annotations


def is_dicom(data: bytes) -> bool:
    """Return whether bytes are a DICOM file, with or (from old programs) without a preamble."""
    if data[128:132] == b"DICM":
        return True
    # Without a preamble, it starts with a plausible element of group 2 or 8, in either byte order.
    if len(data) < 64:
        return False
    for order in ("little", "big"):
        group, element = (int.from_bytes(data[i : i + 2], order) for i in (0, 2))
        if (
            (group in (2, 8) and element <= 0x0100)
            and not element % 2
            or (group, element) == (8, 5)
        ):
            explicit = data[4:6].isalpha() and data[4:6].isupper()
            length = int.from_bytes(data[4:8], order)
            return explicit or length <= 256
    return False
