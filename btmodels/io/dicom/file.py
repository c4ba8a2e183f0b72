"""What a DICOM file holds, as plain arrays and numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FrameHeader:
    """What a DICOM file says of one of its pictures.

    Attributes:
        position: Millimeters of the middle of the first pixel, to the left, back and top; None unknown.
        directions: Unit vectors along a row and along a column, six numbers; None unknown.
        spacing: Millimeters from row to row and column to column; None unknown.
        slope, intercept: The line from stored values to the file's own.
        center, width: Of the first window, in the file's own values; None where it has none.
        function: How the window is meant: "LINEAR", "LINEAR_EXACT", "SIGMOID", or what else it names.
        pass_keys: What tells apart frames of one series that lie at the same place: echo, kind of
            image, time, diffusion, acquisition; each as text, "" where the file does not say.
        location: Millimeters along the stack, from no certain point; None unknown.
    """

    position: tuple[float, ...] | None
    directions: tuple[float, ...] | None
    spacing: tuple[float, float] | None
    slope: float = 1.0
    intercept: float = 0.0
    center: float | None = None
    width: float | None = None
    function: str = "LINEAR"
    pass_keys: tuple[str, ...] = ()
    location: float | None = None

    @property
    def window(self) -> tuple[float, float] | None:
        """Values that the window makes black and white (DICOM PS3.3 C.11.2.1.2).

        None without a window, or with one that is no straight line: see `btmodels.io.dicom.pixels`.
        """
        center, width = self.center, self.width
        if center is None or width is None or width <= 0:
            return None
        if self.function == "LINEAR_EXACT":
            return center - width / 2, center + width / 2
        if self.function != "LINEAR" or width < 1:
            return None
        # Width counts values, not steps between them: 256 values have 255 steps.
        return center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2


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
    frames: tuple[FrameHeader, ...]
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
