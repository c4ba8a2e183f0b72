"""The classifier on the Scoreboard's tab *Is there one?*: curves over all thresholds, and calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from btmodels.metrics import classification
from ui.scoreboard import curves
from ui.scoreboard.choice import Choice
from ui.scoreboard.comparison import chart, draw_costs, draw_networks

Text = dict[str, str]


def draw_classifier(choice: Choice, text: Text) -> None:
    """Draw the classifier's curves on the chosen patients, and its costs."""
    if scored := choice.scored:
        probability, tumor = verdicts_of(scored)
        title = choice.network.spec.title
        with st.expander(f"Curves and calibration of the {title}", icon=":material/show_chart:"):
            if tumor.any() and not tumor.all():
                draw_curves(probability, tumor, scored, text)
            draw_calibration(probability, tumor, text)
    classifiers = choice.of_task("classify")
    if len(classifiers) > 1:
        draw_networks(classifiers, "classify", choice.subset, text)
    draw_costs(classifiers, "classify", text)
    st.caption(text.get("No published classifier", ""))


def draw_calibration(probability: np.ndarray, tumor: np.ndarray, text: Text) -> None:
    """Draw the share of slices with tumor against the predicted probability."""
    st.markdown(text.get("Classifier calibration", ""))
    chart(
        curves.reliability(classification.reliability(probability, tumor), "slices"),
        "reliability",
        "Share of slices with tumor among those of a probability, against that probability.",
    )


def verdicts_of(scored: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the probability, float (n,), and the tumor label, bool (n,), of all slices."""
    slices = [
        each for patient in (scored.get("per_slice") or {}).values() for each in patient.values()
    ]
    pairs = np.array(slices, float).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1] > 0


def draw_curves(
    probability: np.ndarray, tumor: np.ndarray, scored: dict[str, Any], text: Text
) -> None:
    """Draw the curves over all thresholds, and mark the network's own threshold."""
    yes = probability >= scored["threshold"]
    found, alarms = float(yes[tumor].mean()), float(yes[~tumor].mean())
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(text.get("ROC", ""))
        chart(
            curves.roc(*classification.roc_curve(probability, tumor), (alarms, found)),
            "roc",
            "ROC curve: share of tumor slices found against share of false alarms.",
        )
    with right:
        st.markdown(text.get("Precision and recall", ""))
        right_when_yes = (found, float(tumor[yes].mean())) if yes.any() else None
        chart(
            curves.precision_recall(
                *classification.precision_recall_curve(probability, tumor),
                float(tumor.mean()),
                right_when_yes,
            ),
            "precision",
            "Precision against recall over all thresholds.",
        )
