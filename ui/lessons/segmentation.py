"""What is segmentation? A slice labeled, boxed, and labeled pixel by pixel."""

from __future__ import annotations

import streamlit as st

from ui import lesson_slice
from ui.lesson import Lesson
from ui.lessons.parts import SHARED_SCRIPTS, SHARED_STYLES, read, slice_message

STEPS = ("label", "box", "pixels")
"""Words of the address: what the computer is asked for."""

_steps = st.components.v2.component(
    "lesson_steps",
    html=read("lessons/steps.html"),
    css=read(*SHARED_STYLES, "lessons/steps.css"),
    js=read(*SHARED_SCRIPTS, "lessons/steps.js"),
)


def draw(lesson: Lesson) -> None:
    """Draw the lesson between its question and what to try."""
    stack = lesson_slice.choose(lesson)
    if stack is None:
        return
    analyzed = lesson_slice.analyze(stack)
    _three_answers(lesson, analyzed)
    lesson.prose("In words")


@st.fragment
def _three_answers(lesson: Lesson, analyzed) -> None:
    start = lesson.choice("step", STEPS, STEPS[0])
    result = _steps(
        key=lesson.key("steps"),
        data=slice_message(analyzed, step=start),
        on_view_change=lambda: None,
    )
    sent = result.view or {}
    if sent.get("step") in STEPS:
        lesson.write(step=sent["step"])
