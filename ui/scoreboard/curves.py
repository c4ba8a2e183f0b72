"""Curves over all thresholds: ROC, precision and recall, calibration."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.shared.chart_style import BLUE, GRAY, VERMILION, add_line, finished


def roc(
    false_positive_rate: Sequence[float],
    true_positive_rate: Sequence[float],
    at_threshold: tuple[float, float] | None = None,
) -> go.Figure:
    """Draw the ROC curve.

    Args:
        false_positive_rate, true_positive_rate: Rates at descending thresholds, 0 to 1.
        at_threshold: Both rates at the network's threshold, marked; None leaves the mark out.
    """
    figure = go.Figure()
    _add_curve(figure, false_positive_rate, true_positive_rate, "this network", "linear")
    _add_reference(figure, (0, 1), (0, 1), "chance")
    _add_point(figure, at_threshold)
    return _unit_square(
        figure, "False alarms, share of slices without tumor", "Sensitivity: tumor slices found"
    )


def precision_recall(
    recall: Sequence[float],
    precision: Sequence[float],
    share: float,
    at_threshold: tuple[float, float] | None = None,
) -> go.Figure:
    """Draw the precision-recall curve.

    Args:
        recall, precision: Values at descending thresholds, 0 to 1.
        share: Share of slices with tumor: the precision of calling every slice tumor.
        at_threshold: Recall and precision at the network's threshold.
    """
    figure = go.Figure()
    _add_curve(figure, recall, precision, "this network", "hv")
    _add_reference(figure, (0, 1), (share, share), "chance")
    _add_point(figure, at_threshold)
    return _unit_square(
        figure, "Sensitivity: tumor slices found", "Precision: right when it says tumor"
    )


def reliability(bins: Sequence[tuple[float, float, int]], noun: str) -> go.Figure:
    """Draw the share of positives against the predicted probability, with the number of cases below.

    Args:
        bins: Mean probability, share of positives, and number of cases, from
            `btmodels.metrics.classification.reliability`.
        noun: Name of the counted items, such as ``slices``.
    """
    said, so, number = zip(*bins, strict=True) if bins else ((), (), ())
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, row_heights=[0.75, 0.25], vertical_spacing=0.06
    )
    hover = "predicted %{x:.2f}, with tumor %{y:.2f}<br>%{customdata:,} " + noun + "<extra></extra>"
    style = (BLUE, "solid", "circle")
    where = {"row": 1, "col": 1}
    add_line(figure, said, so, "this network", style, hover, 9, customdata=list(number), **where)
    _add_reference(figure, (0, 1), (0, 1), "perfect calibration", **where)
    figure.add_bar(
        x=list(said),
        y=list(number),
        width=0.05,
        marker={"color": GRAY},
        showlegend=False,
        hovertemplate="%{y:,} " + noun + "<extra></extra>",
        row=2,
        col=1,
    )
    figure.update_yaxes(title="Share with tumor", range=[-0.02, 1.02], row=1, col=1)
    figure.update_yaxes(
        title=noun.capitalize(),
        type="log",
        dtick=2 if max(number, default=0) > 10_000 else 1,
        row=2,
        col=1,
    )
    figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_xaxes(title="Predicted probability", row=2, col=1)
    return finished(figure, height=400)


def _add_curve(figure: go.Figure, x, y, name: str, shape: str) -> None:
    figure.add_scatter(
        x=list(x),
        y=list(y),
        mode="lines",
        line={"color": BLUE, "width": 3, "shape": shape},
        name=name,
        hovertemplate="%{x:.3f}, %{y:.3f}<extra></extra>",
    )


def _add_reference(figure: go.Figure, x, y, name: str, **where: int) -> None:
    figure.add_scatter(
        x=list(x),
        y=list(y),
        mode="lines",
        line={"color": GRAY, "width": 2, "dash": "dash"},
        name=name,
        hoverinfo="skip",
        **where,
    )


def _add_point(figure: go.Figure, point: tuple[float, float] | None) -> None:
    if point:
        figure.add_scatter(
            x=[point[0]],
            y=[point[1]],
            mode="markers",
            marker={"symbol": "diamond", "size": 13, "color": VERMILION},
            name="network's threshold",
            hovertemplate="%{x:.3f}, %{y:.3f}<extra>network's threshold</extra>",
        )


def _unit_square(figure: go.Figure, x: str, y: str) -> go.Figure:
    figure.update_xaxes(title=x, range=[-0.02, 1.02])
    figure.update_yaxes(title=y, range=[-0.02, 1.02])
    return finished(figure, height=400)
