"""The Scoreboard's comparison of networks, and common parts of its tabs: formats, terms, charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from btmodels.metrics.binomial import detection_interval
from ui.results import costs, experiments
from ui.results.scores import Network, interval_of
from ui.shared.tables import table as draw_table

Text = dict[str, str]
Column = st.column_config


@dataclass(frozen=True)
class MetricFormat:
    """Display format of a score.

    Attributes:
        column: Its name.
        term: Term of the page's text that explains it.
        form: printf format.
        factor: Factor applied before display.
    """

    column: str
    term: str
    form: str = "%.3f"
    factor: float = 1

    def of(self, value: float | None) -> float | None:
        """Return the displayed value; None stays None."""
        return None if value is None else self.factor * value

    @property
    def digits(self) -> int:
        """Digits after the decimal point."""
        return int(self.form[2])


SEGMENTER = {
    "mean_dice": MetricFormat("Mean Dice", "Mean Dice"),
    "median_dice": MetricFormat("Median Dice", "Median Dice"),
    "mean_iou": MetricFormat("Mean IoU", "IoU"),
    "pooled_dice": MetricFormat("Pooled Dice", "Pooled Dice"),
    "tumor_slice_dice": MetricFormat("Tumor-slice Dice", "Tumor-slice Dice"),
    "false_alarm_rate": MetricFormat("False alarms", "False alarms", "%.1f%%", 100),
    "hausdorff95": MetricFormat("Hausdorff 95", "Hausdorff 95", "%.1f px"),
    "detection_rate": MetricFormat("Detected", "Detected", "%.1f%%", 100),
}
CLASSIFIER = {
    "auc": MetricFormat("AUC", "AUC"),
    "average_precision": MetricFormat("Average precision", "Average precision"),
    "accuracy": MetricFormat("Accuracy", "Accuracy"),
    "sensitivity_at_95_specificity": MetricFormat("Sensitivity", "Sensitivity"),
    "calibration_error": MetricFormat("Calibration error", "Calibration error"),
}
"""Scores in the table of networks, by key of a scored subset; the first one leads."""

_ONLY_IN_CSV = ("mean_iou", "pooled_dice")

UNDEFINED = {
    "mean_dice": "no patient with anything to mark",
    "median_dice": "no patient with anything to mark",
    "mean_iou": "no patient with anything to mark",
    "pooled_dice": "no slice with anything to mark",
    "tumor_slice_dice": "no slice with tumor",
    "false_alarm_rate": "no slice without tumor",
    "hausdorff95": "no slice where both masks mark something",
    "detection_rate": "no patient with a tumor",
    "auc": "only one kind of slice",
    "average_precision": "no slice with tumor",
    "sensitivity_at_95_specificity": "only one kind of slice",
}
"""Reasons why a score is undefined."""


def help_of(text: Text, term: str) -> str | None:
    """Return the explanation of a term on the page."""
    return text.get(f"Term: {term}")


def draw_networks(networks: Sequence[Network], task: str, subset: str, text: Text) -> None:
    """Draw a sortable table of all networks of a task: cross-validation, and the chosen patients."""
    figures = SEGMENTER if task == "segment" else CLASSIFIER
    st.header("All networks", anchor=False)
    st.markdown(text.get("All networks", ""))
    draw_table(
        [_row(network, figures, subset) for network in networks],
        _columns(figures, text),
        f"networks-{task}-{subset}",
        "All networks with their scores by cross-validation and on the chosen patients.",
    )
    if reasons := missing(networks, figures, subset):
        st.caption(" ".join([text.get("Not measured", ""), *reasons]))


def draw_costs(networks: Sequence[Network], task: str, text: Text) -> None:
    """Draw a collapsed table of each network's size, multiply-adds and time."""
    with st.expander("Size and speed", icon=":material/speed:"):
        draw_table(
            [_cost_row(network) for network in networks],
            _cost_columns(text),
            f"costs-{task}",
            "All networks with their size and their time.",
        )
        found = [costs.cost_of(each.spec.name, each.record) for each in networks]
        lacking = [
            each.spec.title
            for each, cost in zip(networks, found, strict=True)
            if None in vars(cost).values()
        ]
        if lacking:
            st.caption(f"Size or time: not measured for {', '.join(lacking)}.")
        if any(cost.milliseconds for cost in found) and (machine := costs.machine()):
            st.caption(f"Times were measured on {machine}.")


