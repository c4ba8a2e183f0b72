"""The values that travel through the pipeline: a slice, a patient, a prediction, an analysis."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from btmodels.geometry import VolumeGeometry


CHANNELS = ("pre-contrast T1", "FLAIR", "post-contrast T1")
"""What the three channels of a slice hold, in the data set's order."""

FLAIR = 1
"""Index of the FLAIR channel, the one on which the experts drew their masks."""


@dataclass(frozen=True, eq=False)
class Slice:
    """One decoded slice.

    Attributes:
        name: File name as the visitor knows it, without folders.
        pixels: uint8, (rows, cols, 3), 0 to 255, channels as in `CHANNELS`.
        truth: Expert's mask, bool, (rows, cols), or None where there is none.
        patient: Folder name of the patient, or None where unknown.
        number: The number in the file's name, or None where it has none.
        spacing: Millimeters per pixel (row, column), only where the file says so.
        notes: What decoding had to do to get here, one plain sentence each.
        place: Where it lies in the volume that it was cut from; None of a picture.
        turn: How it was turned manually after decoding; None where it was not.
    """

    name: str
    pixels: np.ndarray
    truth: np.ndarray | None = None
    patient: str | None = None
    number: int | None = None
    spacing: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    place: Place | None = None
    turn: Turn | None = None

    @property
    def label(self) -> str:
        """The slice for people: of a DICOM series its description and the slice's number there, for names
        such as ``IM0047`` say nothing; else the file's name."""
        if self.place is None or self.place.grid.kind != "DICOM" or self.number is None:
            return self.name
        return f"{self.place.title}, slice {self.number}"


@dataclass(frozen=True, eq=False)
class Place:
    """Where a slice lies in a volume.

    Attributes:
        volume: Unlike any other volume's of the batch.
        title: The volume in words.
        grid: Its axes.
        index: Of the slice among the shown ones, from 0.
    """

    volume: str
    title: str
    grid: VolumeGeometry
    index: int


@dataclass(frozen=True)
class SliceFile:
    """Where one slice of a patient lies on disk; ``mask`` is None where it is missing."""

    number: int
    image: Path
    mask: Path | None


@dataclass(frozen=True)
class Patient:
    """One folder of the data set: slices sorted by number, and what is wrong with it."""

    folder: str
    files: tuple[SliceFile, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the networks say of one slice, before anything is measured.

    Attributes:
        tumor_probability: Classifier's calibrated probability of any tumor, 0 to 1.
        levels: Segmenter's probability a pixel in 255ths, uint8, (rows, cols) of the input. One byte
            a pixel is what the viewer gets too, so a mask drawn there and one cut here are the same.
    """

    tumor_probability: float
    levels: np.ndarray


@dataclass(frozen=True, eq=False)
class Analysis:
    """A slice with verdict, mask and measures: all that a page, a file or a report shows.

    Attributes:
        slice: The input.
        prediction: The networks' output.
        model, classifier: Registry names that were used.
        weights_sha256: Of the segmenter's weights, as its record gives it.
        threshold: On the segmenter's probability, 0 to 1.
        tumor: The classifier's verdict.
        mask: The segmenter's mask at ``threshold`` after clean-up, bool, (rows, cols).
        head: Head's region, bool, (rows, cols).
        marked_pixels: Pixels in ``mask``.
        slice_share: ``marked_pixels`` over all pixels, 0 to 1.
        head_share: Marked pixels within the head over the head's pixels, 0 to 1; None without a head.
        dice: Against the truth, 0 to 1; None without a truth or where both masks are empty.
        warnings: Plain sentences, notes of the decoder included.
    """

    slice: Slice
    prediction: Prediction
    model: str
    classifier: str
    weights_sha256: str
    threshold: float
    tumor: bool
    mask: np.ndarray
    head: np.ndarray
    marked_pixels: int
    slice_share: float
    head_share: float | None
    dice: float | None
    warnings: tuple[str, ...] = ()


def largest_lesion_slice(slices: tuple[Slice, ...]) -> int:
    """Return the index of the slice with the largest true mask; without any, the middle one."""
    sizes = [0 if s.truth is None else int(np.count_nonzero(s.truth)) for s in slices]
    return sizes.index(max(sizes)) if any(sizes) else len(sizes) // 2


@dataclass(frozen=True)
class Turn:
    """What is done to a slice so that it lies as the networks know it.

    Attributes:
        quarters: Quarter turns clockwise, 0 to 3.
        mirrored: Whether left and right are exchanged, after the turns.
    """

    quarters: int = 0
    mirrored: bool = False

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """Turn a picture, (rows, cols) or (rows, cols, channels)."""
        turned = np.rot90(picture, -self.quarters)
        return np.ascontiguousarray(turned[:, ::-1] if self.mirrored else turned)

    def undo(self, picture: np.ndarray) -> np.ndarray:
        """Turn a picture back: ``turn.undo(turn.apply(picture))`` is the picture."""
        turned = picture[:, ::-1] if self.mirrored else picture
        return np.ascontiguousarray(np.rot90(turned, self.quarters))
