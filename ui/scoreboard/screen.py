"""Effects of training changes: in short cross-validations, and in full ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ui.scoreboard.comparison import chart
from ui.scoreboard.experiment_charts import IntervalRow, intervals
from ui.shared.tables import table

Column = st.column_config


def draw_screen(document: Mapping[str, Any], text: dict[str, str]) -> None:
    """Draw every change to the training with its effect."""
    first, *rows = document["variants"]
    percent = f"{100 * document['interval']:.0f}%"
    patients = rows[0]["compared_patients"]
    st.markdown(
        f"{patients} patients, none of them a test patient, each scored by a "
        f"network that never saw them. Trained as the site's networks are, these small networks reach "
        f"a mean Dice of **{first['mean_dice']:.3f}**. {verdicts(rows, document['least_gain'])} "
        f"A change counts where its {percent} interval excludes 0."
    )
    chart(
        intervals(
            [
                IntervalRow(
                    title(row),
                    row["difference"],
                    row["difference_interval"],
                    f"{row['compared_patients']} patients",
                )
                for row in rows
            ],
            "Difference in mean Dice",
            zero=True,
        ),
        "screen",
        f"Difference in mean Dice that each change made, with {percent} intervals.",
    )
    table(
        [
            {
                "Training": title(row),
                # Only with all folds, since the missing ones may be easier.
                "Mean Dice": row["mean_dice"] if row["folds"] == first["folds"] else None,
                "Median": row["median_dice"] if row["folds"] == first["folds"] else None,
                "Difference": row["difference"],
                "From": (row["difference_interval"] or [None, None])[0],
                "To": (row["difference_interval"] or [None, None])[1],
                "Patients": row["compared_patients"] or None,
                "Better": row["better"],
                "At chosen threshold": row["chosen_cut"]
                if row["folds"] == first["folds"]
                else None,
                "Minutes": row["cpu_seconds"] / 60,
            }
            for row in document["variants"]
        ],
        {
            "Training": Column.TextColumn(width=330),
            "Mean Dice": Column.NumberColumn(format="%.3f"),
            "Median": Column.NumberColumn(format="%.3f"),
            "Difference": Column.NumberColumn(
                format="%+.3f",
                help="Patient by patient, to training as it is.",
            ),
            "From": Column.NumberColumn(format="%+.3f"),
            "To": Column.NumberColumn(format="%+.3f"),
            "Patients": Column.NumberColumn(help="Patients who were compared."),
            "Better": Column.NumberColumn(help="Patients whose Dice rose."),
            "At chosen threshold": Column.NumberColumn(
                format="%.3f",
                help="Mean Dice, each fold at the threshold that is best for the other folds' patients.",
            ),
            "Minutes": Column.NumberColumn(format="%.0f", help="Processor time of all folds."),
        },
        "screen",
        "Every change with its scores and differences.",
    )


def draw_pairs(document: Mapping[str, Any], text: dict[str, str]) -> None:
    """Draw pairs of full trainings that differ in one respect."""
    rows = [row for row in document["rows"] if row["difference_interval"]]
    st.markdown(verdicts(rows, document["least_gain"]))
    table(
        [
            {
                "Training": row["title"],
                "Mean Dice": row["mean_dice"],
                "Against": row["other_mean_dice"],
                "Difference": row["difference"],
                "From": row["difference_interval"][0],
                "To": row["difference_interval"][1],
                "Patients": row["compared_patients"],
                "Better": row["better"],
            }
            for row in rows
        ],
        {
            "Training": Column.TextColumn(width=430),
            "Mean Dice": Column.NumberColumn(
                format="%.3f", help="Of all patients in the folds that both have finished."
            ),
            "Against": Column.NumberColumn(format="%.3f", help="The other training's mean Dice."),
            "Difference": Column.NumberColumn(
                format="%+.3f", help="Patient by patient, without test patients."
            ),
            "From": Column.NumberColumn(
                format="%+.3f", help=f"{100 * document['interval']:.0f}% interval over patients."
            ),
            "To": Column.NumberColumn(format="%+.3f"),
            "Patients": Column.NumberColumn(help="Patients who were compared."),
            "Better": Column.NumberColumn(help="Patients whose Dice rose."),
        },
        "pairs",
        "Trainings of full networks that differ in one respect.",
    )


def title(row: Mapping[str, Any]) -> str:
    """Return a row's name: the change, or for the averaged baseline the average."""
    averaged = row.get("weights") == "averaged"
    return "Moving average of the weights" if averaged else row["title"]


def verdicts(rows: Sequence[Mapping[str, Any]], least: float) -> str:
    """Return sentences on the changes that helped, hurt, or did not matter, and the undecided ones.

    Args:
        rows: Rows of the file, without the first.
        least: Smallest relevant difference in mean Dice.
    """
    helped = [row for row in rows if row["difference_interval"][0] > 0]
    cost = [row for row in rows if row["difference_interval"][1] < 0]
    open_ = [row for row in rows if row not in helped and row not in cost]
    idle = [row for row in open_ if max(map(abs, row["difference_interval"])) < least]
    rest = len(open_) - len(idle)
    sentences = []
    for word, found in (("Helped", helped), ("Hurt", cost)):
        named = "; ".join(f"{title(row)} ({row['difference']:+.3f})" for row in found)
        sentences += [f"{word}: {named}."] if found else []
    if not helped:
        sentences.insert(0, "Nothing that was tried clearly helped.")
    if idle:
        named = "; ".join(map(title, idle))
        sentences.append(f"Less than {least:g} either way: {named}.")
    if rest:
        noun = "comparison is" if rest == 1 else "comparisons are"
        sentences.append(f"{rest} {noun} too close to tell.")
    return " ".join(sentences)
