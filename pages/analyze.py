"""Analyze: whether, and where, samples or the visitor's files show a tumor."""

from pathlib import Path

import streamlit as st

from btmodels.measurement.study import groups_of
from ui.analyze import slice_picker, uncertainty
from ui.analyze.results import answer, results, table
from ui.patients import page as patient
from ui.present import address, page
from ui.present.route_editor import editor
from ui.session import quality
from ui.session.stack import Analyzed
from ui.session.view_state import View, write_link
from ui.shared.content import sections
from ui.viewer.workbench import workbench

CSS = Path(slice_picker.__file__).with_name("analyze.css")
text = sections("cards/analyze.md")


def analyze() -> None:
    """Draw the choice of slices, the answer, the viewer with the two steps beside it, and the route."""
    st.html(CSS)
    bar = st.container(horizontal=True, vertical_alignment="center", key="controls")
    choice = slice_picker.choose(bar)
    linkable = choice is not None and choice.linkable

    def beside(analyzed: Analyzed, view: View) -> None:
        # The address must follow the visitor's actions, too.
        results(analyzed, view)
        query = slice_picker.files_query(view)
        if not linkable:
            page.remember_upload(analyzed.stack, choice.model, choice.verdict, view)
        else:
            number = analyzed.stack.slices[view.slice].number
            query = write_link(analyzed.stack.id, number, choice.model, view, choice.verdict)
        slice_picker.write(query | address.route_query())

    def under(analyzed: Analyzed, view: View) -> None:
        table(analyzed)
        if not linkable and len(groups_of(analyzed.stack.slices)) == 1 < len(analyzed.stack.slices):
            label = "See as a patient: all slices, area, 3-D and shape"
            if st.toggle(label, key="analyze.as_patient"):
                patient.under(analyzed, view, choice.start, sections("cards/patients.md"), own=True)
        uncertainty.draw(analyzed, view)

    if choice:
        with bar:
            page.present_button(uploads=not linkable)
        view = None if linkable else page.view_before_leaving(choice.stack)
        workbench(
            quality.corrected(choice.stack),
            view or choice.start,
            beside,
            choice.model,
            under=under,
            above=answer,
            follow=choice.follow and view is None,
            source=choice.verdict,
        )
        st.caption(text.get("Link" if linkable else "Upload", ""))
        st.markdown(text.get("Sentence", ""))
    editor(linkable)


if address.presenting():
    page.draw_presentation()
else:
    analyze()
