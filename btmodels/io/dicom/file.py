"""What a DICOM file holds, as plain arrays and numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Frame:
    """Where one picture of a DICOM file lies.

    Attributes:
        position: Millimeters of the middle of the first pixel, to the left, back and top; None unknown.
        directions: Unit vectors along a row and along a column, six numbers; None unknown.
        spacing: Millimeters from row to row and column to column; None unknown.
        window: Values that become black and white; None where the file has no window.
    """

    position: tuple[float, ...] | None
    directions: tuple[float, ...] | None
    spacing: tuple[float, float] | None
    window: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class DicomFile:
    """The pictures of one DICOM file.

    Attributes:
        name: Of the file, without folders.
        values: Rescaled, not windowed; real, (frames, rows, cols) or uint8 (frames, rows, cols, 3).
        frames: One for each picture.
        series: What the files of a series have in common.
        study: What the series of a visit to the scanner have in common.
        reference: Names the coordinates in which positions are given; "" where they are none.
        description: The series in words, as the scanner's operator wrote them.
        sequence: As `btmodels.io.sequences.recognize` has it.
        number: Within its series.
        inverted: Whether the smallest value is white (MONOCHROME1).
        step: Millimeters between slices as the file says, for a single one; None unknown.
        header: The file without its pixels.
        notes: What reading had to do.
    """

    name: str
    values: np.ndarray
    frames: tuple[Frame, ...]
    series: str
    study: str
    reference: str
    description: str
    sequence: str | None
    number: int
    inverted: bool
    step: float | None
    header: bytes
    notes: tuple[str, ...] = ()
