"""The Scoreboard of a classifier: curves over all thresholds, calibration, outcomes, worst cases."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from btmodels.metrics import classification
from ui.results.scores import Network
from ui.scoreboard import charts, worst_cases
from ui.scoreboard.comparison import CLASSIFIER, chart, help_of
from ui.scoreboard.segmenter import figure, interval_note

Text = dict[str, str]


def headline(scored: dict[str, Any], text: Text) -> None:
    """Draw the figures that sum a classifier up."""
    with st.grid("auto", min_column_width=160, gap="small"):
        for key, kind in CLASSIFIER.items():
            figure(scored, key, kind, text)
    interval_note(text)


def draw_details(network: Network, subset: str, text: Text) -> None:
    """Draw all that was measured of the classifier on a subset."""
    scored = network.scored[subset]
    probability, tumor = verdicts_of(scored)
    if tumor.any() and not tumor.all():
        curves(probability, tumor, scored, text)
    st.header("Calibration and outcomes")
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(text.get("Classifier calibration", ""))
        chart(
            charts.reliability(classification.reliability(probability, tumor), "slices"),
            "reliability",
            "Share of slices with tumor among those of a probability, against that probability.",
        )
    with right:
        st.markdown(text.get("Confusion", ""))
        if scored.get("confusion"):
            chart(
                charts.confusion(scored["confusion"]),
                "confusion",
                "Slices with and without tumor by what the classifier says of them.",
            )
        else:
            st.info("Outcomes at the stored threshold were not counted on these patients.")
    worst_cases.classifier(network, subset, text)


def verdicts_of(scored: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return probability, float (n,), and whether there is a tumor, bool (n,), of all slices."""
    slices = [
        each for patient in (scored.get("per_slice") or {}).values() for each in patient.values()
    ]
    pairs = np.array(slices, float).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1] > 0


def curves(probability: np.ndarray, tumor: np.ndarray, scored: dict[str, Any], text: Text) -> None:
    """Draw what every threshold would give, and mark the stored one."""
    st.header("All thresholds")
    yes = probability >= scored["threshold"]
    found, alarms = float(yes[tumor].mean()), float(yes[~tumor].mean())
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(text.get("ROC", ""))
        chart(
            charts.roc(*classification.roc_curve(probability, tumor), (alarms, found)),
            "roc",
            "ROC curve: share of tumor slices found against share of false alarms.",
        )
        st.caption(f"**AUC.** {help_of(text, 'AUC') or ''}")
    with right:
        st.markdown(text.get("Precision and recall", ""))
        right_when_yes = (found, float(tumor[yes].mean())) if yes.any() else None
        chart(
            charts.precision_recall(
                *classification.precision_recall_curve(probability, tumor),
                float(tumor.mean()),
                right_when_yes,
            ),
            "precision",
            "Precision against recall over all thresholds.",
        )
        st.caption(f"**Average precision.** {help_of(text, 'Average precision') or ''}")
