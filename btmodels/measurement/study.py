"""Summarize the masks of all slices, and give the result in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from btmodels.slices import Analysis, Slice, largest_lesion_slice
from btmodels.words import counted

MOSTLY = 0.9
"""Minimum fraction of a tumor's pixels on one side of the midline to assign it to that side."""

_MOST_PARTS = 3


@dataclass(frozen=True)
class StudySummary:
    """Summary of the marked region in one volume, one patient or a group of pictures.

    Attributes:
        title: Title of the volume, or name of the patient or picture; for several pictures, their number.
        slices: Number of slices.
        analyzed: Number of slices with a mask, empty or not.
        rejected: Number of slices rejected by the input check.
        areas: Marked pixels of each slice; None without a mask.
        largest: Index in this study of the slice with the most marked pixels; None if there are none.
        largest_name: That slice in words: its number or its name.
        largest_true_name: The same for the slice with the largest true mask; "" without one.
        milliliters: Volume of the marked region; None if a file does not give the spacing.
        square_millimeters: Marked area of a study with one slice; None as above, or for several slices.
        side: "left" or "right" of the patient, "both", or "" if nothing is marked or no head is found.
        radiological: Whether the patient's left is known to be at the picture's right.
    """

    title: str
    slices: int
    analyzed: int
    rejected: int
    areas: tuple[int | None, ...]
    largest: int | None
    largest_name: str
    largest_true_name: str
    milliliters: float | None
    square_millimeters: float | None
    side: str
    radiological: bool

    @property
    def marked_slices(self) -> int:
        """Number of slices with marked pixels."""
        return sum(bool(area) for area in self.areas)

    @property
    def marked_pixels(self) -> int:
        """Number of marked pixels in all slices."""
        return sum(area or 0 for area in self.areas)

    @property
    def size(self) -> str:
        """The marked volume if known, else the area, else the number of pixels, in words."""
        if self.milliliters is not None:
            return milliliters(self.milliliters)
        if self.square_millimeters is not None:
            return f"{self.square_millimeters:,.0f} mm²"
        return f"{self.marked_pixels:,} px"

    @property
    def side_in_words(self) -> str:
        """The side in words; "" if unknown."""
        if not self.side:
            return ""
        if self.side == "both":
            return "both sides" if self.radiological else "both halves of the picture"
        if self.radiological:
            return f"{self.side} side"
        # The radiological view, with the patient's left at the right, is only likely here.
        return f"{'right' if self.side == 'left' else 'left'} half of the picture"


def milliliters(volume: float) -> str:
    """Return a volume in words: one decimal, two below 1 mL."""
    return f"{volume:.2f} mL" if volume < 1 else f"{volume:,.1f} mL"


def percent(probability: float) -> str:
    """Return a probability in percent, from < 0.1% to > 99.9%."""
    # No network is certain, so rounding must not suggest that it is.
    if probability > 0.9995:
        return "> 99.9%"
    return "< 0.1%" if probability < 0.0005 else f"{100 * probability:.1f}%"


def groups_of(slices: Sequence[Slice]) -> list[list[int]]:
    """Return the indices of slices grouped by volume, by patient, or as pictures without a patient."""
    found: dict[object, list[int]] = {}
    for index, each in enumerate(slices):
        key = ("volume", each.position.volume) if each.position else ("patient", each.patient)
        found.setdefault(key, []).append(index)
    return list(found.values())


def summarize(
    slices: Sequence[Slice], analyses: Sequence[Analysis | None], rejected: int = 0
) -> StudySummary:
    """Add up the marked regions of slices that belong together.

    Args:
        slices: Slices of one volume, one patient or one batch of pictures, in order.
        analyses: One for each slice; None if there is none (yet).
        rejected: Number of slices rejected by the input check.
    """
    areas = tuple(None if each is None else each.marked_pixels for each in analyses)
    marked = [index for index, area in enumerate(areas) if area]
    largest = max(marked, key=lambda index: areas[index], default=None)
    first = slices[0]
    return StudySummary(
        title=_title(slices),
        slices=len(slices),
        analyzed=sum(area is not None for area in areas),
        rejected=rejected,
        areas=areas,
        largest=largest,
        largest_name="" if largest is None else _name(slices, largest),
        largest_true_name=_largest_true_name(slices),
        milliliters=_milliliters(slices, areas),
        square_millimeters=_square_millimeters(first, areas) if len(slices) == 1 else None,
        side=_side([analyses[index] for index in marked]),
        radiological=_radiological(first),
    )


