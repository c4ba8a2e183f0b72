"""Lesson *Transfer learning*: frozen and trained layers, a first layer's kernels, and the savings."""

from __future__ import annotations

from typing import Any

import streamlit as st

from ui.lessons import slice_choice
from ui.lessons.lesson import WIDTH, Lesson
from ui.lessons.shared.parts import SHARED_STYLES
from ui.lessons.transfer import kernels
from ui.results import experiments
from ui.results import transfer_figures as figures
from ui.shared.chart_style import draw_chart
from ui.shared.component_files import component, view_of

ARMS = ("scratch", "frozen", "staged", "handed")
COMPARED = (
    "Ahead says *open* where the interval of the differences contains 0: other patients of this kind "
    "might then reverse it. "
    "Each network was trained once; another training would move the scores as well, and that is "
    "not in the interval. An AUC has no score per patient, so its difference has no interval here."
)
BY = {"slices": "slices", "cpu_seconds": "processor time"}

_freezing_panel = component("lesson_freezing", "lessons/transfer/freezing", *SHARED_STYLES)


def draw(lesson: Lesson) -> None:
    """Draw the lesson between its question and the check."""
    found = experiments.read("transfer")
    cells = found["cells"] if found else []
    lesson.prose("Screen: before you start", title=False)
    _freezing(lesson, cells)
    lesson.tasks("freezing")
    lesson.prose("In words")
    lesson.prose("What the first layer looks for")
    stack = slice_choice.choose(lesson)
    if stack is not None:
        kernels.draw(lesson, stack, cells)
        lesson.tasks("kernels")
    lesson.prose("What it saves")
    if found is None:
        experiments.say_missing("transfer")
        return
    _measured(lesson, found)
    lesson.tasks("figures")
    with st.container(width=WIDTH):
        experiments.say_budget(found)


@st.fragment
def _freezing(lesson: Lesson, cells: list[dict[str, Any]]) -> None:
    start = {
        "arm": lesson.choice("arm", ARMS, "staged"),
        "done": round(lesson.number("done", 0, 100, 0)),
    }
    whole = figures.pick(cells, "vgg16", "segment")
    counts = {cell["arm"]: [cell["trained_parameters"], cell["parameters"]] for cell in whole}
    sent = view_of(_freezing_panel, lesson.key("freezing"), {"start": start, "counts": counts})
    arm, done = sent.get("arm"), sent.get("done")
    if arm in ARMS and isinstance(done, int | float) and 0 <= done <= 100:
        lesson.write(arm=arm, done=int(done))


@st.fragment
def _measured(lesson: Lesson, found: dict[str, Any]) -> None:
    cells = found["cells"]
    there = {(cell["encoder"], cell["task"]) for cell in cells}
    options = [
        f"{encoder}-{task}"
        for encoder in figures.ENCODERS
        for task in figures.TASKS
        if (encoder, task) in there
    ]
    # The clear case first.
    options.sort(key=lambda option: option != "resnet50-segment")
    left, right = st.columns(2)
    with left:
        words = {option: _title(option) for option in options}
        which = lesson.select("which", "Network and question", words)
    with right:
        by = lesson.select("against", "Against", BY, control=st.segmented_control, required=True)
    encoder, task = which.split("-")
    whole = figures.pick(cells, encoder, task)
    with st.container(width=WIDTH):
        st.markdown(f"Where the pretrained encoder comes from: {found['sources'][encoder]}.")
    if whole:
        draw_chart(figures.curves(whole, by), lesson.key("curves"), "Score during training.")
        with st.container(width=WIDTH):
            st.caption(
                "Lines: scored on a part of the validation slices while training goes on. Large open "
                "marks: the final score on all of them, as in the table."
            )
        st.dataframe(figures.table(whole), hide_index=True, column_config=_columns(task))
        if sentences := figures.times(whole):
            st.markdown("Seconds of one processor until a score is first reached:")
            st.markdown("\n".join(f"- {each}" for each in sentences))
    parts = figures.pick(cells, encoder, task, share=None)
    rows = figures.gains(parts)
    if len({cell["share"] for cell in parts}) > 1:
        st.subheader("With fewer patients", anchor=False)
        draw_chart(figures.shares(parts), lesson.key("shares"), "Score by number of patients.")
    if rows:
        st.subheader("Did it help? Compared patient by patient", anchor=False)
        signed = st.column_config.NumberColumn(format="%+.3f")
        plain = st.column_config.NumberColumn(format="%.3f")
        st.dataframe(
            rows,
            hide_index=True,
            column_config={"Difference": signed, "Score": plain, "From scratch": plain},
        )
        with st.container(width=WIDTH):
            st.caption(COMPARED)


def _title(which: str) -> str:
    encoder, task = which.split("-")
    return f"{figures.ENCODERS[encoder]}: {figures.TASKS[task]}"


def _columns(task: str) -> dict[str, Any]:
    column = st.column_config.NumberColumn
    return {
        figures.SCORES[task][1]: column(format="%.3f"),
        "Trained parameters": column(format="localized"),
        "All parameters": column(format="localized"),
        "Processor seconds": column(format="%d"),
    }
