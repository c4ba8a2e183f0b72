"""A convolution step by step: a window over the slice, nine products, and the map of their sums."""

from __future__ import annotations

import numpy as np

from btmodels.transforms.preprocess import fit_to
from ui.lessons.lesson import Lesson
from ui.lessons.shared.parts import SHARED_STYLES, window_of
from ui.session.stack import Stack
from ui.shared.component_files import component
from ui.viewer.message import message
from ui.viewer.packing import pack

SIZE = 96
"""Rows and columns: few enough to locate a pixel of the map in the slice."""

_convolution = component(
    "lesson_convolution", "lessons/encoder_decoder/operations/convolution", *SHARED_STYLES
)


def draw(lesson: Lesson, stack: Stack) -> None:
    """Draw the window, the products and the map for the slice of ``stack``."""
    each = stack.slices[0]
    head = {
        "version": stack.keys[0],
        "name": each.name,
        "rows": SIZE,
        "cols": SIZE,
        "window": window_of(each),
        "hasTruth": each.truth is not None,
    }
    parts = {"image": pack(fit_to(each.pixels, (SIZE, SIZE)).transpose(2, 0, 1))}
    if each.truth is not None:
        truth = fit_to(each.truth.astype(np.uint8) * 255, (SIZE, SIZE)) > 127
        parts["truth"] = pack(truth.astype(np.uint8)[None])
    _convolution(key=lesson.key("convolution"), data=message(head, parts))
