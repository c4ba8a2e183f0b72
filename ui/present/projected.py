"""Figures for a projector: they fill the place that ``present_page.css`` gives them, in large letters."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

LETTERS = 28
"""Size of letters that the layout leaves room for, in pixels; the page's styles make them smaller."""

_GRID = "#2a343e"


def project(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a figure as large as the screen allows.

    Args:
        figure: It is changed: its size, its letters, its grid.
        key: Of the widget.
        alt: What it shows, for those who do not see it.
    """
    figure.update_layout(height=None, font_size=LETTERS, legend_font_size=LETTERS)
    figure.update_layout(margin={"l": 8, "r": 24, "t": 96, "b": 16})
    figure.update_annotations(font_size=LETTERS)
    axis = {"gridcolor": _GRID, "tickfont_size": LETTERS, "title_font_size": LETTERS}
    figure.update_xaxes(automargin=True, **axis)
    figure.update_yaxes(automargin=True, **axis)
    with st.container(key="projected", height="stretch"):
        config = {"displayModeBar": False}
        st.plotly_chart(figure, height="stretch", key=key, alt=alt, config=config)