def sentence(summary: StudySummary) -> str:
    """Return the result for a study: where a tumor is marked, its size, and where it is largest."""
    one, total = summary.slices == 1, summary.slices
    if not summary.analyzed:
        if summary.rejected == total:
            return (
                f"{'This slice cannot' if one else f'None of the {total} slices can'} be analyzed."
            )
        return f"Reading {'this slice' if one else f'{total} slices'}…"
    read = summary.analyzed + summary.rejected
    size, where = summary.size, f", {summary.side_in_words}" if summary.side_in_words else ""
    if read < total:
        seen = f"{read} slice{'s' * (read > 1)} so far, {total} in all"
        words = f"No tumor marked in {seen}"
        if summary.largest is not None:
            words = f"Tumor marked in {summary.marked_slices} of {seen}"
    elif summary.largest is None:
        words = f"No tumor marked in {'this slice' if one else f'{total} slices'}"
        if summary.largest_true_name and not one:
            words += f"; the true mask is largest in {summary.largest_true_name}"
    elif one:
        words = f"Tumor marked in this slice, {size}{where}"
    else:
        words = (
            f"Tumor marked in {summary.marked_slices} of {total} slices, {size}, largest in "
            f"{summary.largest_name}{_other(summary)}{where}"
        )
    left_out = ""
    if summary.rejected:
        left_out = f" {counted(summary.rejected, 'slice')} cannot be analyzed."
    return f"{words}.{left_out}"


def answer(summaries: Sequence[StudySummary]) -> str:
    """Return the sentence for a batch; for several studies, one sentence each with its title."""
    if len(summaries) == 1:
        return sentence(summaries[0])
    told = [f"{each.title}: {sentence(each)}" for each in summaries[:_MOST_PARTS]]
    if len(summaries) > _MOST_PARTS:
        told.append(f"And {len(summaries) - _MOST_PARTS} more.")
    return " ".join(told)


def _title(slices: Sequence[Slice]) -> str:
    first = slices[0]
    if first.position:
        return first.position.title
    if first.patient:
        return first.patient
    return first.name if len(slices) == 1 else counted(len(slices), "picture")


def _other(summary: StudySummary) -> str:
    """Return where the true mask is largest if that is another slice, because pages open on it."""
    name = summary.largest_true_name
    return f" (the true mask in {name})" if name not in ("", summary.largest_name) else ""


def _largest_true_name(slices: Sequence[Slice]) -> str:
    marked = any(each.truth is not None and each.truth.any() for each in slices)
    return _name(slices, largest_lesion_slice(tuple(slices))) if marked else ""


def _name(slices: Sequence[Slice], index: int) -> str:
    each = slices[index]
    return f"slice {each.number}" if each.number is not None else each.name


def _milliliters(slices: Sequence[Slice], areas: Sequence[int | None]) -> float | None:
    grids = [each.position.grid if each.position else None for each in slices]
    if any(grid is None or grid.spacing is None for grid in grids):
        return None
    # In a volume with thin slices, only every n-th is analyzed and also stands for its neighbors.
    indices = sorted(each.position.index for each in slices)
    step = min((b - a for a, b in zip(indices, indices[1:], strict=False)), default=1)
    volume = sum(
        (area or 0) * step * float(np.prod(grid.spacing))
        for grid, area in zip(grids, areas, strict=True)
    )
    return volume / 1000


def _square_millimeters(each: Slice, areas: Sequence[int | None]) -> float | None:
    if each.spacing is None or areas[0] is None or each.position and each.position.grid.spacing:
        return None
    return areas[0] * each.spacing[0] * each.spacing[1]


def _side(analyses: Sequence[Analysis]) -> str:
    at_right = total = 0.0
    for each in analyses:
        columns = np.flatnonzero(each.head.any(axis=0))
        if not columns.size:
            continue
        middle = (columns[0] + columns[-1] + 1) / 2
        places = np.nonzero(each.mask)[1] + 0.5
        at_right += float(np.count_nonzero(places > middle))
        at_right += np.count_nonzero(places == middle) / 2
        total += len(places)
    if not total:
        return ""
    share = at_right / total
    return "left" if share >= MOSTLY else "right" if share <= 1 - MOSTLY else "both"


def _radiological(each: Slice) -> bool:
    # Volumes with coordinates are reoriented this way; patients of the data set are stored this way.
    if each.position is not None:
        grid = each.position.grid
        return grid.affine is not None and grid.placed and each.turn is None
    return each.patient is not None and each.turn is None
