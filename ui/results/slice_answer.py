"""The two answers for one slice, in large type: is there a tumor, and how much is marked?"""

from __future__ import annotations

import streamlit as st

from btmodels.measurement.measure import square_millimeters
from btmodels.measurement.study import percent
from btmodels.slices import Analysis

_WAITING = "…"


def draw_slice_answer(shown: Analysis | None, fill: bool = False) -> None:
    """Draw the verdict and the marked area, side by side or as the styles lay
    them out.

    Args:
        shown: The analysis at the viewer's threshold; None while the networks are still running.
        fill: Fill the height of the column.
    """
    height = "stretch" if fill else "content"
    answers = st.container(horizontal=True, gap="small", height=height, key="answers")
    with answers.container(height=height, key="verdict"):
        _draw_metric(
            "Is there a tumor?",
            None if shown is None else "Yes" if shown.verdict.tumor else "No",
            None if shown is None else f"{percent(shown.verdict.probability)} probability",
            height,
        )
    with answers.container(height=height, key="measure"):
        _draw_metric(
            "Marked in this slice",
            None if shown is None else _marked(shown),
            None if shown is None else _overlap(shown),
            height,
        )


def _marked(shown: Analysis) -> str:
    area = square_millimeters(shown)
    return f"{shown.marked_pixels:,} px" if area is None else f"{area:,.0f} mm²"


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
