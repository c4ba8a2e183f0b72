"""Slices viewed together: a patient of a data folder, or a visitor's upload."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from btmodels.measurement import study
from btmodels.measurement.study import StudySummary
from btmodels.slices import Analysis, Slice, VerdictSource, largest_lesion_slice
from btmodels.transforms.postprocess import binarize, smallest_part
from btmodels.visualize.window import Window, windows_of
from ui.session.cache import SessionCache

_at_threshold: SessionCache[list[Analysis | None]] = SessionCache("stack.at_threshold", 1)


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in display order.

    Attributes:
        id: Identifies the stack; the viewer resets when it changes.
        slices: At least one slice.
        keys: One per slice; equal keys mean equal pixels and truth.
        provenance: One per slice, from `btmodels.dataset.cohort.provenance`.
        shared: Whether its results may be shown to every visitor. Never true for uploads.
        problems: Files that could not be read, one sentence each.
    """

    id: str
    slices: tuple[Slice, ...]
    keys: tuple[str, ...]
    provenance: tuple[str, ...]
    shared: bool
    problems: tuple[str, ...] = ()

    @cached_property
    def windows(self) -> list[tuple[Window, Window, Window]]:
        """The automatic window of each channel, one triple for each slice."""
        return windows_of(self.slices)

    def index_of(self, number: int | None) -> int | None:
        """Return the index of the slice with ``number``, or None."""
        numbers = [each.number for each in self.slices]
        return numbers.index(number) if number in numbers else None

    def largest_lesion_slice(self) -> int:
        """Return the index of the slice with the largest true mask; without any, the middle one."""
        return largest_lesion_slice(self.slices)


@dataclass(frozen=True, eq=False)
class Analyzed:
    """A stack with its analyses so far.

    Attributes:
        stack: The slices.
        analyses: One per slice, at the stored threshold; None if not (yet) analyzed.
        message: A sentence on why some are missing; empty if none are.
        pending: Whether more analyses will follow.
        threshold: The segmenter's stored threshold, 0 to 1; None without a record.
        min_component_pixels: Size of the smallest mask part that is kept, in pixels.
        model: Registry name of the segmenter.
        source: Who gives the verdicts, if the segmenter can.
        heats: Requested Grad-CAM maps, uint8, (rows, cols), by key of a slice.
        stopped: Why the input check rejects a slice, by its key; see `ui.session.quality.rejected`.
    """

    stack: Stack
    analyses: tuple[Analysis | None, ...]
    message: str
    pending: bool
    threshold: float | None
    min_component_pixels: int
    model: str | None = None
    source: VerdictSource = "segmenter"
    heats: dict[str, np.ndarray] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)

    def suggested_slice(self) -> int:
        """Return the index of the slice to open: with the largest true mask, else with the largest
        predicted area so far, else the middle one."""
        if not any(each.truth is not None and each.truth.any() for each in self.stack.slices):
            areas = [each.marked_pixels if each else 0 for each in self.analyses]
            if any(areas):
                return areas.index(max(areas))
        return self.stack.largest_lesion_slice()

    def at_threshold(self, threshold: float) -> Analyzed:
        """Return the same slices with their masks at another threshold."""
        if threshold == self.threshold:
            return self
        verdicts = tuple(each and each.verdict for each in self.analyses)
        key = (self.stack.keys, self.model, verdicts, threshold)
        analyses = _at_threshold.get(key)
        if analyses is None:
            smallest = self.min_component_pixels
            found = [_thresholded(each, threshold, smallest) for each in self.analyses]
            analyses = _at_threshold.put(key, found)
        return replace(self, analyses=tuple(analyses))

    def summaries(self) -> list[StudySummary]:
        """Return the summary of each study in the stack."""
        slices, keys = self.stack.slices, self.stack.keys
        return [
            study.summarize(
                [slices[i] for i in group],
                [self.analyses[i] for i in group],
                sum(keys[i] in self.stopped for i in group),
            )
            for group in study.groups_of(slices)
        ]


def _thresholded(
    each: Analysis | None, threshold: float, min_component_pixels: int
) -> Analysis | None:
    if each is None:
        return None
    probability_map = each.prediction.probability_map
    mask = binarize(
        probability_map, threshold, smallest_part(min_component_pixels, *probability_map.shape)
    )
    marked = int(np.count_nonzero(mask))
    return replace(each, threshold=threshold, mask=mask, marked_pixels=marked)
