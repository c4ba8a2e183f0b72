"""The shape features of a tumor as values and as rows of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from btmodels.measurement.study import milliliters

UNDEFINED = "–"
LEVELS = 256
ENTROPY_BINS = 32
"""Number of equal bins of the 256 gray levels for the entropy."""


@dataclass(frozen=True)
class ShapeRow:
    """One figure as a table shows it.

    Attributes:
        value: Formatted, or `UNDEFINED`.
        unit: Empty if there is none.
        explanation: Explanation in plain words.
    """

    value: str
    unit: str
    explanation: str


@dataclass(frozen=True)
class Position:
    """Position of a tumor in the bounding box of the head in all slices.

    Attributes:
        side: "left" or "right" of the patient; "both" if each side has half.
        side_share: Fraction of the voxels on that side of the midline, 0.5 to 1.
        from_front: Mean position of the voxels, 0 at the front of the head to 1 at its back.
        from_right: The same, 0 at the patient's right to 1 at the patient's left.
    """

    side: str
    side_share: float
    from_front: float
    from_right: float


@dataclass(frozen=True)
class ShapeFigures:
    """Result of `btmodels.measurement.shape.describe` for a stack of masks; None is undefined.

    Attributes:
        volume_voxels: Marked pixels in all slices.
        marked_slices: Number of slices with marked pixels.
        largest_slice: Index of the slice with the largest area, the first of equals.
        largest_area_pixels: Marked pixels in that slice.
        parts: Number of 26-connected components of the volume.
        parts_in_slice: Number of 8-connected components in the largest slice.
        ellipsoid_ratio: Bounding-ellipsoid volume ratio of the largest component, 0 to 1.
        margin_fluctuation: Of the largest component in the slice where it is largest, 0 and up.
        angular_deviation: Of the same, 0 and up.
        position: None without a head.
        flair_variation: Coefficient of variation of FLAIR within the mask, 0 and up.
        flair_entropy: Entropy of FLAIR within the mask in bits, 0 to 5.
    """

    volume_voxels: int
    marked_slices: int
    largest_slice: int | None = None
    largest_area_pixels: int = 0
    parts: int = 0
    parts_in_slice: int = 0
    ellipsoid_ratio: float | None = None
    margin_fluctuation: float | None = None
    angular_deviation: float | None = None
    position: Position | None = None
    flair_variation: float | None = None
    flair_entropy: float | None = None

    def rows(self, spacing: Sequence[float] | None = None) -> dict[str, ShapeRow]:
        """Return the figures by label, in the order of a table; the labels are always the same.

        Args:
            spacing: Of slices, rows and columns in millimeters, or only the latter two; None if unknown.
        """
        where = self.position
        volume = _counted(self.volume_voxels, "voxel")
        area = _counted(self.largest_area_pixels, "pixel")
        if spacing:
            area = f"{self.largest_area_pixels * math.prod(spacing[-2:]):,.0f}", "mm²"
        if spacing and len(spacing) == 3:
            volume = milliliters(self.volume_voxels * math.prod(spacing) / 1000).split()
        return {
            "Volume": ShapeRow(*volume, "Marked pixels of all slices together."),
            "Largest area": ShapeRow(
                *area,
                "Marked pixels in the slice with the most of them.",
            ),
            "Slices with tumor": ShapeRow(
                *_counted(self.marked_slices, "slice"), "Slices in which anything is marked."
            ),
            "Parts": ShapeRow(
                *_counted(self.parts, "part"),
                "Separate pieces in the whole stack; pieces that touch, even at a corner, are one.",
            ),
            "Parts in the largest slice": ShapeRow(
                *_counted(self.parts_in_slice, "part"),
                "Separate pieces in the slice with the largest area, counted in the same way.",
            ),
            "Bounding-ellipsoid ratio": ShapeRow(
                _number(self.ellipsoid_ratio, ".2f"),
                "",
                "Volume of the largest part over the volume of the smallest ellipsoid around it. "
                "Near 1: it fills the ellipsoid, a regular shape. Lower: less regular.",
            ),
            "Margin fluctuation": ShapeRow(
                _number(self.margin_fluctuation, ".3f"),
                "",
                "How rough the outline is: how far its distance from the middle jumps around a "
                "smoothed outline, as a share of the mean distance. 0: smooth.",
            ),
            "Angular standard deviation": ShapeRow(
                _number(self.angular_deviation, ".3f"),
                "",
                "How much the outline's distance from the middle varies within a tenth of a turn, "
                "as a share of the mean distance. 0: a disk.",
            ),
            "Side": ShapeRow(
                UNDEFINED if where is None else _side(where),
                "",
                "The half of the head that holds more of it, if slices follow the radiological "
                "convention: the patient's left is at the picture's right.",
            ),
            "Front to back": ShapeRow(
                _number(where and 100 * where.from_front, ".0f"),
                "%",
                "Mean position in the head: 0% is the front, 100% the back.",
            ),
            "Right to left": ShapeRow(
                _number(where and 100 * where.from_right, ".0f"),
                "%",
                "Mean position in the head: 0% is the patient's right, 100% the patient's left.",
            ),
            "Variation of FLAIR": ShapeRow(
                _number(self.flair_variation and 100 * self.flair_variation, ".0f"),
                "%",
                "Standard deviation of the gray levels within the mask over their mean. 0%: all "
                "the same gray.",
            ),
            "Entropy of FLAIR": ShapeRow(
                _number(self.flair_entropy, ".2f"),
                "bits",
                f"How many grays are mixed within the mask, the {LEVELS} levels in {ENTROPY_BINS} bins. "
                f"0: all in one bin; {ENTROPY_BINS.bit_length() - 1}: evenly over all.",
            ),
        }


def _counted(number: int, unit: str) -> tuple[str, str]:
    return f"{number:,}", unit if number == 1 else f"{unit}s"


def _side(where: Position) -> str:
    if where.side == "both":
        return "half on either side"
    return f"{where.side} ({100 * where.side_share:.0f}%)"


def _number(value: float | None, form: str) -> str:
    return UNDEFINED if value is None else format(value, form)
