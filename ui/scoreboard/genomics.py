"""The Scoreboard's comparison of shape-gene associations from the expert's masks and predicted ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui.scoreboard.comparison import chart
from ui.scoreboard.experiment_charts import groups
from ui.shared import tables

Text = dict[str, str]
Document = Mapping[str, Any]

FIGURE, CLUSTER = "scoreboard.figure", "scoreboard.cluster"
"""Session keys."""


def associate(document: Document, text: Text) -> None:
    """Draw tests of shape against genes for both kinds of masks, and a feature's values by cluster."""
    same, total = document["same"], len(document["tests"])
    st.markdown(
        f"{document['patients']} patients and {total} tests with each kind of mask. After correction, "
        f"**{same['both']}** have p below {document['alpha']:g} with both, **{same['truth_only']}** "
        f"with the expert's masks alone, **{same['predicted_only']}** with the predicted ones alone, "
        f"{same['neither']} with neither."
    )
    if scored := document.get("crossval"):
        st.markdown(
            f"The predicted masks are those of cross-validation (mean Dice {scored['mean_dice']:.3f})."
        )
    figures = {each["key"]: each["title"] for each in document["figures"]}
    clusters = {each["column"]: each["title"] for each in document["clusters"]}
    left, right = st.columns(2)
    figure = left.selectbox("Shape feature", list(figures), format_func=figures.get, key=FIGURE)
    column = right.selectbox("Clusters by", list(clusters), format_func=clusters.get, key=CLUSTER)
    chart(
        groups(_by_cluster(document, figure, column), figures[figure]),
        "associate",
        "A shape feature of each patient by cluster, from true and predicted masks.",
    )
    agreement = {each["figure"]: each for each in document["agreement"]}[figure]
    if agreement["spearman"] is not None:
        st.caption(
            f"{figures[figure]} of true and predicted masks: Spearman's correlation "
            f"{agreement['spearman']:.2f} over {agreement['patients']} patients. The short line is a "
            "cluster's median."
        )
    columns = (
        tables.text("Figure", lambda row: figures[row["figure"]], pinned=True, width=180),
        tables.text("Clusters by", lambda row: clusters[row["column"]], width=150),
        tables.number("Patients", "patients"),
        tables.number("p, true", "truth.p", "%.2g"),
        tables.number("p corrected, true", "truth.p_holm", "%.2g"),
        tables.number("p, predicted", "predicted.p", "%.2g"),
        tables.number("p corrected, predicted", "predicted.p_holm", "%.2g"),
    )
    alt = "Every test with its p values, for true and predicted masks."
    tables.draw(document["tests"], columns, "associate", alt)


def _by_cluster(document: Document, figure: str, column: str) -> dict[str, dict[str, list[float]]]:
    row = next(
        each for each in document["tests"] if (each["figure"], each["column"]) == (figure, column)
    )
    kinds = {"expert's mask": "truth", "predicted mask": "predicted"}
    return {title: row[kind]["values"] for title, kind in kinds.items()}
