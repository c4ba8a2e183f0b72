"""Plotly figures of gradients by layer, for the Scoreboard and the lesson on encoder and decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from ui.shared.chart_style import BLUE, VERMILION, finished


def gradients(entries: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Draw one line for each network: layers from the slice to the answer, gradient norms on a log scale.

    Color distinguishes networks with shortcuts from those without. Dashes tell stacks apart, and networks
    before training from trained ones.

    Args:
        entries: The networks, with ``key``, ``title``, ``when`` (``start`` or ``trained``) and ``layers``,
            each with ``name`` and ``norm``.
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
