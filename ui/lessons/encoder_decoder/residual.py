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
from ui.shared.chart_style import BLUE, VERMILION, draw_chart, finished
from ui.shared.component_files import component

_block = component(
    "lesson_residual_block", "lessons/encoder_decoder/operations/residual_block", *SHARED_STYLES
)

Entry = dict[str, Any]

_DASHES = ("dashdot", "dot", "dash", "solid")


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
    usual = next(iter(groups))
    key = lesson.key("stack")
    if st.session_state.get(key) not in groups:
        st.session_state[key] = lesson.choice("stack", list(groups), usual)
    chosen = st.segmented_control(
        "Gradients of", list(groups), format_func=GROUPS.get, key=key, required=True
    )
    lesson.write(stack=None if chosen == usual else chosen)
    alt = "Gradient at each layer, from the slice to the answer."
    draw_chart(figure(groups[chosen]), lesson.key("gradients"), alt)
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
    dashes = _dashes([arm["key"] for arm in arms])
    for arm in arms:
        drawn.add_scatter(
            x=[row["slices"] for row in arm["curve"]],
            y=[row["loss"] for row in arm["curve"]],
            mode="lines",
            name=arm["title"],
            legendgroup=arm["key"],
            showlegend=arm["key"] not in named,
            line={
                "color": BLUE if _has_way_past(arm) else VERMILION,
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


def figure(entries: Sequence[Entry]) -> go.Figure:
    """Draw a line an entry: layers from the slice to the answer, gradient norms on a log scale.

    Color distinguishes networks with shortcuts from those without. Dashes tell stacks apart, as in
    `losses`, and networks before training from trained ones.
    """
    drawn = go.Figure()
    by = "when" if len({entry["when"] for entry in entries}) > 1 else "key"
    dashes = _dashes([entry[by] for entry in entries])
    for entry in entries:
        layers = entry["layers"]
        color = BLUE if _has_way_past(entry) else VERMILION
        title = entry["title"] + (", trained" if entry["when"] == "trained" else "")
        drawn.add_scatter(
            # By relative depth, since the networks of a group may have different layers.
            x=[100 * step / max(len(layers) - 1, 1) for step in range(len(layers))],
            y=[layer["norm"] for layer in layers],
            customdata=[layer["name"] for layer in layers],
            mode="lines",
            name=title,
            line={"color": color, "dash": dashes[entry[by]], "width": 2.5},
            hovertemplate="%{customdata}: %{y:.2g}<extra>" + title + "</extra>",
        )
    drawn.update_xaxes(
        title="Depth, from the slice to the answer",
        tickvals=[0, 50, 100],
        ticktext=["first layer", "half way", "last layer"],
        range=[-3, 103],
    )
    norms = [layer["norm"] for entry in entries for layer in entry["layers"] if layer["norm"] > 0]
    wide = bool(norms) and max(norms) > 1e5 * min(norms)
    drawn.update_yaxes(
        title="Gradient over weights",
        type="log",
        exponentformat="power",
        dtick=2 if wide else "D2",  # two decades, or 1, 2 and 5 of each
    )
    return finished(drawn, height=430)


def _dashes(words: Sequence[str]) -> dict[str, str]:
    # The last one, which the others are compared with, is solid.
    known = list(dict.fromkeys(words))
    return dict(zip(known, _DASHES[-len(known) :], strict=True))


def _has_way_past(entry: Entry) -> bool:
    return entry["key"].startswith("residual") or entry["key"] == "unet_joined"
