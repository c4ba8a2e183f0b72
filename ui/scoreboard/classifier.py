"""The Scoreboard's tab *Is there one?*: curves over all thresholds, calibration, confusion matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from btmodels import registry
from btmodels.metrics import classification
from ui.results import experiments
from ui.scoreboard import charts, curves
from ui.scoreboard.choice import Choice
from ui.scoreboard.comparison import CLASSIFIER, chart, draw_costs, draw_networks, draw_terms
from ui.scoreboard.crossval import reduced_run
from ui.scoreboard.segmenter import draw_metric
from ui.shared.tables import table

Text = dict[str, str]


def draw_classifier(choice: Choice, text: Text) -> None:
    """Draw all measurements of the classifier on the chosen patients."""
    scored = choice.scored
    if scored:
        with st.grid("auto", min_column_width=160, gap="small"):
            for key, kind in CLASSIFIER.items():
                draw_metric(scored, key, kind, text)
        draw_terms([*(kind.term for kind in CLASSIFIER.values()), "Interval"], text)
    _draw_crossval(choice.network.spec.name)
    draw_detection(text)
    if scored:
        probability, tumor = verdicts_of(scored)
        if tumor.any() and not tumor.all():
            draw_curves(probability, tumor, scored, text)
        draw_outcomes(probability, tumor, scored, text)
    classifiers = choice.of_task("classify")
    if len(classifiers) > 1:
        draw_networks(classifiers, "classify", choice.subset, text)
    draw_costs(classifiers, "classify", text)
    st.caption(text.get("No published classifier", ""))


def draw_detection(text: Text) -> None:
    """Draw how well classifier and segmenter detect tumor slices, with and without neighboring slices."""
    document = experiments.load("detection")
    if not document or not document["rows"]:
        return
    sources = {each["name"]: registry.get(each["name"]) for each in document["sources"]}
    titles = {spec.task: spec.title for spec in sources.values()}
    names = {
        "classifier": titles["classify"],
        "segmenter": titles["segment"],
        "both": "Both together",
    }
    by: dict[str, dict[str, str]] = {}
    for row in document["rows"]:
        beside = "with neighbors" if row["neighbors"] else "slice alone"
        by.setdefault(row["by"], {}).update(
            {
                f"AUC, {beside}": _of_slices(row, "auc"),
                f"Sensitivity, {beside}": _of_slices(row, "sensitivity"),
            }
        )
    first = document["rows"][0]
    with st.expander("Classifier and segmenter compared, with and without neighboring slices"):
        st.markdown(text.get("Detection", ""))
        table(
            [{"Scored by": names[kind], **cells} for kind, cells in by.items()],
            {
                "Scored by": st.column_config.TextColumn(pinned=True),
                **{column: st.column_config.TextColumn() for column in next(iter(by.values()))},
            },
            "detection",
            "AUC and sensitivity by classifier, segmenter and both, alone and with neighbors.",
        )
        st.caption(
            f"{first['slices']:,} slices of {first['patients']} patients, by networks that never saw them; "
            "sensitivity at 95% specificity; in parentheses 95% confidence intervals over patients."
        )


def _of_slices(row: dict[str, Any], key: str) -> str:
    low, high = row[f"{key}_interval"]
    return f"{row[key]:.3f} ({low:.3f} to {high:.3f})"


def draw_outcomes(
    probability: np.ndarray, tumor: np.ndarray, scored: dict[str, Any], text: Text
) -> None:
    """Draw the calibration of probabilities, and the confusion matrix at the threshold."""
    st.header("Calibration and outcomes", anchor=False)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(text.get("Classifier calibration", ""))
        chart(
            curves.reliability(classification.reliability(probability, tumor), "slices"),
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
            st.info("Outcomes at this network's threshold were not counted on these patients.")


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


def _draw_crossval(name: str) -> None:
    # The folds' networks are not the site's own, so their score is shown separately.
    document = experiments.load(f"crossval_{registry.get(name).name}")
    if not document:
        return
    low, high = document["auc_interval"]
    st.markdown(
        f"By cross-validation, over {document['slices']:,} slices of {len(document['patients'])} "
        f"patients: AUC **{document['auc']:.3f}** (95% confidence interval {low:.3f} to {high:.3f}). "
        f"{reduced_run(document)}"
    )
