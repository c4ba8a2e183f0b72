"""The residual block, and gradients measured in chains and U-Nets with and without skips."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from btmodels import paths
from btmodels.teaching import skip_ablation
from ui.lessons.lesson import Lesson
from ui.lessons.shared.parts import SHARED_STYLES
from ui.shared.chart_style import BLUE, VERMILION, finished
from ui.shared.component_files import module, read

_block = st.components.v2.component(
    "lesson_residual_block",
    html=read("lessons/encoder_decoder/operations/residual_block.html"),
    css=read(*SHARED_STYLES, "lessons/encoder_decoder/operations/residual_block.css"),
    js=module("lessons/encoder_decoder/operations/residual_block.js"),
)

_MISSING = (
    "Gradients through plain and residual stacks are not measured in this copy of the project: "
    "`python -m train skips` measures them and writes assets/metrics/skips.json."
)
CHAINS = ("plain", "residual")
"""Prefixes of chains' keys, followed by the weight initialization."""

_DASHES = ("solid", "dash", "dot", "dashdot")


def draw_block(lesson: Lesson) -> None:
    """Draw the block with a removable shortcut, and its effect on a gradient."""
    _block(key=lesson.key("block"), data={})


def draw(lesson: Lesson) -> None:
    """Draw the measured gradients, or say that they are missing."""
    results = skip_ablation.read_results(paths.ASSETS)
    entries = results.get("gradients", [])
    if not entries:
        st.info(_MISSING, icon=":material/pending:")
        return
    groups = _groups(entries)
    usual = next(iter(groups))
    key = lesson.key("stack")
    if st.session_state.get(key) not in groups:
        st.session_state[key] = lesson.choice("stack", list(groups), usual)
    chosen = st.segmented_control(
        "Gradients of", list(groups), format_func=groups_words, key=key, required=True
    )
    lesson.write(stack=None if chosen == usual else chosen)
    st.plotly_chart(
        figure(groups[chosen]), key=lesson.key("gradients"), config={"displayModeBar": False}
    )
    st.markdown(
        f"Measured beforehand by `{results['command']}`: for each kernel, the size of the "
        "loss's gradient divided by the size of the kernel itself, averaged over "
        f"{results['draws']} random starts (for trained networks, one). Glorot's and He's start are two "
        "rules for how large the random numbers are at first. The scale is logarithmic."
    )


def groups_words(group: str) -> str:
    """Return a group's label on the page."""
    return {"chains": "Chains of layers", "unets": "U-Nets"}[group]


def _groups(entries: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    unets = [entry for entry in entries if entry["key"].startswith("unet")]
    chains = [entry for entry in entries if entry not in unets]
    found = {"chains": chains, "unets": unets}
    return {group: members for group, members in found.items() if members}


def figure(entries: list[dict[str, Any]]) -> go.Figure:
    """Draw one line per entry: gradient norms on a log scale, by layer in forward order.

    Color distinguishes networks with shortcuts from those without; dashes show other differences.
    """
    drawn = go.Figure()
    variants = list(dict.fromkeys(_variant(entry) for entry in entries))
    for entry in entries:
        layers = entry["layers"]
        color = BLUE if _has_way_past(entry) else VERMILION
        dash = _DASHES[variants.index(_variant(entry)) % len(_DASHES)]
        title = entry["title"] + (", trained" if entry["when"] == "trained" else "")
        drawn.add_scatter(
            # By relative depth, since the networks of a group may have different layers.
            x=[100 * step / max(len(layers) - 1, 1) for step in range(len(layers))],
            y=[layer["norm"] for layer in layers],
            customdata=[layer["name"] for layer in layers],
            mode="lines",
            name=title,
            line={"color": color, "dash": dash, "width": 2.5},
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


def _variant(entry: dict[str, Any]) -> tuple[str, str]:
    return entry["key"].partition("_")[2] * entry["key"].startswith(CHAINS), entry["when"]


def _has_way_past(entry: dict[str, Any]) -> bool:
    return entry["key"].startswith("residual") or entry["key"] == "unet_joined"
