"""Stops without a patient: the networks' scores, their limits, a lesson's figure."""

from __future__ import annotations

import streamlit as st

from ui.present.projected import project
from ui.results import experiments, headline, published, transfer_figures
from ui.scoreboard import strip_plot
from ui.shared.content import sections
from ui.shared.text import plain


def draw_slide(slide: str, caption: str) -> None:
    """Draw one of `ui.present.route.SLIDES` under its caption."""
    with st.container(key="slide"):
        if caption:
            st.subheader(plain(caption), anchor=False)
        _SLIDES[slide]()


def _draw_scoreboard() -> None:
    words, picture = st.columns([1, 1.2], gap="large", vertical_alignment="center")
    with words:
        st.markdown(headline.segmentation_sentence(headline.segmentation_scores()))
        st.markdown(headline.detection_sentence(headline.detection_score()))
    rows = headline.patient_rows()
    if rows:
        alt = "Dice of each patient with mean and median, and the band in which two experts agree."
        with picture:
            figure = strip_plot.patient_dots(rows, experts=published.experts_band())
            project(figure, "present.dots", alt)


def _draw_limits() -> None:
    st.markdown(sections("cards/present.md").get("Limits", ""))


def _draw_transfer() -> None:
    found = experiments.load("transfer")
    # The network and task shown first in the lesson.
    cells = transfer_figures.pick(found["cells"], "resnet50", "segment") if found else []
    words, picture = st.columns([1, 1.6], gap="large", vertical_alignment="center")
    with words:
        st.markdown(sections("cards/present.md").get("Transfer", ""))
    with picture:
        if not cells:
            st.info("This was not measured in this copy of the project.")
            return
        figure = transfer_figures.curves(cells, "slices")
        project(figure, "present.transfer", "Score during training.")


_SLIDES = {"scoreboard": _draw_scoreboard, "limits": _draw_limits, "transfer": _draw_transfer}
