"""Stops that show no patient: how good the networks are, and what they cannot do."""

from __future__ import annotations

import streamlit as st

from ui.results import headline, published
from ui.scoreboard import strip_plot
from ui.scoreboard.comparison import chart
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
        experts = published.load()["experts"]
        band = (experts["mean_dice"], experts["spread"]) if experts else None
        figure = strip_plot.patient_dots(rows, experts=band, row_height=150)
        figure.update_layout(font_size=20)
        figure.update_annotations(font_size=20)
        with picture:
            alt = "Dice of each patient with mean and median, and the band in which two experts agree."
            chart(figure, "present", alt)


def _draw_limits() -> None:
    st.markdown(sections("cards/present.md").get("Limits", ""))


_SLIDES = {"scoreboard": _draw_scoreboard, "limits": _draw_limits}
