"""Strip plot with a dot for each patient: our networks, publications, and the band of two experts."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from ui.results.published import PatientRow
from ui.shared.chart_style import (
    BLUE,
    GRAY,
    VERMILION,
    add_row_title,
    error_bar,
    finished,
    jitter,
    outline,
)

_SPREAD = 0.4
_BAND = "rgba(127, 127, 127, 0.3)"


def patient_dots(
    ours: Sequence[PatientRow],
    published: Sequence[PatientRow] = (),
    experts: tuple[float, float] | None = None,
    row_height: int = 62,
) -> go.Figure:
    """Draw one row per network with a dot per patient, the mean with its interval, and the median.

    Args:
        ours: Rows from top to bottom.
        published: Rows below, with means and medians alone, drawn hollow.
        experts: Mean and spread of two experts' agreement, drawn as a band.
        row_height: Height of each row in pixels.
    """
    figure = go.Figure()
    rows = [*ours, *published]
    last = len(rows) - 1
    for index, row in enumerate(rows):
        level, color = last - index, BLUE if row.chosen else GRAY
        add_row_title(figure, f"<b>{row.title}</b>" if row.chosen else row.title, level + 0.46)
        hollow = index >= len(ours)
        if dots := row.dots():
            figure.add_scatter(
                x=list(dots.values()),
                y=[level + _SPREAD * jitter(i) for i in range(len(dots))],
                mode="markers",
                marker={"size": 7, "color": color, "opacity": 0.7, "line": outline(color)},
                customdata=list(dots),
                hovertemplate="%{customdata}<br>Dice %{x:.3f}<extra>" + row.title + "</extra>",
                showlegend=False,
            )
        _add_summary(figure, row, level, VERMILION if row.chosen else GRAY, hollow)
    if experts:
        mean, spread = experts
        figure.add_vrect(x0=mean - spread, x1=mean + spread, fillcolor=_BAND, line_width=0)
        figure.add_vline(x=mean, line={"color": GRAY, "width": 1, "dash": "dot"})
    _add_dot_legend(figure, bool(published), bool(experts))
    lowest = [
        value for row in rows for value in (*row.dots().values(), *(row.interval or ()), row.mean)
    ]
    low = min([value for value in lowest if value is not None], default=0.0)
    figure.update_yaxes(
        range=[-0.4, last + 0.7], showticklabels=False, showgrid=False, zeroline=False
    )
    figure.update_xaxes(title="Dice", range=[max(0.0, low - 0.05) if low > 0.05 else -0.03, 1.01])
    return finished(figure, height=110 + row_height * len(rows))


def _add_summary(figure: go.Figure, row: PatientRow, level: int, color: str, hollow: bool) -> None:
    common = {"y": [level], "mode": "markers", "showlegend": False}
    if row.median is not None:
        figure.add_scatter(
            x=[row.median],
            marker={"symbol": "line-ns", "size": 26, "line": {"width": 3, "color": color}},
            hovertemplate="median %{x:.3f}<extra>" + row.title + "</extra>",
            **common,
        )
    if row.mean is None:
        return
    words = ""
    if row.interval:
        words = "<br>{} {:.3f} to {:.3f}".format(row.interval_title, *row.interval)
    figure.add_scatter(
        x=[row.mean],
        marker={
            "symbol": "diamond-open" if hollow else "diamond",
            "size": 13,
            "color": color,
            "line": {"width": 2, "color": color},
        },
        error_x=error_bar(row.mean, row.interval, color),
        hovertemplate="mean %{x:.3f}" + words + "<extra>" + row.title + "</extra>",
        **common,
    )


def _add_dot_legend(figure: go.Figure, published: bool, experts: bool) -> None:
    # Color distinguishes the chosen row from the others, so symbols in the legend are gray.
    keys = [
        ("a patient", "circle", 0, GRAY),
        ("mean, 95% interval", "diamond", 0, GRAY),
        ("median", "line-ns", 3, GRAY),
    ]
    keys += [("published mean", "diamond-open", 2, GRAY)] * published
    keys += [("two experts", "square", 0, _BAND)] * experts
    for name, symbol, width, color in keys:
        marker = {"symbol": symbol, "size": 12, "color": color}
        marker["line"] = {"width": width, "color": color}
        figure.add_scatter(x=[None], y=[None], mode="markers", marker=marker, name=name)
