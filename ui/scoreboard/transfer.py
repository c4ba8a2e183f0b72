"""The Scoreboard's transfer learning experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ui.results.transfer_figures import (
    ENCODERS,
    SCORES,
    curves,
    gain,
    interval_of,
    pick,
    score_of,
    shares,
    verdict,
)
from ui.scoreboard.comparison import chart
from ui.scoreboard.experiment_charts import IntervalRow, intervals
from ui.shared import tables

Text = dict[str, str]
Document = Mapping[str, Any]

TASKS = {"segment": "Where? (segmenter)", "classify": "Is there a tumor? (classifier)"}
ARMS = {
    "scratch": "from scratch",
    "frozen": "pretrained, frozen",
    "staged": "pretrained, unfrozen in stages",
    "handed": "transferred from the other task",
}
TASK = "scoreboard.transfer.task"
"""Session key."""


def transfer(document: Document, text: Text) -> None:
    """Draw scores, curves and times of every start, and the effect of fewer patients."""
    tasks = [task for task in TASKS if any(c["task"] == task for c in document["cells"])]
    task = st.segmented_control(
        "Task",
        tasks,
        format_func=TASKS.get,
        default=tasks[0],
        required=True,
        key=TASK,
        label_visibility="collapsed",
    )
    cells = [cell for cell in document["cells"] if cell["task"] == task]
    whole = [cell for encoder in ENCODERS for cell in pick(cells, encoder, task)]
    key, axis = SCORES[task]
    st.markdown(_result(whole, key, axis))
    chart(
        intervals([IntervalRow(_cell(c), score_of(c), interval_of(c)) for c in whole], axis),
        "transfer.scores",
        f"{axis} of every start, with intervals.",
    )
    _shares(cells, axis)
    with st.expander("How fast each one learned", icon=":material/timer:"):
        _times(whole, axis)
    with st.expander("All figures", icon=":material/table:"):
        _cells(cells, document, key, axis)
    st.caption(
        " ".join(
            f"{ENCODERS.get(name, name)} was pretrained on {source}."
            for name, source in document["sources"].items()
        )
    )


def _result(whole: Sequence[Mapping[str, Any]], key: str, axis: str) -> str:
    """Return sentences on which starts scored higher than the same network from scratch, and how surely."""
    scratch = {cell["encoder"]: cell for cell in whole if cell["arm"] == "scratch"}
    told: dict[str, list[str]] = {"yes": [], "open": [], "no": []}
    certain = True
    for cell in whole:
        base = scratch.get(cell["encoder"])
        if base is None or cell is base:
            continue
        found = gain(cell, base)
        certain = certain and found is not None
        difference = found[0] if found else cell["score"][key] - base["score"][key]
        said = f"{_cell(cell)} ({difference:+.3f})"
        told[verdict(difference, found[1] if found else None)].append(said)
    titles = {"yes": "Higher", "open": "Too close to tell", "no": "Lower"}
    words = [f"**{titles[word]}**: {', '.join(each)}." for word, each in told.items() if each]
    interval = "by its 95% interval, patient by patient" if certain else "no interval is known"
    return f"{axis} compared with training from scratch ({interval}). {' '.join(words)}"


def _times(whole: Sequence[Mapping[str, Any]], axis: str) -> None:
    """Draw the score by processor time, one chart per encoder."""
    with st.grid("auto", min_column_width=420):
        for encoder in dict.fromkeys(cell["encoder"] for cell in whole):
            with st.container():
                st.markdown(f"**{ENCODERS.get(encoder, encoder)}**, by processor time")
                chart(
                    curves([c for c in whole if c["encoder"] == encoder], "cpu_seconds"),
                    f"transfer.{encoder}",
                    f"{axis} on validation patients by processor time.",
                )


def _shares(cells: Sequence[Mapping[str, Any]], axis: str) -> None:
    """Draw the score by the number of training patients, for each encoder with several shares."""
    by_encoder = {
        encoder: [c for c in cells if c["encoder"] == encoder and c["arm"] in ("scratch", "staged")]
        for encoder in dict.fromkeys(cell["encoder"] for cell in cells)
    }
    with st.grid("auto", min_column_width=420):
        for encoder, found in by_encoder.items():
            if len({cell["share"] for cell in found}) < 2:
                continue
            with st.container():
                st.markdown(f"**{ENCODERS.get(encoder, encoder)} on fewer patients**")
                chart(
                    shares(found),
                    f"transfer.shares.{encoder}",
                    f"{axis} by the number of training patients.",
                )


def _cells(cells: Sequence[Mapping[str, Any]], document: Document, key: str, axis: str) -> None:
    task = cells[0]["task"]
    columns = (
        tables.text("Network", _encoder, pinned=True, width=140),
        tables.text("Start", lambda cell: ARMS[cell["arm"]], width=200),
        tables.number("Patients", "training_patients", help="In training."),
        tables.number(
            axis, f"score.{key}", "%.3f", help="On all slices of the validation patients."
        ),
        tables.number(
            "Processor seconds", "cpu_seconds", "%.0f", help="For training, without validation."
        ),
        tables.number(
            "Parameters, millions",
            "trained_parameters",
            "%.1f",
            1e-6,
            help="Those that training may change.",
        ),
        tables.number(
            "First kernels moved",
            "kernels.moved",
            "%.0f%%",
            100,
            help="How far training moved the first layer's kernels, relative to their norm.",
        ),
        *(
            tables.number(
                f"Seconds to {target:g}",
                lambda cell, target=target: _seconds_to(cell, target),
                "%.0f",
                help=f"Processor seconds until {axis} first reached {target:g}.",
            )
            for target in document["targets"][task]
        ),
    )
    tables.draw(cells, columns, f"transfer-{task}", "Every start with its score and times.")


def _seconds_to(cell: Mapping[str, Any], target: float) -> float | None:
    return next((r["cpu_seconds"] for r in cell["reached"] if r["score"] == target), None)


def _encoder(cell: Mapping[str, Any]) -> str:
    return ENCODERS.get(cell["encoder"], cell["encoder"])


def _cell(cell: Mapping[str, Any]) -> str:
    return f"{_encoder(cell)}, {ARMS[cell['arm']]}"
