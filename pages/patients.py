"""Patients: a cohort to choose from, and one patient as a whole."""

import streamlit as st

from ui import patients
from ui.content import sections
from ui.stack import Analyzed
from ui.state import View
from ui.workbench import workbench

text = sections("cards/patients.md")

st.title(text.get("Headline", "Patients"), anchor=False)
st.markdown(text.get("Sentence", ""))
choice = patients.choose(text)


def beside(analyzed: Analyzed, view: View) -> None:
    """Draw what the slices add up to."""
    patients.beside(choice, analyzed, view)


def under(analyzed: Analyzed, view: View) -> None:
    """Draw all slices, the tumor in space, or the record."""
    patients.under(analyzed, view, choice.start, text)


if choice:
    workbench(choice.stack, choice.start, beside, choice.model, under=under, page=patients.PAGE)
