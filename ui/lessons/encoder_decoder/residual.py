"""The residual block drawn, deep stacks trained with and without it, and the gradients measured through
stacks and U-Nets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from ui.lessons.lesson import WIDTH, Lesson
from ui.lessons.shared.parts import SHARED_STYLES
from ui.results import experiments
from ui.results.gradient_figures import dashes_of, gradients, has_shortcut
from ui.shared.chart_style import BLUE, VERMILION, draw_chart, finished
from ui.shared.component_files import component

_block = component(
    "lesson_residual_block", "lessons/encoder_decoder/operations/residual_block", *SHARED_STYLES
)

Entry = dict[str, Any]


def draw_block(lesson: Lesson) -> None:
    """Draw the block with a removable shortcut, and its effect on a gradient."""
    _block(key=lesson.key("block"), data={})


def draw_stacks(lesson: Lesson) -> None:
    """Draw how the stacks learned, or say that it is not measured here."""
    found = experiments.read("stacks")
    if found is None:
        experiments.say_missing("stacks")
        return
    alt = "Loss of each stack while it is trained."
    draw_chart(losses(found["arms"]), lesson.key("losses"), alt)
    st.dataframe(
        rows(found),
        hide_index=True,
        column_config={
            title: st.column_config.NumberColumn(format=form) for title, form in _FORMATS.items()
        },
    )
    with st.container(width=WIDTH):
        experiments.say_budget(found)


@st.fragment
def draw(lesson: Lesson) -> None:
    """Draw the measured gradients, or say that they are missing."""
    groups = _groups(
        [
            (name, each)
            for name in ("stacks", "skips")
            for each in (experiments.read(name) or {}).get("gradients", ())
        ]
    )
    if not groups:
        experiments.say_missing("stacks")
        return
    words = {key: GROUPS[key] for key in groups}
    chosen = lesson.select(
        "stack", "Gradients of", words, control=st.segmented_control, required=True
    )
    alt = "Gradient at each layer, from the slice to the answer."
    draw_chart(gradients(groups[chosen]), lesson.key("gradients"), alt)
    with st.container(width=WIDTH):
        st.markdown(
            "For each kernel, the size of the loss's gradient divided by the size of the kernel itself, "
            "the mean of all seeds. Glorot and He initialization are two rules for the size of the first "
            "random numbers. The scale is logarithmic."
        )


GROUPS = {
    "chains": "Stacks, before training",
    "trained": "Stacks, after training",
    "unets": "U-Nets",
}
"""Of gradients, by word of the address."""


def _groups(entries: Sequence[tuple[str, Entry]]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {group: [] for group in GROUPS}
    for name, each in entries:
        stack = "trained" if each["when"] == "trained" else "chains"
        found["unets" if name == "skips" else stack].append(each)
    return {group: members for group, members in found.items() if members}


def losses(arms: Sequence[Entry]) -> go.Figure:
    """Draw the loss of each stack by slices trained on, a line a seed."""
    drawn = go.Figure()
    named: set[str] = set()
    dashes = dashes_of([arm["key"] for arm in arms])
    for arm in arms:
        drawn.add_scatter(
            x=[row["slices"] for row in arm["curve"]],
            y=[row["loss"] for row in arm["curve"]],
            mode="lines",
            name=arm["title"],
            legendgroup=arm["key"],
            showlegend=arm["key"] not in named,
            line={
                "color": BLUE if has_shortcut(arm) else VERMILION,
                "dash": dashes[arm["key"]],
                "width": 2,
            },
            hovertemplate="%{x:,} slices: %{y:.3f}<extra>" + arm["title"] + "</extra>",
        )
        named.add(arm["key"])
    drawn.update_xaxes(title="Slices trained on", rangemode="tozero")
    drawn.update_yaxes(title="Loss")
    return finished(drawn, height=400)


def rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a row a stack: the mean of its seeds, and the gradient at its first layer."""
    norms = {(each["key"], each["when"]): each["layers"][0]["norm"] for each in found["gradients"]}
    arms: dict[str, list[Entry]] = {}
    for arm in found["arms"]:
        arms.setdefault(arm["key"], []).append(arm)
    return [
        {
            "Stack": seeds[0]["title"],
            "Loss at the end": float(np.mean([arm["curve"][-1]["loss"] for arm in seeds])),
            "Mean Dice": float(np.mean([arm["score"]["mean_dice"] or 0 for arm in seeds])),
            "Lowest seed": min(arm["score"]["mean_dice"] or 0 for arm in seeds),
            "Highest seed": max(arm["score"]["mean_dice"] or 0 for arm in seeds),
            "First layer's gradient, before": norms[key, "start"],
            "and after": norms[key, "trained"],
        }
        for key, seeds in arms.items()
    ]


_FORMATS = {
    "Loss at the end": "%.2f",
    "Mean Dice": "%.2f",
    "Lowest seed": "%.2f",
    "Highest seed": "%.2f",
    "First layer's gradient, before": "%.2g",
    "and after": "%.2g",
}
