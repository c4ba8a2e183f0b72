"""Analyze: samples or files of the visitor; is there a tumor, and where?"""

import streamlit as st

from ui import clinic, picker, present, trust
from ui.content import sections
from ui.results import results, table
from ui.route_editor import editor
from ui.stack import Analyzed
from ui.state import View, write_link
from ui.workbench import workbench

text = sections("cards/analyze.md")


def analyze() -> None:
    """Draw the choice of slices, the viewer with the two steps beside it, and the route."""
    headline, button = st.columns([5, 1], vertical_alignment="center")
    headline.title(text.get("Headline", "Analyze"), anchor=False)
    st.markdown(text.get("Sentence", ""))
    choice = picker.choose()
    linkable = choice is not None and choice.linkable

    def beside(analyzed: Analyzed, view: View) -> None:
        # Keep the address in step with the hand, too.
        results(analyzed, view)
        query = {}
        if linkable:
            number = analyzed.stack.slices[view.slice].number
            query = write_link(analyzed.stack.id, number, choice.model, view)
        picker.write(query | present.kept())
        st.caption(text.get("Link" if linkable else "Upload", ""))

    if linkable:
        with button:
            present.switch()
    if choice:
        stack = clinic.treated(choice.stack)
        workbench(stack, choice.start, beside, choice.model, below=table, under=trust.draw)
    else:
        picker.write({})
    editor(linkable)


if present.on():
    present.page()
else:
    analyze()
