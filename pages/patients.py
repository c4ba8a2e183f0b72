"""Patients: a cohort to choose from, and one whole patient."""

from pathlib import Path

import streamlit as st

from ui.analyze import results
from ui.patients import page
from ui.present import address
from ui.present import page as present
from ui.session.stack import Analyzed
from ui.session.view_state import View
from ui.shared.content import sections
from ui.viewer.workbench import workbench

text = sections("cards/patients.md")


def beside(analyzed: Analyzed, view: View) -> None:
    """Draw the patient's totals."""
    page.beside(choice, analyzed, view)


def under(analyzed: Analyzed, view: View) -> None:
    """Draw all slices, the tumor in 3-D, or the patient's record."""
    page.under(analyzed, view, choice.start, text)


if address.presenting():
    present.draw_presentation()
else:
    st.html(Path(results.__file__).with_name("analyze.css"))
    bar = st.container(horizontal=True, vertical_alignment="center", key="controls")
    choice = page.choose(text, bar)
    if choice:
        with bar:
            present.present_button()
        workbench(
            choice.stack,
            choice.start,
            beside,
            choice.model,
            under=under,
            page=page.PAGE,
            above=results.answer,
            follow=choice.follow,
        )
    page.offer(text)
