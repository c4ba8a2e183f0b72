"""Figures for a projector: they fill the space given by ``present_page.css``, in large type."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

from ui.shared.chart_style import draw_chart

LETTERS = 28
"""Font size that the layout leaves room for, in pixels; the page's styles make it smaller."""

_GRID = "#2a343e"


def project(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a figure as large as the screen allows.

    Args:
        figure: The figure; its size, fonts and grid are changed.
        key: Key of the widget.
        alt: Alternative text.
    """
    figure.update_layout(height=None, font_size=LETTERS, legend_font_size=LETTERS)
    figure.update_layout(margin={"l": 8, "r": 24, "t": 96, "b": 16})
    figure.update_annotations(font_size=LETTERS)
    axis = {"gridcolor": _GRID, "tickfont_size": LETTERS, "title_font_size": LETTERS}
    figure.update_xaxes(automargin=True, **axis)
    figure.update_yaxes(automargin=True, **axis)
    with st.container(key="projected", height="stretch"):
        draw_chart(figure, key, alt, height="stretch")
