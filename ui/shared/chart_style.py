"""Common colors and layout of the charts."""

from __future__ import annotations

import plotly.graph_objects as go

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


def outline(color: str) -> dict[str, object]:
    """Return a marker's outline in its own color, which a presentation thickens on a large screen."""
    return {"width": 1, "color": color}


def error_bar(value: float, interval: tuple[float, float], color: str) -> dict[str, object]:
    """Return Plotly's error bar for an interval around ``value``."""
    low, high = interval
    return {
        "type": "data",
        "array": [high - value],
        "arrayminus": [value - low],
        "thickness": 3,
        "width": 7,
        "color": color,
    }
