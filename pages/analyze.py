"""Analyze: samples or files of the visitor; is there a tumor, and where?"""

import streamlit as st

from ui.analyze import slice_picker, uncertainty
from ui.analyze.results import results, table
from ui.present import page
from ui.present.route_editor import editor
from ui.session import quality
from ui.session.stack import Analyzed
from ui.session.view_state import View, write_link
from ui.shared.content import sections
from ui.viewer.workbench import workbench

text = sections("cards/analyze.md")


def analyze() -> None:
    """Draw the choice of slices, the viewer with the two steps beside it, and the route."""
    headline, button = st.columns([5, 1], vertical_alignment="center")
    headline.title(text.get("Headline", "Analyze"), anchor=False)
    st.markdown(text.get("Sentence", ""))
    choice = slice_picker.choose()
    linkable = choice is not None and choice.linkable

    def beside(analyzed: Analyzed, view: View) -> None:
        # Keep the address in step with the hand, too.
        results(analyzed, view)
        query = {}
        if not linkable:
            page.remember_upload(analyzed.stack, choice.model, view)
        else:
            number = analyzed.stack.slices[view.slice].number
            query = write_link(analyzed.stack.id, number, choice.model, view)
        slice_picker.write(query | page.route_query())
        st.caption(text.get("Link" if linkable else "Upload", ""))

    if choice:
        with button:
            page.present_button(uploads=not linkable)
        stack = quality.corrected(choice.stack)
        workbench(stack, choice.start, beside, choice.model, below=table, under=uncertainty.draw)
    else:
        slice_picker.write({})
    editor(linkable)


if page.presenting():
    page.draw_presentation()
else:
    analyze()
