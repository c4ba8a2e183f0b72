"""Analyze: samples or files of the visitor; is there a tumor, and where?"""

import streamlit as st

from ui import picker
from ui.content import sections
from ui.results import results, table
from ui.stack import Analyzed
from ui.state import View, write_link
from ui.workbench import workbench

text = sections("cards/analyze.md")

st.title(text.get("Headline", "Analyze"), anchor=False)
st.markdown(text.get("Sentence", ""))
choice = picker.choose()


def beside(analyzed: Analyzed, view: View) -> None:
    """Draw the two steps, and keep the address in step with the hand."""
    results(analyzed, view)
    query = {}
    if choice.linkable:
        number = analyzed.stack.slices[view.slice].number
        query = write_link(analyzed.stack.id, number, choice.model, view)
    picker.write(query)
    st.caption(text.get("Link" if choice.linkable else "Upload", ""))


if choice:
    workbench(choice.stack, choice.start, beside, choice.model, below=table)
else:
    picker.write({})
