"""The Scoreboard's comparison of networks, and common parts of its tabs: formats, terms, charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from btmodels.metrics.binomial import detection_interval
from ui.results import costs, experiments
from ui.results.scores import Network, interval_of
from ui.shared import tables
from ui.shared.chart_style import draw_chart

Text = dict[str, str]


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

FALSE_ALARMS = "Slices without tumor in which something is marked."

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
    tables.draw(
        networks,
        _columns(figures, subset, text),
        f"networks-{task}-{subset}",
        "All networks with their scores by cross-validation and on the chosen patients.",
    )
    if reasons := missing(networks, figures, subset):
        st.caption(" ".join([text.get("Not measured", ""), *reasons]))


def draw_costs(networks: Sequence[Network], task: str, text: Text) -> None:
    """Draw a collapsed table of each network's size, multiply-adds and time."""
    found = [(each, costs.cost_of(each.spec.name, each.record)) for each in networks]
    with st.expander("Size and speed", icon=":material/speed:"):
        alt = "All networks with their size and their time."
        tables.draw(found, cost_columns(text), f"costs-{task}", alt)
        lacking = [each.spec.title for each, cost in found if None in vars(cost).values()]
        if lacking:
            st.caption(f"Size or time: not measured for {', '.join(lacking)}.")
        if any(cost.milliseconds for _, cost in found) and (machine := costs.machine()):
            st.caption(f"Times were measured on {machine}.")


def draw_terms(terms: Sequence[str], text: Text) -> None:
    """Draw a collapsed list that explains the figures above, one sentence each."""
    with st.expander("What these figures mean", icon=":material/menu_book:"):
        lines = [f"- **{term}**: {help_of(text, term)}" for term in terms if help_of(text, term)]
        st.markdown("\n".join(lines))


def chart(figure: Any, key: str, alt: str) -> None:
    """Draw a figure in the site's style."""
    draw_chart(figure, f"scoreboard.{key}", alt)


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


def _columns(
    figures: dict[str, MetricFormat], subset: str, text: Text
) -> Iterator[tables.TableColumn]:
    first, kind = next(iter(figures.items()))
    words = f"{help_of(text, kind.term)} In parentheses: {help_of(text, 'Interval')}"

    def crossval(network: Network) -> str | None:
        document = experiments.load(f"crossval_{network.spec.name}")
        return with_interval(document or {}, first, kind)

    def scored(network: Network) -> Mapping[str, Any]:
        return network.scored.get(subset, {})

    yield tables.text("Network", lambda n: n.spec.title, pinned=True, width=150)
    yield tables.text(f"{kind.column}, cross-validation", crossval, help=words)
    yield tables.text(
        f"{kind.column}, these patients",
        lambda n: with_interval(scored(n), first, kind),
        help=words,
    )
    for key, each in figures.items():
        column = tables.number(
            each.column,
            lambda n, key=key: scored(n).get(key),
            each.form,
            each.factor,
            help=help_of(text, each.term),
        )
        hidden = key == first or key in _ONLY_IN_CSV
        yield replace(column, config=None) if hidden else column
        yield tables.TableColumn(
            f"{each.column}, interval",
            lambda n, key=key, each=each: interval_words(scored(n), key, each),
        )
    yield tables.TableColumn("Training", _training_state)


def _training_state(network: Network) -> str | None:
    return network.record and ("complete" if network.record.complete else "unfinished")


def cost_columns(text: Text) -> list[tables.TableColumn]:
    """Return the columns of the costs of networks, each with its cost."""
    return [
        tables.text("Network", lambda each: each[0].spec.title, pinned=True, width=150),
        tables.number(
            "Parameters, millions",
            lambda each: each[1].parameters,
            "%.2f",
            1e-6,
            help=help_of(text, "Parameters"),
        ),
        tables.number(
            "Multiply-adds, billions",
            lambda each: each[1].multiply_adds,
            "%.1f",
            1e-9,
            help=help_of(text, "Multiply-adds"),
        ),
        tables.number(
            "Time, ms", lambda each: each[1].milliseconds, "%.0f", help=help_of(text, "Time")
        ),
        tables.number(
            "File, MB", lambda each: each[1].megabytes, "%.1f", help=help_of(text, "File")
        ),
        tables.text(
            "Training", lambda each: _training_state(each[0]), help=help_of(text, "Training state")
        ),
    ]


def with_interval(scored: Mapping[str, Any], key: str, kind: MetricFormat) -> str | None:
    """Return a score with its interval in parentheses; None if there is no score."""
    value = scored.get(key)
    if not isinstance(value, float):
        return None
    ends = interval_words(scored, key, kind)
    shown = kind.form % kind.of(value)
    return f"{shown} ({ends})" if ends else shown


def interval_words(scored: Mapping[str, Any], key: str, kind: MetricFormat) -> str | None:
    """Return the interval of a score, as displayed; None if there is none."""
    exact = key == "detection_rate"
    ends = (detection_interval(scored) if exact else interval_of(scored, key)) or ()
    return " to ".join(f"{kind.of(end):.{kind.digits}f}" for end in ends) or None
