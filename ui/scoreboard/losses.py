"""The Scoreboard's experiments on losses and skip connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from ui.results import experiments
from ui.results.gradient_figures import gradients
from ui.scoreboard.comparison import FALSE_ALARMS, chart
from ui.scoreboard.experiment_charts import IntervalRow, curves, intervals
from ui.shared import tables

Text = dict[str, str]
Document = Mapping[str, Any]


def losses(document: Document, text: Text) -> None:
    """Draw the scores, curves and resulting masks of every loss."""
    arms = document["arms"]
    _scores(arms, "losses")
    masks(document, "losses")
    chart(
        curves(
            [
                (
                    arm["title"],
                    [row["slices"] for row in arm["curve"]],
                    [row["score"] for row in arm["curve"]],
                )
                for arm in arms
            ],
            "Slices trained on",
            "Mean Dice, validation",
        ),
        "losses.curves",
        "Mean Dice on validation patients by slices trained on.",
    )


def skips(document: Document, text: Text) -> None:
    """Draw scores, masks and gradients with and without skip connections."""
    _scores(document["arms"], "skips")
    masks(document, "skips")
    with st.expander("How much gradient reaches each layer", icon=":material/ssid_chart:"):
        st.markdown(text.get("Gradients", ""))
        _gradients(document)


def _gradients(document: Document) -> None:
    stacks = experiments.load("stacks") or {}
    start = [each for each in stacks.get("gradients", ()) if each["when"] == "start"]
    for entries, key, what in (
        (document["gradients"], "unet", "the U-Net with and without skips"),
        (start, "chain", "chains with and without residuals"),
    ):
        if entries:
            chart(gradients(entries), f"gradients.{key}", f"Gradients by depth of {what}.")


def _scores(arms: Sequence[Mapping[str, Any]], name: str) -> None:
    first, *_, last = sorted(arms, key=lambda arm: -arm["score"]["mean_dice"])
    said = [f"**{a['title']}** ({a['score']['mean_dice']:.3f})" for a in (first, last)]
    st.markdown(f"The highest mean Dice on validation patients: {said[0]}. The lowest: {said[1]}.")
    bars = [
        IntervalRow(arm["title"], arm["score"]["mean_dice"], arm["score"]["mean_dice_interval"])
        for arm in arms
    ]
    chart(
        intervals(bars, "Mean Dice, validation patients"),
        f"{name}.scores",
        "Mean Dice of every arm, with intervals.",
    )
    columns = (
        tables.text("Arm", "title", width=140 if name == "losses" else 280),
        tables.number("Mean Dice", "score.mean_dice", "%.3f", help="At threshold 0.5."),
        tables.number("False alarms", "score.false_alarm_rate", "%.1f%%", 100, help=FALSE_ALARMS),
        tables.number("Precision", "score.precision", "%.3f", help="Marked pixels that are tumor."),
        tables.number("Recall", "score.recall", "%.3f", help="Tumor pixels that are marked."),
        tables.number("Best threshold", "best_threshold", "%.2f", help="On these same patients."),
        tables.number(
            "Mean Dice there",
            lambda arm: max(row["mean_dice"] or 0 for row in arm["by_threshold"]),
            "%.3f",
        ),
        tables.TableColumn("Processor seconds", "cpu_seconds"),
        tables.text("Source", "source", width=330)
        if name == "losses"
        else tables.TableColumn("Source", "source"),
    )
    tables.draw(arms, columns, name, "Every arm with its scores.")


def masks(document: Document, name: str) -> None:
    """Draw the synthetic slices with the true mask and each arm's probability map."""
    shown = document["slices"]
    st.markdown("**On synthetic slices**: FLAIR, the truth, and each arm's probability")
    chosen = st.segmented_control(
        "Slice",
        range(len(shown)),
        format_func=lambda index: f"{_short(shown[index])}",
        default=0,
        required=True,
        key=f"scoreboard.{name}.slice",
        label_visibility="collapsed",
    )
    pictures = [("FLAIR", shown[chosen]["image_png"]), ("truth", shown[chosen]["truth_png"])]
    pictures += [
        (
            f"{arm['title']}: {arm['shown'][chosen]['marked_pixels']:,} px marked",
            arm["shown"][chosen]["levels_png"],
        )
        for arm in document["arms"]
    ]
    with st.container(horizontal=True, gap="small"):
        for caption, picture in pictures:
            st.image(experiments.picture(picture), caption=caption, width=140)


def _short(entry: Mapping[str, Any]) -> str:
    what = f"{entry['truth_pixels']:,} px of tumor" if entry["truth_pixels"] else "no tumor"
    return f"{entry['patient'][:12]}, slice {entry['number']}: {what}"
