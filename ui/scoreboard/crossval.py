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
from ui.scoreboard.comparison import FALSE_ALARMS, chart
from ui.shared import tables

Text = dict[str, str]
Document = Mapping[str, Any]


def draw_crossval(document: Document, text: Text) -> None:
    """Draw each patient's out-of-fold Dice beside published results."""
    patients = document["patients"]
    ours = PatientRow(
        "This site, five folds",
        {name: each["dice"] for name, each in patients.items()},
        mean=document["mean_dice"],
        median=document["median_dice"],
        interval=document["mean_dice_interval"],
        chosen=True,
    )
    number = len(ours.dots())
    low, high = document["mean_dice_interval"]
    whole = document["whole_patient"]
    st.markdown(
        f"Mean Dice of {number} patients: **{document['mean_dice']:.3f}** (95% confidence interval "
        f"{low:.3f} to {high:.3f}), median **{document['median_dice']:.3f}**. "
        f"False alarms: {100 * document['false_alarm_rate']:.1f}% of the slices without tumor. "
        f"{_at_chosen_cut(document['chosen_cut'])} "
        f"With a clean-up across each whole patient: {_means(whole)} {whole['rule']}"
    )
    folds = [row for row in published.rows_of_patients() if row.median is not None][:1]
    chart(strip_plot.patient_dots([ours], folds), "crossval", "Out-of-fold Dice of each patient.")
    st.markdown(_compared(document, number))
    st.markdown(reduced_run(document))
    _draw_networks()
    if classifier := experiments.load(f"crossval_{registry.get('default-classifier').name}"):
        st.markdown(
            f"The classifier in the same folds: AUC **{classifier['auc']:.3f}** over "
            f"{classifier['slices']:,} slices; *Is there one?* has its intervals. "
            + reduced_run(classifier)
        )
    columns = (
        tables.number("Fold", "fold", pinned=True),
        tables.number("Trained on", "training_patients", help="Patients of the other folds."),
        tables.number("Mean Dice", "mean_dice", "%.3f"),
        tables.number(
            "Processor seconds",
            lambda fold: round(fold["cpu_seconds"]),
            "localized",
            help="For training.",
        ),
    )
    alt = "Each fold with its training and its score."
    tables.draw(document["folds"], columns, "crossval", alt)


def _means(scores: Document) -> str:
    low, high = scores["mean_dice_interval"]
    return (
        f"mean **{scores['mean_dice']:.3f}** (95% interval {low:.3f} to {high:.3f}), "
        f"median **{scores['median_dice']:.3f}**."
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
    columns = (
        tables.text(
            "Network", lambda each: registry.get(each["network"]["name"]).title, pinned=True
        ),
        tables.number("Mean Dice", "mean_dice", "%.3f", help="At threshold 0.5."),
        tables.number("Median Dice", "median_dice", "%.3f"),
        tables.number(
            "Mean at the chosen threshold",
            "chosen_cut.mean_dice",
            "%.3f",
            help="Mean Dice at the threshold that is best for the other folds' patients.",
        ),
        tables.number("Tumor-slice Dice", "tumor_slice_dice", "%.3f"),
        tables.number("False alarms", "false_alarm_rate", "%.1f%%", 100, help=FALSE_ALARMS),
        tables.number(
            "Slices per fold",
            lambda each: each["budget"] and experiments.trained_slices(each["budget"]),
            "localized",
            help="On which each fold's network was trained. An ensemble is assembled, not trained.",
        ),
        tables.text(
            "Pixels",
            lambda each: each["budget"] and "{size} x {size}".format(**each["budget"]),
            help="Rows and columns in training and scoring.",
        ),
    )
    tables.draw(
        [each for name in names if (each := experiments.load(f"crossval_{name}"))],
        columns,
        "crossval_networks",
        "The networks that were cross-validated.",
    )


def _at_chosen_cut(scores: Document) -> str:
    cuts = sorted(set(scores["by_fold"]))
    where = f"{cuts[0]:g}" if len(cuts) == 1 else f"{cuts[0]:g} to {cuts[-1]:g}"
    return (
        "At the threshold that is best for the other folds' patients instead of 0.5 "
        f"({where}): {_means(scores)}"
    )
