"""Sizes that compressed frames in a DICOM file declare, read before they are decompressed."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.encaps import generate_frames

_START_OF_FRAME = {*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC}
"""Markers of JPEG, and 0xF7 of JPEG-LS, that precede the size."""

_ALONE = {0x01, *range(0xD0, 0xD9)}
"""Markers without a length."""

_BOXES = b"\0\0\0\x0cjP  "


def frame_sizes(packed: bytes, count: int) -> Iterator[tuple[int, int] | None]:
    """Yield (rows, cols) as each compressed frame declares them; None if it declares none (RLE).

    Args:
        packed: PixelData of a file with encapsulated frames.
        count: Number of frames that the file declares.
    """
    for frame in generate_frames(packed, number_of_frames=count):
        yield size_of(frame)


def size_of(frame: bytes) -> tuple[int, int] | None:
    """Return (rows, cols) of a JPEG, JPEG-LS or JPEG 2000 picture, else None."""
    if frame[:4] == b"\xff\x4f\xff\x51" or frame[:8] == _BOXES:
        at = frame.find(b"\xff\x4f\xff\x51") + 2
        head = frame[at + 6 : at + 22]
        if at < 2 or len(head) < 16:
            return None
        right, bottom, left, top = (int.from_bytes(head[i : i + 4], "big") for i in range(0, 16, 4))
        return bottom - top, right - left
    if frame[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(frame):
        if frame[at] != 0xFF:
            return None
        marker = frame[at + 1]
        if marker in _START_OF_FRAME:
            return (
                int.from_bytes(frame[at + 5 : at + 7], "big"),
                int.from_bytes(frame[at + 7 : at + 9], "big"),
            )
        if marker == 0xFF or marker in _ALONE:
            at += 1 if marker == 0xFF else 2
        else:
            at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None
