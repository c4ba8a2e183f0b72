"""Slices that are viewed together: a patient of a data folder, or a visitor's upload."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from btmodels.measurement import study
from btmodels.measurement.study import StudySummary
from btmodels.slices import Analysis, Slice, largest_lesion_slice
from btmodels.transforms.postprocess import cut, smallest_part
from btmodels.visualize.window import Window, windows_of
from ui.session.cache import SessionCache

_cut: SessionCache[list[Analysis | None]] = SessionCache("stack.at_threshold", 1)


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in the order they are shown.

    Attributes:
        id: Names the stack; the viewer starts afresh where it changes.
        slices: At least one.
        keys: One per slice; equal keys mean equal pixels and truth.
        provenance: One per slice, as `btmodels.dataset.cohort.provenance` names it.
        shared: Whether every visitor may be shown what is computed of it. Never true for uploads.
        problems: What could not be read, one sentence each.
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
        """Return the index of the slice with ``number``, None where there is none."""
        numbers = [each.number for each in self.slices]
        return numbers.index(number) if number in numbers else None

    def largest_lesion_slice(self) -> int:
        """Return the index of the slice with the largest true mask; without any, the middle one."""
        return largest_lesion_slice(self.slices)


@dataclass(frozen=True, eq=False)
class Analyzed:
    """A stack as far as it has been analyzed.

    Attributes:
        stack: What was to be analyzed.
        analyses: One per slice, at the stored threshold; None where not (yet) there.
        message: Why some are missing, one sentence; empty where none is.
        pending: Whether asking again would bring more.
        threshold: The segmenter's stored threshold, 0 to 1; None without a record.
        min_component_pixels: Smaller parts of a mask are dropped.
        model: Registry name of the segmenter.
        heats: Grad-CAM, uint8, (rows, cols), by key of a slice, of those that were asked for.
        stopped: Why the input check rejects a slice, by its key; see `ui.session.quality.rejected`.
    """

    stack: Stack
    analyses: tuple[Analysis | None, ...]
    message: str
    pending: bool
    threshold: float | None
    min_component_pixels: int
    model: str | None = None
    heats: dict[str, np.ndarray] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)

    def suggested_slice(self) -> int:
        """Return the index of the slice to open on: the largest true mask's, else that of the largest
        predicted area so far, else the middle one."""
        if not any(each.truth is not None and each.truth.any() for each in self.stack.slices):
            areas = [each.marked_pixels if each else 0 for each in self.analyses]
            if any(areas):
                return areas.index(max(areas))
        return self.stack.largest_lesion_slice()

    def at_threshold(self, threshold: float) -> Analyzed:
        """Return the same slices with their masks cut at another threshold."""
        if threshold == self.threshold:
            return self
        done = tuple(each is not None for each in self.analyses)
        key = (self.stack.keys, self.model, done, threshold)
        cut_masks = _cut.get(key)
        if cut_masks is None:
            smallest = self.min_component_pixels
            cut_masks = _cut.put(key, [_recut(each, threshold, smallest) for each in self.analyses])
        return replace(self, analyses=tuple(cut_masks))

    def summaries(self) -> list[StudySummary]:
        """Return the marked area of each study in the stack."""
        slices, keys = self.stack.slices, self.stack.keys
        return [
            study.summarize(
                [slices[i] for i in group],
                [self.analyses[i] for i in group],
                sum(keys[i] in self.stopped for i in group),
            )
            for group in study.groups_of(slices)
        ]


def _recut(each: Analysis | None, threshold: float, min_component_pixels: int) -> Analysis | None:
    if each is None:
        return None
    levels = each.prediction.levels
    mask = cut(levels, threshold, smallest_part(min_component_pixels, *levels.shape))
    marked = int(np.count_nonzero(mask))
    return replace(each, threshold=threshold, mask=mask, marked_pixels=marked)
