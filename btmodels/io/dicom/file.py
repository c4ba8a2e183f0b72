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
        pass_keys: What tells apart frames of one series that lie at the same place: echo, kind of
            image, time, diffusion, acquisition; each as text, "" where the file does not say.
    """

    position: tuple[float, ...] | None
    directions: tuple[float, ...] | None
    spacing: tuple[float, float] | None
    window: tuple[float, float] | None
    pass_keys: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class DicomFile:
    """The pictures of one DICOM file.

    Attributes:
        name: Of the file, without folders.
        values: Rescaled, not windowed; real, (frames, rows, cols) or uint8 (frames, rows, cols, 3).
        frames: One for each picture.
        patient: PatientID, else PatientName, "" without.
        series: What the files of a series have in common.
        study: What the series of a visit to the scanner have in common.
        instance: SOPInstanceUID, "" without.
        reference: Names the coordinates in which positions are given; "" where they are none.
        description: The series in words, as the scanner's operator wrote them, in full.
        sequence: As `btmodels.io.sequences.recognize` has it.
        number: Within its series.
        inverted: Whether the smallest value is white (MONOCHROME1).
        step: Millimeters between slices as the file says, for a single one; None unknown.
        header: The file without its pixels.
        padding: bool, (frames, rows, cols), True where there is no picture; None without any.
        notes: What reading had to do.
        id, folder: Of the file in its batch; folders are parted by ``/``.
    """

    name: str
    values: np.ndarray
    frames: tuple[Frame, ...]
    patient: str
    series: str
    study: str
    instance: str
    reference: str
    description: str
    sequence: str | None
    number: int
    inverted: bool
    step: float | None
    header: bytes
    padding: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    id: str = ""
    folder: str = ""
