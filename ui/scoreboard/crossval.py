"""The Scoreboard's cross-validation: each patient scored by networks not trained on that patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from btmodels import registry
from btmodels.dataset import cohort
from ui.results import experiments, published
from ui.results.published import PatientRow
from ui.scoreboard import strip_plot
from ui.scoreboard.comparison import chart
from ui.shared.tables import table

Text = dict[str, str]
Document = Mapping[str, Any]
Column = st.column_config


def draw_crossval(document: Document, text: Text) -> None:
    """Draw each patient's out-of-fold Dice beside published results."""
    patients = document["patients"]
    known = {n: e["dice"] for n, e in patients.items() if e["dice"] is not None}
    low, high = document["mean_dice_interval"]
    st.markdown(
        f"Mean Dice of {len(known)} patients: **{document['mean_dice']:.3f}** (95% confidence interval "
        f"{low:.3f} to {high:.3f}), median **{document['median_dice']:.3f}**. "
        f"False alarms: {100 * document['false_alarm_rate']:.1f}% of the slices without tumor. "
        f"{_at_chosen_cut(document['chosen_cut'])} {_cleaned(document['whole_patient'])}"
    )
    rows = published.rows_of_patients()
    ours = PatientRow(
        "This site, five folds",
        dots=list(known.values()),
        names=list(known),
        mean=document["mean_dice"],
        median=document["median_dice"],
        interval=(low, high),
        chosen=True,
    )
    folds = [row for row in rows if row.median is not None][:1]
    chart(strip_plot.patient_dots([ours], folds), "crossval", "Out-of-fold Dice of each patient.")
    st.markdown(_compared(document, len(known)))
    st.markdown(reduced_run(document))
    _draw_networks()
    if classifier := experiments.load(f"crossval_{registry.get('default-classifier').name}"):
        st.markdown(
            f"The classifier in the same folds: AUC **{classifier['auc']:.3f}** over "
            f"{classifier['slices']:,} slices; *Is there one?* has its intervals. "
            + reduced_run(classifier)
        )
    table(
        [
            {
                "Fold": fold["fold"],
                "Trained on": fold["training_patients"],
                "Mean Dice": fold["mean_dice"],
                "Processor seconds": round(fold["cpu_seconds"]),
            }
            for fold in document["folds"]
        ],
        {
            "Fold": Column.NumberColumn(pinned=True),
            "Trained on": Column.NumberColumn(help="Patients of the other folds."),
            "Mean Dice": Column.NumberColumn(format="%.3f"),
            "Processor seconds": Column.NumberColumn(format="localized", help="For training."),
        },
        "crossval",
        "Each fold with its training and its score.",
    )


def _cleaned(scores: Document) -> str:
    low, high = scores["mean_dice_interval"]
    return (
        f"With a clean-up across each whole patient: mean **{scores['mean_dice']:.3f}** (95% interval "
        f"{low:.3f} to {high:.3f}), median **{scores['median_dice']:.3f}**. {scores['rule']}"
    )


def _compared(document: Document, number: int) -> str:
    """Return a comparison with the publication of the most similar protocol."""
    system = next(
        (each for each in published.load()["systems"] if "median_dice" in each["figures"]), None
    )
    if not system:
        return ""
    mean = system["figures"]["mean_dice"]
    above = document["mean_dice"] - mean
    words = f"{abs(above):.3f} {'above' if above >= 0 else 'below'}"
    aside = len(cohort.load_split()["reference"])
    return (
        f"{system['system']} reports a mean of {mean:.3f} and a median of "
        f"{system['figures']['median_dice']:.3f} (patients: {system['patients']}); ours covers {number}, "
        f"because {aside} reference patients are set aside. Our mean is {words} theirs."
    )


def reduced_run(document: Document) -> str:
    """Compare the training of the folds' networks with that of the site's own; empty if it was as long."""
    recipes = {each["name"]: each for each in document["full_recipe"]}
    trained = document.get("members") or [
        {"name": document["network"]["name"], "budget": document["budget"]}
    ]
    said, reduced = [], False
    for each in trained:
        budget, recipe = each["budget"], recipes[each["name"]]
        title = registry.get(each["name"]).title
        whole = budget["slices"] >= recipe["slices"] and budget["size"] >= recipe["size"]
        reduced = reduced or not whole
        said.append(
            f"the {title} was trained on {_amount(budget, experiments.trained_slices(budget))}, "
            + ("as the site's own was" if whole else f"the site's own on {_amount(recipe)}")
        )
    if not reduced:
        return ""
    return (
        f"**This is a reduced run**: in each fold {'; '.join(said)}. The figure shows what this budget "
        "achieves, not what the full recipe does."
    )


def _amount(trained: Document, slices: int | None = None) -> str:
    number = trained["slices"] if slices is None else slices
    return f"{number:,} slices of {trained['size']} x {trained['size']} pixels"


def _draw_networks() -> None:
    """Draw a table of all segmenters that were cross-validated."""
    names = [name for name, spec in registry.SPECS.items() if spec.task == "segment"]
    found = [each for name in names if (each := experiments.load(f"crossval_{name}"))]
    table(
        [
            {
                "Network": registry.get(each["network"]["name"]).title,
                "Mean Dice": each["mean_dice"],
                "Median Dice": each["median_dice"],
                "Mean at the chosen threshold": each["chosen_cut"]["mean_dice"],
                "Tumor-slice Dice": each["tumor_slice_dice"],
                "False alarms": 100 * each["false_alarm_rate"],
                "Slices per fold": budget and experiments.trained_slices(budget),
                "Pixels": budget and f"{budget['size']} x {budget['size']}",
            }
            for each in found
            for budget in (each["budget"],)
        ],
        {
            "Network": Column.TextColumn(pinned=True),
            "Mean Dice": Column.NumberColumn(format="%.3f", help="At threshold 0.5."),
            "Median Dice": Column.NumberColumn(format="%.3f"),
            "Mean at the chosen threshold": Column.NumberColumn(
                format="%.3f",
                help="Mean Dice at the threshold that is best for the other folds' patients.",
            ),
            "Tumor-slice Dice": Column.NumberColumn(format="%.3f"),
            "False alarms": Column.NumberColumn(
                format="%.1f%%", help="Slices without tumor in which something is marked."
            ),
            "Slices per fold": Column.NumberColumn(
                format="localized",
                help="On which each fold's network was trained. An ensemble is assembled, not trained.",
            ),
            "Pixels": Column.TextColumn(help="Rows and columns in training and scoring."),
        },
        "crossval_networks",
        "The networks that were cross-validated.",
    )


def _at_chosen_cut(scores: Document) -> str:
    low, high = scores["mean_dice_interval"]
    cuts = sorted(set(scores["by_fold"]))
    where = f"{cuts[0]:g}" if len(cuts) == 1 else f"{cuts[0]:g} to {cuts[-1]:g}"
    return (
        "At the threshold that is best for the other folds' patients instead of 0.5 "
        f"({where}): mean **{scores['mean_dice']:.3f}** (95% interval {low:.3f} to {high:.3f}), "
        f"median **{scores['median_dice']:.3f}**."
    )
