"""Figures of the transfer learning experiment: pure functions from its cells to figures and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from btmodels.metrics.bootstrap import paired_difference
from ui.shared.chart_style import add_line, finished

Cell = dict[str, Any]

ARMS = {
    "scratch": "from scratch",
    "frozen": "frozen",
    "staged": "unfrozen",
    "handed": "transferred",
}
STYLES = {
    "scratch": ("#7F7F7F", "dash", "x"),
    "frozen": ("#2B83C6", "dot", "square"),
    "staged": ("#D55E00", "solid", "circle"),
    "handed": ("#A65394", "dashdot", "diamond"),
}
SCORES = {"segment": ("mean_dice", "Mean Dice of a patient"), "classify": ("auc", "AUC")}
ENCODERS = {"vgg16": "VGG16", "resnet50": "ResNet50", "efficientnet": "EfficientNet-Lite0"}
TASKS = {"segment": "where is it?", "classify": "is there a tumor?"}


def score_of(cell: Cell) -> float | None:
    """Return a cell's score: mean Dice for a segmenter, AUC for a classifier."""
    return cell["score"].get(SCORES[cell["task"]][0])


def interval_of(cell: Cell) -> tuple[float, float] | None:
    """Return the 95% interval of a cell's score."""
    found = cell["score"].get(f"{SCORES[cell['task']][0]}_interval")
    return (found[0], found[1]) if found else None


def pick(cells: Sequence[Cell], encoder: str, task: str, share: float | None = 1.0) -> list[Cell]:
    """Return the cells of an encoder and a task in the order of `ARMS`; share None takes all shares."""
    there = [
        cell
        for cell in cells
        if cell["encoder"] == encoder
        and cell["task"] == task
        and (share is None or cell["share"] == share)
    ]
    return sorted(there, key=lambda cell: (list(ARMS).index(cell["arm"]), cell["share"]))


def curves(cells: Sequence[Cell], by: str) -> go.Figure:
    """Draw the score during training, one line per arm, and the final score as a large open mark.

    During training only some of the validation slices are scored; the final score covers all of them
    with the best weights, and is the one in `table`.

    Args:
        cells: Cells of one encoder and task.
        by: ``slices`` trained on, or ``cpu_seconds``.
    """
    figure = go.Figure()
    for cell in cells:
        (color, _, symbol), name = STYLES[cell["arm"]], ARMS[cell["arm"]]
        rows = [row for row in cell["curve"] if row["score"] is not None]
        hover = "%{x:,}: %{y:.3f}<extra>" + name + "</extra>"
        places, values = [row[by] for row in rows], [row["score"] for row in rows]
        add_line(figure, places, values, name, STYLES[cell["arm"]], hover)
        if rows and score_of(cell) is not None:
            figure.add_scatter(
                x=[rows[-1][by]],
                y=[score_of(cell)],
                mode="markers",
                name=f"{name}, final score",
                showlegend=False,
                marker={
                    "symbol": f"{symbol}-open",
                    "size": 15,
                    "color": color,
                    "line": {"width": 3},
                },
                hovertemplate="%{y:.3f}<extra>" + name + ", final score</extra>",
            )
    titles = {"slices": "Slices trained on", "cpu_seconds": "Seconds of one processor"}
    figure.update_xaxes(title=titles[by], rangemode="tozero")
    figure.update_yaxes(title=SCORES[cells[0]["task"]][1], rangemode="tozero")
    return finished(figure, height=360)


def shares(cells: Sequence[Cell]) -> go.Figure:
    """Draw the score by the number of training patients, from scratch and unfrozen, with intervals."""
    figure = go.Figure()
    for arm in ("scratch", "staged"):
        rows = sorted(
            (cell for cell in cells if cell["arm"] == arm and score_of(cell) is not None),
            key=lambda cell: cell["training_patients"],
        )
        if not rows:
            continue
        ends = [interval_of(cell) or (score_of(cell),) * 2 for cell in rows]
        scores = [score_of(cell) for cell in rows]
        bars = {
            "type": "data",
            "array": [high - score for (_, high), score in zip(ends, scores, strict=True)],
            "arrayminus": [score - low for (low, _), score in zip(ends, scores, strict=True)],
            "color": STYLES[arm][0],
        }
        patients = [cell["training_patients"] for cell in rows]
        hover = "%{x} patients: %{y:.3f}<extra>" + ARMS[arm] + "</extra>"
        add_line(figure, patients, scores, ARMS[arm], STYLES[arm], hover, 9, error_y=bars)
    figure.update_xaxes(title="Patients trained on", rangemode="tozero")
    figure.update_yaxes(title=SCORES[cells[0]["task"]][1], rangemode="tozero")
    return finished(figure, height=360)


