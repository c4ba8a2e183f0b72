"""Lesson *What is segmentation?*: four ways to a mask, starting with drawing; a label, a box and a mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui.lessons import slice_choice
from ui.lessons.lesson import Lesson
from ui.lessons.shared.parts import SHARED_STYLES, slice_message
from ui.results import scores
from ui.session import analysis
from ui.session.stack import Analyzed
from ui.shared.component_files import component, view_of

STEPS = ("label", "box", "pixels")
WAYS = ("hand", "threshold", "region", "network")
"""Names in the address: the task type, and the method that makes the mask."""

LEVELS, TOLERANCES = 255, 80
"""Largest pixel level, and largest tolerance of region growing."""

USUAL_LEVEL, USUAL_TOLERANCE = 90, 12

_types_panel = component("lesson_steps", "lessons/segmentation/task_types", *SHARED_STYLES)
_methods_panel = component("lesson_ways", "lessons/segmentation/marking_methods", *SHARED_STYLES)


def draw(lesson: Lesson) -> None:
    """Draw the lesson between its question and the check."""
    stack = slice_choice.choose(lesson)
    if stack is None:
        return
    analyzed = slice_choice.analyze(stack)
    lesson.prose("Your turn first")
    _marking_methods(lesson, analyzed)
    lesson.tasks("drawing")
    lesson.prose("Four ways to a mask")
    lesson.tasks("marking-methods")
    lesson.prose("What the four ways show")
    lesson.prose("Label, box, mask")
    _task_types(lesson, analyzed)
    lesson.tasks("task-types")
    lesson.prose("In words")


@st.fragment
def _task_types(lesson: Lesson, analyzed: Analyzed) -> None:
    data = slice_message(analyzed, step=lesson.choice("step", STEPS, STEPS[0]))
    sent = view_of(_types_panel, lesson.key("steps"), data)
    if sent.get("step") in STEPS:
        lesson.write(step=sent["step"])


@st.fragment
def _marking_methods(lesson: Lesson, analyzed: Analyzed) -> None:
    rows, cols = analyzed.stack.slices[0].pixels.shape[:2]
    stored = analysis.stored_threshold(analyzed.model)
    start = {
        "way": lesson.choice("way", WAYS, WAYS[0]),
        "level": round(lesson.number("level", 0, LEVELS, USUAL_LEVEL)),
        "tolerance": round(lesson.number("tolerance", 0, TOLERANCES, USUAL_TOLERANCE)),
        "threshold": lesson.number("threshold", 0, 1, 0.5 if stored is None else stored),
        "seed": _seed(lesson, rows, cols),
    }
    data = slice_message(analyzed, slice=analyzed.stack.keys[0], start=start, slices=_test_slices())
    sent = view_of(_methods_panel, lesson.key("ways"), data)
    lesson.write(**_checked(sent, rows, cols))


def _seed(lesson: Lesson, rows: int, cols: int) -> list[int] | None:
    row = lesson.number("row", 0, rows - 1, -1)
    col = lesson.number("column", 0, cols - 1, -1)
    return [int(row), int(col)] if row >= 0 and col >= 0 else None


def _checked(sent: Any, rows: int, cols: int) -> Mapping[str, object]:
    # From the browser, so untrusted.
    try:
        way, (row, col) = sent["way"], sent["seed"] or (None, None)
        state = {
            "way": way,
            "level": int(sent["level"]),
            "tolerance": int(sent["tolerance"]),
            "threshold": round(float(sent["threshold"]), 2),
            "row": None if row is None else int(row),
            "column": None if col is None else int(col),
        }
    except (KeyError, OverflowError, TypeError, ValueError):
        return {}
    within = 0 <= (state["row"] or 0) < rows and 0 <= (state["column"] or 0) < cols
    within = within and 0 <= state["level"] <= LEVELS and 0 <= state["tolerance"] <= TOLERANCES
    return state if way in WAYS and within and 0 <= state["threshold"] <= 1 else {}


def _test_slices() -> dict[str, int] | None:
    # The number of patients and slices to outline manually, from the scores of the test patients.
    found, _ = scores.read("default")
    patients = found.get("test", {}).get("patients", {})
    if not patients:
        return None
    tumor = sum(patient["tumor_slices"] for patient in patients.values())
    return {"patients": len(patients), "tumor": tumor}
