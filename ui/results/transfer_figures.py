"""Figures of the study of transfer learning: pure functions from its cells to figures and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from ui.shared.chart_style import finished

Cell = dict[str, Any]

ARMS = {
    "scratch": "from scratch",
    "frozen": "frozen",
    "staged": "thawed",
    "handed": "handed over",
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
    """Return a cell's score: mean Dice of a segmenter, AUC of a classifier."""
    return cell["score"].get(SCORES[cell["task"]][0])


def interval_of(cell: Cell) -> tuple[float, float] | None:
    """Return the 95 % interval of a cell's score."""
    found = cell["score"].get(f"{SCORES[cell['task']][0]}_interval")
    return (found[0], found[1]) if found else None


def pick(cells: Sequence[Cell], encoder: str, task: str, share: float | None = 1.0) -> list[Cell]:
    """Return cells of an encoder and a task in the order of `ARMS`; share None takes all shares."""
    there = [
        cell
        for cell in cells
        if cell["encoder"] == encoder
        and cell["task"] == task
        and (share is None or cell["share"] == share)
    ]
    return sorted(there, key=lambda cell: (list(ARMS).index(cell["arm"]), cell["share"]))


def curves(cells: Sequence[Cell], by: str) -> go.Figure:
    """Draw the score while training goes on, a line an arm.

    Args:
        cells: Of one encoder and task.
        by: ``slices`` that were trained on, or ``cpu_seconds``.
    """
    figure = go.Figure()
    for cell in cells:
        color, dash, symbol = STYLES[cell["arm"]]
        rows = [row for row in cell["curve"] if row["score"] is not None]
        figure.add_scatter(
            x=[row[by] for row in rows],
            y=[row["score"] for row in rows],
            mode="lines+markers",
            name=ARMS[cell["arm"]],
            line={"color": color, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 8, "color": color},
            hovertemplate="%{x:,}: %{y:.3f}<extra>" + ARMS[cell["arm"]] + "</extra>",
        )
    titles = {"slices": "Slices trained on", "cpu_seconds": "Seconds of one processor"}
    figure.update_xaxes(title=titles[by], rangemode="tozero")
    figure.update_yaxes(title=SCORES[cells[0]["task"]][1], rangemode="tozero")
    return finished(figure, height=360)


def shares(cells: Sequence[Cell]) -> go.Figure:
    """Draw the score by the number of training patients, from scratch and thawed, with intervals."""
    figure = go.Figure()
    for arm in ("scratch", "staged"):
        rows = sorted(
            (cell for cell in cells if cell["arm"] == arm and score_of(cell) is not None),
            key=lambda cell: cell["training_patients"],
        )
        if not rows:
            continue
        color, dash, symbol = STYLES[arm]
        ends = [interval_of(cell) or (score_of(cell),) * 2 for cell in rows]
        scores = [score_of(cell) for cell in rows]
        figure.add_scatter(
            x=[cell["training_patients"] for cell in rows],
            y=scores,
            error_y={
                "type": "data",
                "array": [high - score for (_, high), score in zip(ends, scores, strict=True)],
                "arrayminus": [score - low for (low, _), score in zip(ends, scores, strict=True)],
                "color": color,
            },
            mode="lines+markers",
            name=ARMS[arm],
            line={"color": color, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 9, "color": color},
            hovertemplate="%{x} patients: %{y:.3f}<extra>" + ARMS[arm] + "</extra>",
        )
    figure.update_xaxes(title="Patients trained on", rangemode="tozero")
    figure.update_yaxes(title=SCORES[cells[0]["task"]][1], rangemode="tozero")
    return finished(figure, height=360)


def table(cells: Sequence[Cell]) -> list[dict[str, Any]]:
    """Return a row a cell: its score with the interval, what was trained, and the time it took."""
    rows = []
    for cell in cells:
        ends = interval_of(cell)
        rows.append(
            {
                "Start": ARMS[cell["arm"]],
                "Patients": cell["training_patients"],
                SCORES[cell["task"]][1]: score_of(cell),
                "95 % interval": f"{ends[0]:.3f} to {ends[1]:.3f}" if ends else None,
                "Numbers trained": cell["trained_parameters"],
                "Of": cell["parameters"],
                "Processor seconds": cell["cpu_seconds"],
            }
        )
    return rows


def times(cells: Sequence[Cell]) -> list[str]:
    """Return sentences: seconds to each target, from scratch and from the quickest other start."""
    scratch = next((cell for cell in cells if cell["arm"] == "scratch"), None)
    others = [cell for cell in cells if cell["arm"] != "scratch"]
    if scratch is None or not others:
        return []
    sentences = []
    for place, row in enumerate(scratch["reached"]):
        ahead = [
            (cell["reached"][place]["cpu_seconds"], ARMS[cell["arm"]])
            for cell in others
            if cell["reached"][place]["cpu_seconds"] is not None
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


def patients_saved(cells: Sequence[Cell]) -> list[str]:
    """Return sentences on how few patients the thawed encoder needs for what scratch takes more for.

    Args:
        cells: Of one encoder and task, of all shares.
    """
    scratch, staged = (
        sorted(
            (cell for cell in cells if cell["arm"] == arm and score_of(cell) is not None),
            key=lambda cell: cell["training_patients"],
        )
        for arm in ("scratch", "staged")
    )
    return [_saved(base, staged) for base in scratch] if staged else []


def _saved(base: Cell, staged: Sequence[Cell]) -> str:
    # What scratch reaches, and the least that does it thawed.
    patients, score = base["training_patients"], score_of(base)
    words = f"From scratch, {patients} patients reach {score:.3f}; thawed, "
    enough = next((cell for cell in staged if score_of(cell) >= score), None)
    if enough is None:
        return words + "no number of patients that was tried does."
    needed = enough["training_patients"]
    verdict = f"{needed} reach {score_of(enough):.3f}"
    if needed < patients:
        verdict += f", which saves {patients - needed}"
    if (ends := interval_of(enough)) and ends[0] <= score:
        verdict += "; the interval reaches below the former, so chance may have done it"
    return f"{words}{verdict}."


def no_help(cells: Sequence[Cell]) -> list[str]:
    """Return a sentence for each start that did no better than from scratch on the same patients."""
    sentences = []
    for cell in cells:
        if cell["arm"] == "scratch":
            continue
        same = ("encoder", "task", "share")
        scratch = next(
            (
                other
                for other in cells
                if other["arm"] == "scratch" and all(other[key] == cell[key] for key in same)
            ),
            None,
        )
        ours, base = score_of(cell), scratch and score_of(scratch)
        if ours is None or base is None:
            continue
        where = (
            f"{ARMS[cell['arm']].capitalize()}, {cell['training_patients']} patients: {ours:.3f}; "
            f"from scratch {base:.3f}"
        )
        if ours <= base:
            sentences.append(f"{where}. No help.")
        elif (ends := interval_of(cell)) and ends[0] <= base:
            sentences.append(
                f"{where}, which lies within the interval of the former: ahead, but chance may "
                "have done it."
            )
    return sentences