def table(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return one row per cell: its score with the interval, the trained parameters, and its time."""
    rows = []
    for cell in cells:
        ends = interval_of(cell)
        rows.append(
            {
                "Start": ARMS[cell["arm"]],
                "Patients": cell["training_patients"],
                SCORES[cell["task"]][1]: score_of(cell),
                "95% interval": f"{ends[0]:.3f} to {ends[1]:.3f}" if ends else None,
                "Trained parameters": cell["trained_parameters"],
                "All parameters": cell["parameters"],
                "Processor seconds": cell["cpu_seconds"],
            }
        )
    return rows


def times(cells: Sequence[Cell]) -> list[str]:
    """Return sentences on the seconds to each target, from scratch and from the fastest other start."""
    scratch = next((cell for cell in cells if cell["arm"] == "scratch"), None)
    others = [cell for cell in cells if cell["arm"] != "scratch"]
    if scratch is None or not others:
        return []
    sentences = []
    for index, row in enumerate(scratch["reached"]):
        ahead = [
            (cell["reached"][index]["cpu_seconds"], ARMS[cell["arm"]])
            for cell in others
            if cell["reached"][index]["cpu_seconds"] is not None
        ]
        ours = row["cpu_seconds"]
        if not ahead and ours is None:
            continue
        best = min(ahead) if ahead else None
        words = "never from scratch" if ours is None else f"after {ours:,.0f} s from scratch"
        words += (
            ", never by another start" if best is None else f", after {best[0]:,.0f} s {best[1]}"
        )
        sentences.append(f"A score of {row['score']:g}: {words}.")
    return sentences


def gain(cell: Cell, scratch: Cell) -> tuple[float, tuple[float, float]] | None:
    """Return a start's lead over scratch, patient by patient, with its 95% interval.

    Args:
        cell, scratch: Cells of the same encoder, task and share, scored on the same patients.

    Returns:
        Mean difference and (low, high); None if patients have no individual scores, as for AUC.
    """
    ours, base = (each["score"].get("patients") for each in (cell, scratch))
    return paired_difference(ours, base) if ours and base else None


def gains(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return one row per start, compared with scratch on the same patients: both scores and the difference.

    Args:
        cells: Cells of one encoder and task, with all shares.
    """
    rows = []
    for cell, scratch in _pairs(cells):
        found = gain(cell, scratch)
        ours, base = score_of(cell), score_of(scratch)
        rows.append(
            {
                "Start": ARMS[cell["arm"]],
                "Patients trained on": cell["training_patients"],
                "Score": ours,
                "From scratch": base,
                "Difference": found[0] if found else ours - base,
                "95% interval of the difference": (
                    f"{found[1][0]:+.2f} to {found[1][1]:+.2f}" if found else "not recorded"
                ),
                "Ahead": verdict(ours - base, found[1] if found else None),
            }
        )
    return rows


def verdict(difference: float, interval: tuple[float, float] | None) -> str:
    """Return "yes", "no" or "open": whether a start helped."""
    if interval is None:
        return "yes" if difference > 0 else "no"
    low, high = interval
    return "yes" if low > 0 else "no" if high < 0 else "open"


def _pairs(cells: Sequence[Cell]) -> list[tuple[Cell, Cell]]:
    # Each start with the cell trained from scratch on as many patients.
    scratch = {cell["share"]: cell for cell in cells if cell["arm"] == "scratch"}
    return [
        (cell, scratch[cell["share"]])
        for cell in cells
        if cell["arm"] != "scratch"
        and cell["share"] in scratch
        and None not in (score_of(cell), score_of(scratch[cell["share"]]))
    ]
