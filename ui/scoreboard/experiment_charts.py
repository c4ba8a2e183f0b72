"""Plotly figures of the experiments: pure functions from numbers to figures, as in
`ui.scoreboard.charts`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from btmodels.metrics import overlap
from ui.shared.chart_style import (
    BLUE,
    GRAY,
    VERMILION,
    add_line,
    add_row_title,
    error_bar,
    finished,
    jitter,
)

GREEN, PURPLE, OCHRE = "#1B8F6B", "#B0599B", "#B07A00"

STYLES = (
    (BLUE, "solid", "circle"),
    (VERMILION, "dash", "square"),
    (GRAY, "dot", "diamond"),
    (GREEN, "dashdot", "cross"),
    (PURPLE, "longdash", "triangle-up"),
    (OCHRE, "longdashdot", "x"),
)
"""Color, line style and symbol of each arm; two arms differ in all three."""


@dataclass(frozen=True)
class IntervalRow:
    """One row of `intervals`.

    Attributes:
        title: Label above the mark.
        value: The value; None if undefined.
        interval: Low and high; None if not known.
        words: Further hover text.
    """

    title: str
    value: float | None
    interval: Sequence[float] | None = None
    words: str = ""


def intervals(rows: Sequence[IntervalRow], axis: str, zero: bool = False) -> go.Figure:
    """Draw one mark with its interval per row.

    Args:
        rows: Rows from top to bottom.
        axis: Title of the scale.
        zero: Draw a line at 0, for differences.
    """
    figure = go.Figure()
    last = len(rows) - 1
    for index, row in enumerate(rows):
        level = last - index
        add_row_title(figure, row.title, level + 0.42)
        if row.value is None:
            continue
        words = ["%{x:.3f}"]
        if row.interval:
            words.append("95% interval {:.3f} to {:.3f}".format(*row.interval))
        if row.words:
            words.append(row.words)
        figure.add_scatter(
            x=[row.value],
            y=[level],
            mode="markers",
            marker={"symbol": "diamond", "size": 12, "color": VERMILION},
            error_x=error_bar(row.value, row.interval, BLUE),
            showlegend=False,
            hovertemplate=f"{'<br>'.join(words)}<extra>{row.title}</extra>",
        )
    if zero:
        figure.add_vline(x=0, line={"color": GRAY, "width": 1, "dash": "dot"})
    figure.update_yaxes(
        range=[-0.5, last + 0.75], showticklabels=False, showgrid=False, zeroline=False
    )
    figure.update_xaxes(title=axis)
    # Two lines of text per row, or the smallest legible height for many rows.
    row_height = 46 if len(rows) <= 12 else 34
    figure = finished(figure, height=90 + row_height * max(len(rows), 1))
    figure.update_layout(margin={"t": 12})
    return figure


def curves(
    arms: Sequence[tuple[str, Sequence[float], Sequence[float]]], x: str, y: str
) -> go.Figure:
    """Draw one line per arm.

    Args:
        arms: Name, x values and y values of each arm.
        x, y: Titles of the axes.
    """
    figure = go.Figure()
    for index, (name, positions, values) in enumerate(arms):
        hover = "%{x:,.0f}: %{y:.3f}<extra>" + name + "</extra>"
        add_line(figure, positions, values, name, STYLES[index % len(STYLES)], hover)
    figure.update_xaxes(title=x, rangemode="tozero")
    figure.update_yaxes(title=y)
    # A legend with several names takes extra rows on a phone.
    return finished(figure, height=360 + 10 * len(arms))


def groups(values: Mapping[str, Mapping[str, Sequence[float]]], axis: str) -> go.Figure:
    """Draw one dot per patient by cluster, true masks next to predicted ones.

    Args:
        values: One value per patient, by kind of mask and cluster.
        axis: Title of the scale.
    """
    figure = go.Figure()
    clusters = sorted({code for kind in values.values() for code in kind})
    for number, (kind, by_cluster) in enumerate(values.items()):
        color, _, symbol = STYLES[number]
        shift = (number - (len(values) - 1) / 2) * 0.36
        x, y = [], []
        for position, code in enumerate(clusters):
            found = by_cluster.get(code, ())
            x += [position + shift + 0.26 * jitter(index) for index in range(len(found))]
            y += list(found)
        figure.add_scatter(
            x=x,
            y=y,
            mode="markers",
            marker={"color": color, "symbol": symbol, "size": 7, "opacity": 0.75},
            name=kind,
            hovertemplate="%{y:.3f}<extra>" + kind + "</extra>",
        )
        medians = [overlap.median_of(by_cluster.get(code, ())) for code in clusters]
        figure.add_scatter(
            x=[position + shift for position in range(len(clusters))],
            y=medians,
            mode="markers",
            marker={
                "symbol": "line-ew",
                "size": 24,
                "line": {"width": 3, "color": color},
            },
            showlegend=False,
            hovertemplate="median %{y:.3f}<extra>" + kind + "</extra>",
        )
    figure.update_xaxes(
        title="Cluster", tickvals=list(range(len(clusters))), ticktext=clusters, zeroline=False
    )
    figure.update_yaxes(title=axis)
    return finished(figure, height=380)
