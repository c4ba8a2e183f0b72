"""Patients: a cohort to choose from, and one patient as a whole."""

import streamlit as st

from ui.patients import page
from ui.present import page as present
from ui.session.stack import Analyzed
from ui.session.view_state import View
from ui.shared.content import sections
from ui.viewer.workbench import workbench

text = sections("cards/patients.md")


def beside(analyzed: Analyzed, view: View) -> None:
    """Draw what the slices add up to."""
    page.beside(choice, analyzed, view)


def under(analyzed: Analyzed, view: View) -> None:
    """Draw all slices, the tumor in space, or the record."""
    page.under(analyzed, view, choice.start, text)


if present.presenting():
    present.draw_presentation()
else:
    headline, button = st.columns([5, 1], vertical_alignment="center")
    headline.title(text.get("Headline", "Patients"), anchor=False)
    st.markdown(text.get("Sentence", ""))
    choice = page.choose(text)
    if choice:
        with button:
            present.present_button()
        workbench(choice.stack, choice.start, beside, choice.model, under=under, page=page.PAGE)
