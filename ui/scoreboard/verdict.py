"""The verdict that the site uses, on the Scoreboard's tab *Is there one?*, and the classifier beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from btmodels import registry
from btmodels.registry import ModelSpec
from ui.results import experiments, headline
from ui.scoreboard import charts
from ui.scoreboard.choice import Choice
from ui.scoreboard.comparison import (
    CLASSIFIER,
    MetricFormat,
    chart,
    draw_terms,
    help_of,
    with_interval,
)
from ui.scoreboard.crossval import reduced_run
from ui.scoreboard.segmenter import draw_metric
from ui.shared import tables

Text = dict[str, str]

_LEADING = {
    (False, "auc"): MetricFormat("AUC, slice alone", "AUC"),
    (True, "auc"): MetricFormat("AUC, with neighbors", "AUC"),
    (False, "sensitivity"): MetricFormat("Sensitivity, slice alone", "Sensitivity", "%.1f%%", 100),
    (True, "sensitivity"): MetricFormat(
        "Sensitivity, with neighbors", "Sensitivity", "%.1f%%", 100
    ),
}
"""Scores by cross-validation, by whether neighboring slices count and key of a row."""


def draw_verdict(text: Text) -> None:
    """Draw the scores of the verdict by cross-validation, then those of classifier and both together."""
    document = experiments.load("detection")
    if not document or not document["rows"] or not headline.segmenter_decides():
        return
    rows = {(row["by"], row["neighbors"]): row for row in document["rows"]}
    first = document["rows"][0]
    st.markdown(
        f"{text.get('Verdict', '')} over {first['slices']:,} slices of {first['patients']} patients. "
        f"{text.get('Neighbors', '')}"
    )
    with st.grid("auto", min_column_width=240, gap="small"):
        for (neighbors, key), kind in _LEADING.items():
            draw_metric(rows.get(("segmenter", neighbors), {}), key, kind, text)
    named = {each["name"] for each in document["sources"]} & set(registry.SPECS)
    _draw_sources(rows, {registry.get(name) for name in named}, text)


def draw_on_patients(choice: Choice, text: Text) -> None:
    """Draw verdict and second opinion on the chosen patients: scores and confusion matrices."""
    known = _scores_of(choice)
    if not known:
        return
    st.header("Verdict and second opinion", anchor=False)
    tables.draw(
        known.items(),
        _columns(CLASSIFIER, text, with_interval),
        f"verdicts-{choice.subset}",
        "The verdict and the second opinion, scored on the chosen patients.",
    )
    draw_terms([*(kind.term for kind in CLASSIFIER.values()), "Interval"], text)
    for column, (title, scored) in zip(st.columns(2, gap="medium"), known.items(), strict=False):
        with column:
            _draw_outcomes(title, scored)


def _scores_of(choice: Choice) -> dict[str, dict[str, Any]]:
    """Return the scores on the chosen patients by network, those of the verdict first."""
    own, other = registry.get("default"), choice.network
    named = {each.spec.name: each.scored.get(choice.subset, {}) for each in choice.networks}
    found = {
        f"{own.title}: the verdict": named.get(own.name, {}).get("verdict"),
        f"{other.spec.title}: second opinion": choice.scored,
    }
    return {title: scored for title, scored in found.items() if scored}


def _draw_outcomes(title: str, scored: dict[str, Any]) -> None:
    if not scored.get("confusion"):
        st.info("Outcomes at this network's threshold were not counted on these patients.")
        return
    st.markdown(f"**{title}**, at threshold {scored['threshold']:.2f}")
    chart(
        charts.confusion(scored["confusion"]),
        f"confusion.{title}",
        f"Slices with and without tumor by the answer of the network. {title}.",
    )


def _draw_sources(rows: dict[tuple[str, bool], Any], specs: set[ModelSpec], text: Text) -> None:
    by_task = {spec.task: spec for spec in specs}
    names = {
        f"{by_task['segment'].title}: the verdict": "segmenter",
        f"{by_task['classify'].title}: second opinion": "classifier",
        "Both together": "both",
        f"A linear head on the {by_task['segment'].title}'s encoder": "head",
    }

    def score(source: str, key: tuple[bool, str], kind: MetricFormat) -> str | None:
        return with_interval(rows.get((source, key[0]), {}), key[1], kind)

    tables.draw(
        [(name, source) for name, source in names.items() if (source, False) in rows],
        _columns(_LEADING, text, score),
        "detection",
        "AUC and sensitivity by segmenter, classifier and both, alone and with neighbors.",
    )
    crossval = experiments.load(f"crossval_{by_task['classify'].name}")
    st.caption(f"{text.get('Both together', '')} {reduced_run(crossval) if crossval else ''}")


def _columns(
    kinds: Mapping[Any, MetricFormat],
    text: Text,
    score: Callable[[Any, Any, MetricFormat], str | None],
) -> list[tables.TableColumn]:
    """Return the columns of entries (title, source); ``score`` gives a cell from source, key and kind."""
    return [
        tables.text("Network", lambda each: each[0], pinned=True),
        *(
            tables.text(
                kind.column,
                lambda each, key=key, kind=kind: score(each[1], key, kind),
                help=help_of(text, kind.term),
            )
            for key, kind in kinds.items()
        ),
    ]
