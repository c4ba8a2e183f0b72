"""The Scoreboard's experiments: their choice, the leak, and input faults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from btmodels.metrics.bootstrap import paired_difference
from ui.results import experiments
from ui.scoreboard import crossval, genomics, losses, screen, transfer
from ui.scoreboard.comparison import chart
from ui.scoreboard.experiment_charts import IntervalRow, intervals
from ui.shared import tables

Text = dict[str, str]
Document = Mapping[str, Any]

CHOSEN = "scoreboard.experiment"


def draw_experiments(text: Text) -> None:
    """Draw the choice of experiments and the chosen one."""
    st.markdown(text.get("Experiments", ""))
    # Only the chosen experiment is read and drawn.
    name = st.segmented_control(
        "Experiment",
        list(experiments.NAMES),
        format_func=experiments.NAMES.get,
        default=next(iter(experiments.NAMES)),
        required=True,
        key=CHOSEN,
        label_visibility="collapsed",
    )
    document = experiments.load(name)
    st.subheader(experiments.NAMES[name], anchor=False)
    st.markdown(text.get(experiments.NAMES[name], ""))
    if document is None:
        st.info("This was not measured in this copy of the project.", icon=":material/science_off:")
        return
    if missing := experiments.lacking(document):
        st.warning(missing, icon=":material/hourglass_top:")
    try:
        DRAW[name](document, text)
    except (KeyError, TypeError, IndexError, ValueError):
        # The file has another version: better no figure than an incomplete one.
        st.info(
            "This page cannot read the file of this experiment.",
            icon=":material/do_not_disturb_on:",
        )
        return
    st.caption(experiments.how(document))


def leak(document: Document, text: Text) -> None:
    """Draw both splits of the same slices, and the distance of test slices from training slices."""
    leaking, clean = document["arms"]
    found = paired_difference(leaking["score"]["patients"], clean["score"]["patients"])
    paired = (
        ""
        if found is None
        else "Patient by patient that is {:+.3f} ({:+.3f} to {:+.3f}). ".format(found[0], *found[1])
    )
    st.markdown(
        f"On the very same test slices the network scores a mean Dice over patients of "
        f"**{leaking['score']['mean_dice']:.3f}** where slices were split at random and "
        f"**{clean['score']['mean_dice']:.3f}** where patients were split. "
        f"{paired}{len(leaking['shared_patients'])} of the "
        f"{leaking['test_patients']} patients in the first test set were also trained on. For "
        f"{100 * leaking['nearest']['same_patient']:.0f}% of its test slices the most similar "
        f"training slice is from the same patient; in the second this cannot happen."
    )
    bars = [
        IntervalRow(arm["title"], arm["score"]["mean_dice"], arm["score"]["mean_dice_interval"])
        for arm in (leaking, clean)
    ]
    chart(intervals(bars, "Mean Dice"), "leak", "Mean Dice of both splits, with intervals.")
    columns = (
        tables.text("Split", "title", pinned=True, width=190),
        tables.number("Mean Dice", "score.mean_dice", "%.3f"),
        tables.number("Median Dice", "score.median_dice", "%.3f"),
        tables.number(
            "Test slices", lambda arm: sum(draw["sizes"]["test"] for draw in arm["draws"])
        ),
        tables.number("Patients on both sides", lambda arm: len(arm["shared_patients"])),
        tables.number(
            "Nearest of the same patient",
            "nearest.same_patient",
            "%.0f%%",
            100,
            help="Test slices whose nearest training slice is from the same patient.",
        ),
        tables.number(
            "Distance to the nearest",
            "nearest.median_distance",
            "%.2f",
            help=document["distance"],
        ),
        tables.number(
            "Distance between neighbors",
            "nearest.neighbor_distance",
            "%.2f",
            help="Median distance between neighboring slices of one head.",
        ),
    )
    tables.draw(document["arms"], columns, "leak", "Both splits, with scores and distances.")


def robustness(document: Document, text: Text) -> None:
    """Draw the cost of each input fault."""
    first, *rows = document["rows"]
    rows = sorted(rows, key=lambda row: -row["drop"])
    st.markdown(
        f"On {document['patients']} test patients ({document['slices']} slices) unaltered input gives "
        f"a Dice of **{first['dice']:.3f}**. Each mark below shows how much of it a fault costs."
    )
    bars = [
        IntervalRow(row["title"], row["drop"], row["drop_interval"], f"Dice {row['dice']:.3f}")
        for row in rows
    ]
    alt = "Dice lost to each fault, with intervals."
    chart(intervals(bars, "Dice lost", zero=True), "robustness", alt)
    changed = "Slices whose verdict the fault changed."
    columns = (
        tables.text("Fault", "title", width=230),
        tables.number("Dice lost", "drop", "%.3f"),
        tables.number("Dice", "dice", "%.3f"),
        tables.number("Worst patient loses", "worst", "%.3f"),
        tables.number("AUC lost", "auc_drop", "%.3f", help="Of the verdicts: is there a tumor?"),
        tables.number("Verdicts changed", "verdicts_changed", "%.1f%%", 100, help=changed),
        tables.text("What was done", "what", width=430),
        tables.TableColumn("Slices", "slices"),
    )
    tables.draw(rows, columns, "robustness", "Each fault with what it costs.")
    st.caption(document["sample"])


DRAW = {
    "crossval": crossval.draw_crossval,
    "screen": screen.draw_screen,
    "pairs": screen.draw_pairs,
    "leak": leak,
    "robustness": robustness,
    "transfer": transfer.transfer,
    "losses": losses.losses,
    "skips": losses.skips,
    "associate": genomics.associate,
}
