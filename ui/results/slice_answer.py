"""The two answers about one slice, large: is there a tumor, and what is marked?"""

from __future__ import annotations

import streamlit as st

from btmodels.measurement.study import percent
from btmodels.slices import Analysis

_WAITING = "…"


def draw_slice_answer(shown: Analysis | None, fill: bool = False) -> None:
    """Draw the classifier's verdict and what the segmenter marks, side by side or as styles have it.

    Args:
        shown: At the viewer's threshold; None while the networks are still at work.
        fill: Be as tall as the column.
    """
    height = "stretch" if fill else "content"
    answers = st.container(horizontal=True, gap="small", height=height, key="answers")
    with answers.container(height=height, key="verdict"):
        _draw_metric(
            "Is there a tumor?",
            None if shown is None else "Yes" if shown.tumor else "No",
            None if shown is None else _probability(shown),
            height,
        )
    with answers.container(height=height, key="measure"):
        _draw_metric(
            "Marked in this slice",
            None if shown is None else f"{shown.marked_pixels:,} px",
            None if shown is None else _overlap(shown),
            height,
        )


def _probability(shown: Analysis) -> str:
    return f"{percent(shown.prediction.tumor_probability)} probability"


def _overlap(shown: Analysis) -> str:
    if shown.dice is None:
        return f"{100 * shown.slice_share:.1f}% of the slice"
    return f"Dice {shown.dice:.2f}"


def _draw_metric(label: str, value: str | None, note: str | None, height: str) -> None:
    st.metric(
        label,
        value or _WAITING,
        note or _WAITING,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height=height,
    )
