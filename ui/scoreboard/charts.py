"""Plotly figures of the Scoreboard: pure functions from numbers to figures. See also
`ui.scoreboard.curves` and `ui.scoreboard.strip_plot`.

Streamlit's theme sets backgrounds, grids and fonts when a figure is drawn. Everything set
here is legible on light and dark (contrast of 3 or more on both), and items that differ in color
(Okabe & Ito 2008) also differ in symbol or line style.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.shared.chart_style import BLUE, GRAY, VERMILION, add_line, finished


def confusion(counts: Mapping[str, int]) -> go.Figure:
    """Draw the confusion matrix; the color of a cell deepens with its share of the row.

    Args:
        counts: Slices by outcome: ``tp``, ``fp``, ``fn``, ``tn``.
    """
    cells = [[counts["tn"], counts["fp"]], [counts["fn"], counts["tp"]]]
    shares = [[each / max(sum(row), 1) for each in row] for row in cells]
    says, truths = ["says no", "says yes"], ["no tumor", "tumor"]
    figure = go.Figure(
        go.Heatmap(
            z=shares,
            x=says,
            y=truths,
            # At most half opaque, so that the theme's text is legible on every cell.
            colorscale=[[0, "rgba(43, 131, 198, 0.05)"], [1, "rgba(43, 131, 198, 0.5)"]],
            zmin=0,
            zmax=1,
            showscale=False,
            xgap=4,
            ygap=4,
            hovertemplate="%{y}, network %{x}: %{z:.1%} of this row's slices<extra></extra>",
        )
    )
    figure.add_scatter(
        x=says * 2,
        y=[truth for truth in truths for _ in says],
        text=[
            f"<b>{each:,}</b><br>{100 * share:.1f}%"
            for row, part in zip(cells, shares, strict=True)
            for each, share in zip(row, part, strict=True)
        ],
        mode="text",
        hoverinfo="skip",
        showlegend=False,
    )
    figure.update_xaxes(showgrid=False, side="top")
    figure.update_yaxes(showgrid=False, autorange="reversed")
    return finished(figure, height=220)


def dice_by_pixels(pixels: Sequence[int], dice: Sequence[float], names: Sequence[str]) -> go.Figure:
    """Draw one mark per slice: its Dice against the size of its tumor.

    Args:
        pixels: True pixels of each slice, 1 or more.
        dice: Dice of each slice, 0 to 1; a Dice of 0, with no tumor pixel found, is a cross.
        names: Names shown on hover.
    """
    figure = go.Figure()
    slices = list(zip(pixels, dice, names, strict=True))
    groups = (
        ("found, at least in part", BLUE, "circle", [each for each in slices if each[1] > 0]),
        ("missed", VERMILION, "x", [each for each in slices if each[1] == 0]),
    )
    for name, color, symbol, group in groups:
        if not group:
            continue
        figure.add_scatter(
            x=[each[0] for each in group],
            y=[each[1] for each in group],
            customdata=[each[2] for each in group],
            mode="markers",
            marker={"size": 8, "color": color, "symbol": symbol, "opacity": 0.7},
            name=f"{name}: {len(group)}",
            hovertemplate="%{customdata}<br>%{x:,} px, Dice %{y:.3f}<extra></extra>",
            cliponaxis=False,
        )
    figure.update_xaxes(title="Pixels of tumor in the slice", type="log", tickformat=",", dtick=1)
    figure.update_yaxes(title="Dice", range=[-0.03, 1.03])
    return finished(figure, height=310)


def size_bars(groups: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Draw mean Dice and the share of slices found, by size of the tumor in the slice.

    Args:
        groups: ``from``, ``to``, ``slices``, ``dice``, ``found``, from `metrics.score_by_size`.
    """
    # Upright labels on two lines: five of them must fit side by side on a phone.
    titles = [range_of(each).replace(" ", "<br>", 1) for each in groups]
    figure = go.Figure()
    for key, name, color, pattern in (
        ("found", "found at all", GRAY, "/"),
        ("dice", "Dice", BLUE, ""),
    ):
        figure.add_bar(
            x=titles,
            y=[each[key] for each in groups],
            name=name,
            marker={"color": color, "pattern": {"shape": pattern, "fillmode": "replace"}},
            customdata=[each["slices"] for each in groups],
            hovertemplate="%{y:.3f} of %{customdata} slices<extra>" + name + "</extra>",
        )
    figure.update_xaxes(title="Pixels of tumor in the slice", tickangle=0)
    figure.update_yaxes(range=[0, 1.02])
    figure.update_layout(barmode="group", bargap=0.25)
    return finished(figure, height=310)


def training(history: Sequence[Mapping[str, Any]], score: str) -> go.Figure:
    """Draw the loss of each epoch and, below, the validation score if it was ever computed.

    Args:
        history: Rows of a record: ``epoch``, ``loss``, ``score`` (None if not computed).
        score: Name of the score.
    """
    curves = [(history, "loss", "loss on training slices", (VERMILION, "dash", "square"))]
    if scored := [each for each in history if each.get("score") is not None]:
        curves.append((scored, "score", f"{score}, validation", (BLUE, "solid", "circle")))
    figure = make_subplots(rows=len(curves), cols=1, shared_xaxes=True, vertical_spacing=0.08)
    for row, (each, key, name, style) in enumerate(curves, start=1):
        epochs, values = [epoch["epoch"] for epoch in each], [epoch.get(key) for epoch in each]
        hover = "epoch %{x}: %{y:.3f}<extra></extra>"
        add_line(figure, epochs, values, name, style, hover, 6, row=row, col=1)
        figure.update_yaxes(title=key.capitalize(), row=row, col=1)
    figure.update_yaxes(rangemode="tozero", row=1, col=1)
    figure.update_xaxes(title="Epoch", row=len(curves), col=1)
    return finished(figure, height=210 * len(curves))


def range_of(group: Mapping[str, Any]) -> str:
    """Return the size range of a group of `metrics.score_by_size` in words."""
    end = group["to"]
    return f"{group['from']:,} or more" if end is None else f"{group['from']:,} to {end - 1:,}"
