"""The Scoreboard's comparison of shape-gene associations from the expert's masks and predicted ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui.scoreboard.comparison import chart
from ui.scoreboard.experiment_charts import groups
from ui.shared.tables import table

Text = dict[str, str]
Document = Mapping[str, Any]
Column = st.column_config

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
    table(
        [
            {
                "Figure": figures[row["figure"]],
                "Clusters by": clusters[row["column"]],
                "Patients": row["patients"],
                "p, true": row["truth"]["p"],
                "p corrected, true": row["truth"]["p_holm"],
                "p, predicted": row["predicted"]["p"],
                "p corrected, predicted": row["predicted"]["p_holm"],
            }
            for row in document["tests"]
        ],
        {
            "Figure": Column.TextColumn(pinned=True, width=180),
            "Clusters by": Column.TextColumn(width=150),
            "Patients": Column.NumberColumn(),
            **{
                f"p{corrected}, {kind}": Column.NumberColumn(format="%.2g")
                for kind in ("true", "predicted")
                for corrected in ("", " corrected")
            },
        },
        "associate",
        "Every test with its p values, for true and predicted masks.",
    )


def _by_cluster(document: Document, figure: str, column: str) -> dict[str, dict[str, list[float]]]:
    row = next(
        each for each in document["tests"] if (each["figure"], each["column"]) == (figure, column)
    )
    kinds = {"expert's mask": "truth", "predicted mask": "predicted"}
    return {title: row[kind]["values"] for title, kind in kinds.items()}
