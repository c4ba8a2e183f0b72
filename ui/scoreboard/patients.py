"""The Scoreboard's tab *Patients and worst cases*: worst cases first, and a dot for each patient."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from ui.results import published
from ui.results.published import PatientRow
from ui.results.scores import Network, interval_of
from ui.scoreboard import strip_plot, worst_cases
from ui.scoreboard.choice import Choice
from ui.scoreboard.comparison import chart

Text = dict[str, str]

ROW_HEIGHT = 35
"""Height of a network's row of dots, in pixels: room for its name above them."""


def draw_patients(choice: Choice, text: Text) -> None:
    """Draw the worst cases of the chosen network, then every patient's Dice by network."""
    if choice.scored:
        st.header("Worst cases first", anchor=False)
        if choice.network.spec.task == "segment":
            worst_cases.draw_worst_masks(choice.network, choice.subset, text)
            worst_cases.draw_worst_in_folds(text)
        else:
            worst_cases.draw_worst_verdicts(choice.network, choice.subset, text)
    draw_dots(choice.of_task("segment"), choice.network, choice.subset, text)


def draw_dots(networks: Sequence[Network], chosen: Network, subset: str, text: Text) -> None:
    """Draw a dot for each patient and segmenter, with publications and the band of two experts."""
    rows = [
        _row(network, network is chosen, subset)
        for network in networks
        if network.scored.get(subset, {}).get("patients")
    ]
    if not rows:
        return
    st.header("Patient by patient", anchor=False)
    if subset == "samples":
        st.markdown(text.get("Patient by patient, synthetic", ""))
        figure = strip_plot.patient_dots(rows, row_height=ROW_HEIGHT)
    else:
        words = text.get("Patient by patient", "")
        st.markdown(words.replace("{experts}", published.experts_in_words()))
        figure = strip_plot.patient_dots(
            rows, published.rows_of_patients(), published.experts_band(), row_height=ROW_HEIGHT
        )
    chart(figure, "dots", "Dice of each patient by network, with means, medians and intervals.")


def _row(network: Network, chosen: bool, subset: str) -> PatientRow:
    scored = network.scored[subset]
    return PatientRow(
        network.spec.title,
        {folder: each.get("dice") for folder, each in scored["patients"].items()},
        mean=scored.get("mean_dice"),
        median=scored.get("median_dice"),
        interval=interval_of(scored, "mean_dice"),
        chosen=chosen,
    )
