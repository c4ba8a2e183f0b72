"""The Scoreboard's comparisons: our networks with each other, with publications, with people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ui.results import costs, published
from ui.results.published import PatientRow
from ui.results.scores import Network, interval_of
from ui.scoreboard import strip_plot
from ui.shared.tables import table as draw_table

Text = dict[str, str]
Column = st.column_config


@dataclass(frozen=True)
class MetricFormat:
    """How a figure of a scored subset is shown.

    Attributes:
        column: Its name.
        term: Of the page's text that explains it.
        form: Of printf.
        factor: It is multiplied by this.
    """

    column: str
    term: str
    form: str = "%.3f"
    factor: float = 1

    def of(self, value: float | None) -> float | None:
        """Return a value as it is shown; None stays None."""
        return None if value is None else self.factor * value

    @property
    def digits(self) -> int:
        """Places behind the point."""
        return int(self.form[2])


SEGMENTER = {
    "mean_dice": MetricFormat("Mean Dice", "Mean Dice"),
    "median_dice": MetricFormat("Median Dice", "Median Dice"),
    "mean_iou": MetricFormat("Mean IoU", "IoU"),
    "pooled_dice": MetricFormat("Pooled Dice", "Pooled Dice"),
    "tumor_slice_dice": MetricFormat("Tumor-slice Dice", "Tumor slices"),
    "false_alarm_rate": MetricFormat("False alarms", "False alarms", "%.1f %%", 100),
    "hausdorff95": MetricFormat("Hausdorff 95", "Hausdorff 95", "%.1f px"),
    "detection_rate": MetricFormat("Detected", "Detected", "%.1f %%", 100),
}
CLASSIFIER = {
    "auc": MetricFormat("AUC", "AUC"),
    "average_precision": MetricFormat("Average precision", "Average precision"),
    "accuracy": MetricFormat("Accuracy", "Accuracy"),
    "sensitivity_at_95_specificity": MetricFormat("Sensitivity", "Sensitivity"),
    "calibration_error": MetricFormat("Calibration error", "Calibration error"),
}
"""Figures of the table of networks, by key of a scored subset; networks are ordered by the first."""

_INTERVAL_SHOWN = ("mean_dice", "median_dice", "auc")

UNDEFINED = {
    "mean_dice": "no patient with anything to mark",
    "median_dice": "no patient with anything to mark",
    "mean_iou": "no patient with anything to mark",
    "pooled_dice": "nothing to mark on any slice",
    "tumor_slice_dice": "no slice with tumor",
    "false_alarm_rate": "no slice without tumor",
    "hausdorff95": "no slice on which both masks hold something",
    "detection_rate": "no patient with a tumor",
    "auc": "only one kind of slices",
    "average_precision": "no slice with tumor",
    "sensitivity_at_95_specificity": "only one kind of slices",
}
"""Why a figure that was asked for is not there."""


def help_of(text: Text, term: str) -> str | None:
    """Return the sentence that explains a term of the page."""
    return text.get(f"Term: {term}")


def table(networks: Sequence[Network], task: str, subset: str, text: Text) -> None:
    """Draw all networks of a task as a table to sort: scores, cost, and whether they are finished."""
    figures = SEGMENTER if task == "segment" else CLASSIFIER
    chosen = [network for network in networks if network.spec.task == task]
    st.header("All networks")
    st.markdown(text.get("All networks", ""))
    draw_table(
        [_row(network, figures, subset) for network in _best_first(chosen, figures, subset)],
        _columns(figures, text),
        f"networks-{task}-{subset}",
        "All networks with their scores on the chosen patients, their size and their time.",
    )
    reasons = missing(chosen, figures, subset)
    if reasons:
        st.caption(" ".join([text.get("Not measured", ""), *reasons]))
    timed = any(costs.cost_of(each.spec.name, each.record).milliseconds for each in chosen)
    if timed and (machine := costs.machine()):
        st.caption(f"Times were measured on {machine}.")


def patients(networks: Sequence[Network], chosen: Network, subset: str, text: Text) -> None:
    """Draw a dot a patient for each segmenter, beside publications and the band of two experts."""
    rows = [
        _dots(network, network is chosen, subset)
        for network in networks
        if network.spec.task == "segment" and network.scored.get(subset, {}).get("patients")
    ]
    if not rows:
        return
    st.header("Patient by patient")
    if subset == "samples":
        st.markdown(text.get("Patient by patient, made up", ""))
        figure = strip_plot.patient_dots(rows)
    else:
        experts = published.load()["experts"]
        words = text.get("Patient by patient", "")
        st.markdown(words.replace("{experts}", published.experts_in_words()))
        band = (experts["mean_dice"], experts["spread"]) if experts else None
        figure = strip_plot.patient_dots(rows, published.rows_of_patients(), band)
    chart(figure, "dots", "Dice of each patient by network, with means, medians and intervals.")
    st.caption(help_of(text, "Dice") or "")


def others(task: str, subset: str, text: Text) -> None:
    """Draw what others publish, each with its protocol; not beside made-up patients."""
    if subset == "samples":
        return
    st.header("Published figures")
    if task != "segment":
        st.markdown(text.get("No published classifier", ""))
        return
    st.markdown(text.get("Published figures", ""))
    draw_table(
        published.table(),
        {
            "System": Column.TextColumn(pinned=True, width=170),
            "Published": Column.TextColumn(
                width="medium", help="Mean and median are of patients; plain Dice is not."
            ),
            "Divided": Column.TextColumn(help="What the split kept apart: patients, or slices."),
            "Tested on": Column.TextColumn(help="Patients, unless it says slices.", width="medium"),
            "Chosen on them": Column.TextColumn(
                help="Whether the network or its settings were picked by this very score."
            ),
            "Source": Column.LinkColumn(display_text="source", width="small"),
        },
        "published",
        "Published systems with their figures, protocols and sources.",
    )
    with st.expander("Each protocol in words", icon=":material/rule:"):
        st.markdown(published.protocols())
    st.subheader("Human readers")
    st.markdown(text.get("Human readers", ""))
    st.markdown(published.readers())


def chart(figure: Any, key: str, alt: str) -> None:
    """Draw a figure in the site's way."""
    st.plotly_chart(figure, key=f"scoreboard.{key}", alt=alt, config={"displayModeBar": False})