def draw_terms(terms: Sequence[str], text: Text) -> None:
    """Draw a collapsed list that explains the figures above, one sentence each."""
    with st.expander("What these figures mean", icon=":material/menu_book:"):
        lines = [f"- **{term}**: {help_of(text, term)}" for term in terms if help_of(text, term)]
        st.markdown("\n".join(lines))


def chart(figure: Any, key: str, alt: str) -> None:
    """Draw a figure in the site's style."""
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
            sentences.append(f"{kind.column}: not measured for {', '.join(absent)}.")
        if undefined:
            why = UNDEFINED.get(key, "undefined on these patients")
            sentences.append(f"{kind.column}: {why} ({', '.join(undefined)}).")
    return sentences


def _row(network: Network, figures: dict[str, MetricFormat], subset: str) -> dict[str, Any]:
    scored = network.scored.get(subset, {})
    row: dict[str, Any] = {"Network": network.spec.title}
    first, kind = next(iter(figures.items()))
    if crossval := experiments.load(f"crossval_{network.spec.name}"):
        row[f"{kind.column}, cross-validation"] = with_interval(crossval, first, kind)
    row[f"{kind.column}, these patients"] = with_interval(scored, first, kind)
    for key, each in figures.items():
        row[each.column] = each.of(scored.get(key))
        row[f"{each.column}, interval"] = _interval(scored, key, each)
    if network.record:
        row["Training"] = "complete" if network.record.complete else "unfinished"
    return row


def _columns(figures: dict[str, MetricFormat], text: Text) -> dict[str, Any]:
    first, kind = next(iter(figures.items()))
    words = f"{help_of(text, kind.term)} In parentheses: {help_of(text, 'Interval')}"
    columns: dict[str, Any] = {
        "Network": Column.TextColumn(pinned=True, width=150),
        f"{kind.column}, cross-validation": Column.TextColumn(help=words),
        f"{kind.column}, these patients": Column.TextColumn(help=words),
    }
    for key, each in figures.items():
        if key != first and key not in _ONLY_IN_CSV:
            columns[each.column] = Column.NumberColumn(
                format=each.form, help=help_of(text, each.term)
            )
    return columns


def _cost_row(network: Network) -> dict[str, Any]:
    cost = costs.cost_of(network.spec.name, network.record)
    return {
        "Network": network.spec.title,
        "Parameters, millions": _scaled(cost.parameters, 1e6),
        "Multiply-adds, billions": _scaled(cost.multiply_adds, 1e9),
        "Time, ms": cost.milliseconds,
        "File, MB": cost.megabytes,
        "Training": network.record and ("complete" if network.record.complete else "unfinished"),
    }


def _cost_columns(text: Text) -> dict[str, Any]:
    number = Column.NumberColumn
    return {
        "Network": Column.TextColumn(pinned=True, width=150),
        "Parameters, millions": number(format="%.2f", help=help_of(text, "Parameters")),
        "Multiply-adds, billions": number(format="%.1f", help=help_of(text, "Multiply-adds")),
        "Time, ms": number(format="%.0f", help=help_of(text, "Time")),
        "File, MB": number(format="%.1f", help=help_of(text, "File")),
        "Training": Column.TextColumn(help=help_of(text, "Training state")),
    }


def with_interval(scored: Mapping[str, Any], key: str, kind: MetricFormat) -> str | None:
    """Return a score with its interval in parentheses; None if there is no score."""
    value = scored.get(key)
    if not isinstance(value, float):
        return None
    ends = _interval(scored, key, kind)
    shown = kind.form % kind.of(value)
    return f"{shown} ({ends})" if ends else shown


def _interval(scored: Mapping[str, Any], key: str, kind: MetricFormat) -> str | None:
    exact = key == "detection_rate"
    ends = (detection_interval(scored) if exact else interval_of(scored, key)) or ()
    return " to ".join(f"{kind.of(end):.{kind.digits}f}" for end in ends) or None


def _scaled(value: float | None, by: float) -> float | None:
    return None if value is None else value / by
