"""The data types of the pipeline: a slice, a patient, a prediction, an analysis."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from btmodels.geometry import VolumeGeometry


CHANNELS = ("pre-contrast T1", "FLAIR", "post-contrast T1")
"""The sequences in the three channels of a slice, in the data set's order."""

FLAIR = 1
"""Index of the FLAIR channel, the one on which the experts drew their masks."""


@dataclass(frozen=True, eq=False)
class Slice:
    """One decoded slice.

    Attributes:
        name: File name without folders.
        pixels: uint8, (rows, cols, 3), 0 to 255, channels as in `CHANNELS`.
        truth: Expert's mask, bool, (rows, cols); None if there is none.
        patient: Folder name of the patient; None if unknown.
        number: The number in the file's name, or in its volume; None if there is none.
        spacing: Row and column spacing in millimeters, if the file gives it.
        notes: Sentences on conversions during decoding.
        position: Position in its volume; None for a picture.
        turn: Manual rotation after decoding; None if there was none.
    """

    name: str
    pixels: np.ndarray
    truth: np.ndarray | None = None
    patient: str | None = None
    number: int | None = None
    spacing: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    position: VolumePosition | None = None
    turn: Turn | None = None

    @property
    def label(self) -> str:
        """Display name: for a DICOM series, its description and the slice's number, because names such as
        ``IM0047`` are meaningless; else the file's name."""
        if self.position is None or self.position.grid.kind != "DICOM" or self.number is None:
            return self.name
        return f"{self.position.title}, slice {self.number}"


@dataclass(frozen=True, eq=False)
class VolumePosition:
    """Position of a slice in a volume.

    Attributes:
        volume: ID of the volume, unique in the batch.
        title: Display name of the volume.
        grid: Geometry of the volume.
        index: Index of the slice in display order, from 0.
    """

    volume: str
    title: str
    grid: VolumeGeometry
    index: int


@dataclass(frozen=True)
class SliceFile:
    """Files of one slice of a patient; ``mask`` is None if it is missing."""

    number: int
    image: Path
    mask: Path | None


@dataclass(frozen=True)
class Patient:
    """One folder of the data set: slices sorted by number, and its problems."""

    folder: str
    files: tuple[SliceFile, ...]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Prediction:
    """Output of the networks for one slice.

    Attributes:
        tumor_probability: Classifier's calibrated probability of any tumor, 0 to 1.
        probability_map: Segmenter's probability per pixel in 255ths, uint8, (rows, cols) of the input. The
            viewer gets the same bytes, so its masks equal those computed here.
    """

    tumor_probability: float
    probability_map: np.ndarray


VerdictSource = Literal["segmenter", "classifier"]
"""Which network gives the verdict on a slice; the other one gives a second opinion. Only a segmenter whose
record has a rule for it can; with the others it is always the classifier."""


@dataclass(frozen=True)
class Verdict:
    """A network's answer to the question of whether a slice shows a tumor.

    Attributes:
        network: Registry name.
        probability: Calibrated probability of any tumor, 0 to 1.
        threshold: On the probability, 0 to 1; at or above it the answer is yes.
        neighbors: Whether the neighboring slices count; None if they will, once they are analyzed.
    """

    network: str
    probability: float
    threshold: float
    neighbors: bool | None = False

    @property
    def tumor(self) -> bool:
        """Whether the answer is yes."""
        return self.probability >= self.threshold

    @property
    def basis(self) -> str:
        """What the answer rests on, in words that can begin a sentence."""
        if self.neighbors:
            return "counting the neighboring slices"
        return f"from this slice alone{' so far' * (self.neighbors is None)}"


@dataclass(frozen=True, eq=False)
class Analysis:
    """A slice with verdict, mask and measures, as shown on pages, in files and in reports.

    Attributes:
        slice: The input.
        prediction: The networks' output.
        model: Registry name of the segmenter.
        verdict: Whether the slice shows a tumor.
        second_opinion: The other network's answer; None if the segmenter gives no verdict.
        weights_sha256: SHA-256 of the segmenter's weights, from its record.
        threshold: On the segmenter's probability, 0 to 1.
        mask: The segmenter's mask at ``threshold`` without small components, bool, (rows, cols).
        head: Mask of the head, bool, (rows, cols).
        marked_pixels: Pixels in ``mask``.
        slice_share: ``marked_pixels`` over all pixels, 0 to 1.
        head_share: Marked pixels within the head over the head's pixels, 0 to 1; None without a head.
        dice: Dice against the true mask, 0 to 1; None without a true mask or if both masks are empty.
        warnings: Plain sentences, including the slice's notes.
        score: `btmodels.measurement.verdict.top_log_odds` of the map; None as above.
    """

    slice: Slice
    prediction: Prediction
    model: str
    verdict: Verdict
    second_opinion: Verdict | None
    weights_sha256: str
    threshold: float
    mask: np.ndarray
    head: np.ndarray
    marked_pixels: int
    slice_share: float
    head_share: float | None
    dice: float | None
    warnings: tuple[str, ...] = ()
    score: float | None = None


def largest_lesion_slice(slices: tuple[Slice, ...]) -> int:
    """Return the index of the slice with the largest true mask; the middle one if there is none."""
    sizes = [0 if s.truth is None else int(np.count_nonzero(s.truth)) for s in slices]
    return sizes.index(max(sizes)) if any(sizes) else len(sizes) // 2


@dataclass(frozen=True)
class Turn:
    """Rotation and mirroring of a slice to the orientation of the training data.

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
        """Turn a picture back: ``turn.undo(turn.apply(picture))`` equals the picture."""
        turned = picture[:, ::-1] if self.mirrored else picture
        return np.ascontiguousarray(np.rot90(turned, self.quarters))
