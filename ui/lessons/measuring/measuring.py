"""Lesson *Measuring a mask*: from a threshold to counts and scores, averages, and losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui.lessons import slice_choice
from ui.lessons.lesson import Lesson
from ui.lessons.measuring import averages, losses
from ui.lessons.shared.parts import SHARED_STYLES, slice_message
from ui.session import analysis
from ui.session.stack import Analyzed
from ui.shared.component_files import component, view_of

MASKS = ("network", "nothing", "everything", "speck")
SCORES = ("dice", "iou", "precision", "recall", "accuracy")
"""Names in the address."""

USUAL = "SYNT_AA_0005_20260101"
"""Initial patient, with a slice on which the threshold involves a trade-off."""

_measure = component("lesson_measure", "lessons/measuring/measure", *SHARED_STYLES)


def draw(lesson: Lesson) -> None:
    """Draw the lesson between its question and the check."""
    stack = slice_choice.choose(lesson, USUAL)
    if stack is None:
        return
    analyzed = slice_choice.analyze(stack)
    lesson.prose("Screen: before you start", title=False)
    _one_mask(lesson, analyzed)
    lesson.tasks("measure")
    lesson.prose("In words")
    lesson.prose("Three ways to average")
    averages.draw(lesson)
    lesson.tasks("averages")
    lesson.prose("What a loss asks for")
    losses.draw(lesson)


@st.fragment
def _one_mask(lesson: Lesson, analyzed: Analyzed) -> None:
    stored = analysis.stored_threshold(analyzed.model)
    start = {
        "mask": lesson.choice("mask", MASKS, MASKS[0]),
        "score": lesson.choice("score", SCORES, SCORES[0]),
        "threshold": lesson.number("threshold", 0, 1, 0.5 if stored is None else stored),
    }
    data = slice_message(analyzed, slice=analyzed.stack.keys[0], start=start)
    lesson.write(**_checked(view_of(_measure, lesson.key("measure"), data)))


def _checked(sent: Any) -> Mapping[str, object]:
    # From the browser, so untrusted.
    try:
        mask, score, threshold = sent["mask"], sent["score"], round(float(sent["threshold"]), 2)
    except (KeyError, OverflowError, TypeError, ValueError):
        return {}
    if mask not in MASKS or score not in SCORES or not 0 <= threshold <= 1:
        return {}
    return {"mask": mask, "score": score, "threshold": threshold}