def missing(
    networks: Sequence[Network], figures: dict[str, MetricFormat], subset: str
) -> list[str]:
    """Return one sentence for each reason why cells of the table are empty."""
    sentences = []
    without = [each.spec.title for each in networks if subset not in each.scored]
    if without:
        sentences.append(f"No scores on these patients: {', '.join(without)}.")
    scored = [(each.spec.title, each.scored[subset]) for each in networks if subset in each.scored]
    for key, kind in figures.items():
        absent = [title for title, document in scored if key not in document]
        undefined = [title for title, document in scored if document.get(key, 0) is None]
        if absent:
            sentences.append(f"{kind.column}: not measured of {', '.join(absent)}.")
        if undefined:
            why = UNDEFINED.get(key, "undefined on these patients")
            sentences.append(f"{kind.column}: {why} ({', '.join(undefined)}).")
    uncounted = [
        each
        for each in networks
        if None in vars(costs.cost_of(each.spec.name, each.record)).values()
    ]
    if uncounted:
        names = ", ".join(each.spec.title for each in uncounted)
        sentences.append(f"Size or time: not measured of {names}.")
    return sentences


def _best_first(
    networks: Sequence[Network], figures: dict[str, MetricFormat], subset: str
) -> list[Network]:
    first = next(iter(figures))
    value = {n.spec.name: n.scored.get(subset, {}).get(first) for n in networks}
    return sorted(networks, key=lambda n: -(value[n.spec.name] or 0))


def _row(network: Network, figures: dict[str, MetricFormat], subset: str) -> dict[str, Any]:
    scored = network.scored.get(subset, {})
    row: dict[str, Any] = {"Network": network.spec.title}
    for key, kind in figures.items():
        row[kind.column] = kind.of(scored.get(key))
        row[f"{kind.column}, 95 %"] = _interval(scored, key, kind)
    cost = costs.cost_of(network.spec.name, network.record)
    row |= {
        "Parameters, millions": _scaled(cost.parameters, 1e6),
        "Multiply-adds, billions": _scaled(cost.multiply_adds, 1e9),
        "Time, ms": cost.milliseconds,
        "File, MB": cost.megabytes,
    }
    if network.record:
        row["Training"] = "complete" if network.record.complete else "unfinished"
    return row


def _columns(figures: dict[str, MetricFormat], text: Text) -> dict[str, Any]:
    columns: dict[str, Any] = {"Network": Column.TextColumn(pinned=True, width=150)}
    for key, kind in figures.items():
        columns[kind.column] = Column.NumberColumn(format=kind.form, help=help_of(text, kind.term))
        if key in _INTERVAL_SHOWN:
            columns[f"{kind.column}, 95 %"] = Column.TextColumn(help=help_of(text, "Interval"))
    columns |= {
        "Parameters, millions": Column.NumberColumn(
            format="%.1f", help=help_of(text, "Parameters")
        ),
        "Multiply-adds, billions": Column.NumberColumn(
            format="%.1f", help=help_of(text, "Multiply-adds")
        ),
        "Time, ms": Column.NumberColumn(format="%.0f", help=help_of(text, "Time")),
        "File, MB": Column.NumberColumn(format="%.1f", help=help_of(text, "File")),
        "Training": Column.TextColumn(help=help_of(text, "Training state")),
    }
    return columns


def _interval(scored: dict[str, Any], key: str, kind: MetricFormat) -> str | None:
    ends = interval_of(scored, key) or ()
    return " to ".join(f"{kind.of(end):.{kind.digits}f}" for end in ends) or None


def _scaled(value: float | None, by: float) -> float | None:
    return None if value is None else value / by


def _dots(network: Network, chosen: bool, subset: str) -> PatientRow:
    scored = network.scored[subset]
    dice = {
        folder: each.get("dice")
        for folder, each in scored["patients"].items()
        if each.get("dice") is not None
    }
    return PatientRow(
        network.spec.title,
        dots=list(dice.values()),
        names=list(dice),
        mean=scored.get("mean_dice"),
        median=scored.get("median_dice"),
        interval=interval_of(scored, "mean_dice"),
        chosen=chosen,
    )
