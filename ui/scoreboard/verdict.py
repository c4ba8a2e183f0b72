"""The verdict that the site uses, on the Scoreboard's tab *Is there one?*, and the classifier beside it."""

from __future__ import annotations

from collections.abc import Mapping
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
from ui.shared.tables import table

Text = dict[str, str]
Column = st.column_config

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
    table(
        [
            {"Network": title}
            | {kind.column: with_interval(scored, key, kind) for key, kind in CLASSIFIER.items()}
            for title, scored in known.items()
        ],
        _columns(CLASSIFIER, text),
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
        "segmenter": f"{by_task['segment'].title}: the verdict",
        "classifier": f"{by_task['classify'].title}: second opinion",
        "both": "Both together",
        "head": f"A linear head on the {by_task['segment'].title}'s encoder",
    }
    table(
        [
            {"Network": name}
            | {
                kind.column: with_interval(rows[source, neighbors], key, kind)
                for (neighbors, key), kind in _LEADING.items()
                if (source, neighbors) in rows
            }
            for source, name in names.items()
            if (source, False) in rows
        ],
        _columns(_LEADING, text),
        "detection",
        "AUC and sensitivity by segmenter, classifier and both, alone and with neighbors.",
    )
    crossval = experiments.load(f"crossval_{by_task['classify'].name}")
    st.caption(f"{text.get('Both together', '')} {reduced_run(crossval) if crossval else ''}")


def _columns(kinds: Mapping[Any, MetricFormat], text: Text) -> dict[str, Any]:
    columns = {
        kind.column: Column.TextColumn(help=help_of(text, kind.term)) for kind in kinds.values()
    }
    return {"Network": Column.TextColumn(pinned=True)} | columns
