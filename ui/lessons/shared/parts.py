"""Common parts of the lessons' figures: style sheets, and a slice packed for the browser."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from btmodels.slices import FLAIR, Slice
from btmodels.transforms.postprocess import smallest_part
from btmodels.visualize.window import auto_windows
from ui.session.stack import Analyzed
from ui.viewer.message import message
from ui.viewer.packing import pack_maps, pack_pixels

MOST_PIXELS = 512
"""Longest side sent to the browser; of a larger slice only every n-th row and column is sent."""

SHARED_STYLES = ("viewer/viewer.css", "lessons/shared/lesson.css")


def step_of(each: Slice) -> int:
    """Return the step between the rows and columns of a slice that the browser gets."""
    return math.ceil(max(each.pixels.shape[:2]) / MOST_PIXELS)


def window_of(each: Slice) -> tuple[int, int]:
    """Return the automatic display window of a slice's FLAIR."""
    return auto_windows([each.pixels])[FLAIR]


def slice_message(
    analyzed: Analyzed, more: Mapping[str, bytes] | None = None, **head: Any
) -> bytes:
    """Pack a stack's first slice: channels as part ``image``; probability map, truth and head as ``maps``.

    Args:
        analyzed: The slice and its analysis.
        more: Further parts by name.
        head: Further fields; ``version`` is made from stack, analysis and model.
    """
    each: Slice = analyzed.stack.slices[0]
    analysis = analyzed.analyses[0]
    probability_map = analysis.prediction.probability_map if analysis else None
    step = step_of(each)
    rows, cols = each.pixels[::step, ::step].shape[:2]
    known = {
        "version": f"{analyzed.stack.keys[0]} {analyzed.model} {analysis is not None}",
        "name": each.name,
        "rows": rows,
        "cols": cols,
        "step": step,
        "window": window_of(each),
        "hasTruth": each.truth is not None,
        "hasProbabilityMap": probability_map is not None,
        "threshold": analyzed.threshold,
        "minPixels": smallest_part(analyzed.min_component_pixels, rows, cols),
        "message": analyzed.message,
    }
    parts = {
        "image": pack_pixels(each.pixels, step),
        "maps": pack_maps(probability_map, each.truth, analysis.head if analysis else None, step),
    }
    return message(known | head, parts | dict(more or {}))
