"""Effects of training changes: in short cross-validations, and in full ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from ui.scoreboard.comparison import chart
from ui.scoreboard.experiment_charts import IntervalRow, intervals
from ui.shared import tables


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
    bars = [
        IntervalRow(
            title(row),
            row["difference"],
            row["difference_interval"],
            f"{row['compared_patients']} patients",
        )
        for row in rows
    ]
    chart(
        intervals(bars, "Difference in mean Dice", zero=True),
        "screen",
        f"Difference in mean Dice that each change made, with {percent} intervals.",
    )

    def in_all_folds(key: str) -> Callable[[Mapping[str, Any]], float | None]:
        # The missing folds may be easier.
        return lambda row: row[key] if row["folds"] == first["folds"] else None

    columns = (
        tables.text("Training", title, width=330),
        tables.number("Mean Dice", in_all_folds("mean_dice"), "%.3f"),
        tables.number("Median", in_all_folds("median_dice"), "%.3f"),
        *_differences("Patient by patient, to training as it is."),
        tables.number(
            "At chosen threshold",
            in_all_folds("chosen_cut"),
            "%.3f",
            help="Mean Dice, each fold at the threshold that is best for the other folds' patients.",
        ),
        tables.number(
            "Minutes", "cpu_seconds", "%.0f", 1 / 60, help="Processor time of all folds."
        ),
    )
    alt = "Every change with its scores and differences."
    tables.draw(document["variants"], columns, "screen", alt)


def _differences(difference: str, interval: str | None = None) -> list[tables.TableColumn]:
    """Return the columns of a comparison, with help on the difference and its interval."""

    def end(index: int) -> Callable[[Mapping[str, Any]], float | None]:
        return lambda row: (row["difference_interval"] or (None, None))[index]

    return [
        tables.number("Difference", "difference", "%+.3f", help=difference),
        tables.number("From", end(0), "%+.3f", help=interval),
        tables.number("To", end(1), "%+.3f"),
        tables.number(
            "Patients",
            lambda row: row["compared_patients"] or None,
            help="Patients who were compared.",
        ),
        tables.number("Better", "better", help="Patients whose Dice rose."),
    ]


def draw_pairs(document: Mapping[str, Any], text: dict[str, str]) -> None:
    """Draw pairs of full trainings that differ in one respect."""
    rows = [row for row in document["rows"] if row["difference_interval"]]
    st.markdown(verdicts(rows, document["least_gain"]))
    columns = (
        tables.text("Training", "title", width=430),
        tables.number(
            "Mean Dice",
            "mean_dice",
            "%.3f",
            help="Of all patients in the folds that both have finished.",
        ),
        tables.number("Against", "other_mean_dice", "%.3f", help="The other training's mean Dice."),
        *_differences(
            "Patient by patient, without test patients.",
            f"{100 * document['interval']:.0f}% interval over patients.",
        ),
    )
    alt = "Trainings of full networks that differ in one respect."
    tables.draw(rows, columns, "pairs", alt)


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
