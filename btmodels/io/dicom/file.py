"""The content of a DICOM file as plain arrays and numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FrameHeader:
    """Header of one frame of a DICOM file.

    Attributes:
        position: Center of the first pixel in millimeters to the left, back and top; None if unknown.
        directions: Unit vectors along a row and along a column, six numbers; None if unknown.
        spacing: Row and column spacing in millimeters; None if unknown.
        slope, intercept: Rescale slope and intercept for stored values.
        center, width: First window, in rescaled values; None if there is none.
        function: VOI LUT function of the window: "LINEAR", "LINEAR_EXACT", "SIGMOID" or another name.
        pass_keys: Values that distinguish frames of one series at the same position: echo, image type,
            time, diffusion, acquisition; each as text, "" if the file does not say.
        location: SliceLocation: millimeters along the stack from an arbitrary origin; None if unknown.
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
        """Values that the window maps to black and white (DICOM PS3.3 C.11.2.1.2).

        None without a window, or if it is not linear: see `btmodels.io.dicom.pixels`.
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
        name: File name without folders.
        values: Rescaled, not windowed; real, (frames, rows, cols) or uint8 (frames, rows, cols, 3).
        frames: One for each picture.
        patient: PatientID, else PatientName, else "".
        series: SeriesInstanceUID or "".
        study: StudyInstanceUID or "".
        instance: SOPInstanceUID or "".
        reference: FrameOfReferenceUID or "".
        description: Full description of the series by the scanner's operator.
        sequence: From `btmodels.io.sequences.recognize_series`.
        number: Number in its series.
        inverted: Whether the smallest value is white (MONOCHROME1).
        step: Slice spacing or thickness in millimeters as the file says; None if unknown.
        header: The file without its pixels.
        padding: bool, (frames, rows, cols), True for padding; None without any.
        notes: Sentences on conversions.
        id, folder: The file's id and folder in its batch; folders are separated by ``/``.
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
