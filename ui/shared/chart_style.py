"""Common colors and layout of the charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

BLUE, VERMILION, GRAY = "#2B83C6", "#D55E00", "#7F7F7F"


def finished(figure: go.Figure, height: int) -> go.Figure:
    """Apply the common layout; dragging a finger over a figure scrolls the page."""
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 48, "b": 8},
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
        },
        dragmode=False,
        hovermode="closest",
    )
    figure.update_xaxes(automargin=True, fixedrange=True)
    figure.update_yaxes(automargin=True, fixedrange=True)
    return figure


def add_line(
    figure: go.Figure,
    x: Sequence[Any],
    y: Sequence[Any],
    name: str,
    style: tuple[str, str, str],
    hover: str,
    size: int = 8,
    **options: Any,
) -> None:
    """Add a line with a mark at each point.

    Args:
        figure: The figure.
        x, y: Coordinates.
        name: Name in the legend.
        style: Color, line style and symbol.
        hover: Template of the hover text.
        size: Size of the marks.
        options: Further options of `plotly.graph_objects.Figure.add_scatter`.
    """
    color, dash, symbol = style
    figure.add_scatter(
        x=list(x),
        y=list(y),
        name=name,
        mode="lines+markers",
        line={"color": color, "dash": dash, "width": 2},
        marker={"color": color, "symbol": symbol, "size": size},
        hovertemplate=hover,
        **options,
    )


def outline(color: str) -> dict[str, object]:
    """Return a marker's outline in its own color, which a presentation thickens on a large screen."""
    return {"width": 1, "color": color}


def add_row_title(figure: go.Figure, title: str, y: float) -> None:
    """Write a row's title above its marks, not beside them: a phone's width is left to the scale."""
    figure.add_annotation(
        text=title, x=0, xref="paper", xanchor="left", y=y, yanchor="middle", showarrow=False
    )


def jitter(index: int) -> float:
    """Return a shift from -0.5 to 0.5; its deterministic even spread separates dots of equal value."""
    return (index * 0.618034) % 1 - 0.5


def error_bar(
    value: float, interval: tuple[float, float] | None, color: str
) -> dict[str, object] | None:
    """Return Plotly's error bar for an interval around ``value``; None without one."""
    if not interval:
        return None
    low, high = interval
    return {
        "type": "data",
        "array": [high - value],
        "arrayminus": [value - low],
        "thickness": 3,
        "width": 7,
        "color": color,
    }


def draw_chart(figure: go.Figure, key: str, alt: str, **options: Any) -> None:
    """Draw a figure without plotly's bar of buttons.

    Args:
        figure: The figure.
        key: Key of the chart, unique on the page.
        alt: What it shows, for those who cannot see it.
        options: Further options of `st.plotly_chart`.
    """
    st.plotly_chart(figure, key=key, alt=alt, config={"displayModeBar": False}, **options)
