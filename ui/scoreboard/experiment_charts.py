"""Plotly figures of the experiments: pure functions from numbers to figures, as in
`ui.scoreboard.charts`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


def gradients(entries: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Draw a line an entry: layers from the slice to the answer, gradient norms on a log scale.

    Color distinguishes networks with shortcuts from those without. Dashes tell stacks apart, as in
    `ui.lessons.encoder_decoder.residual.losses`, and networks before training from trained ones.
    """
    drawn = go.Figure()
    by = "when" if len({entry["when"] for entry in entries}) > 1 else "key"
    dashes = dashes_of([entry[by] for entry in entries])
    for entry in entries:
        layers = entry["layers"]
        color = BLUE if has_shortcut(entry) else VERMILION
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


def dashes_of(words: Sequence[str]) -> dict[str, str]:
    """Return a line style for each word; the last, which the others are compared with, is solid."""
    known = list(dict.fromkeys(words))
    return dict(zip(known, ("dashdot", "dot", "dash", "solid")[-len(known) :], strict=True))


def has_shortcut(entry: Mapping[str, Any]) -> bool:
    """Return whether a network of an experiment has residuals or skips."""
    return entry["key"].startswith("residual") or entry["key"] == "unet_joined"


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
