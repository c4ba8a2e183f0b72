"""Slices that are looked at together: a patient of a data folder, or what a visitor uploaded."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from btmodels.slices import Analysis, Slice, largest_lesion_slice


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
