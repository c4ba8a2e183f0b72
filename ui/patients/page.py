"""The Patients page: choose one of a cohort, see all of their slices, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from btmodels import registry
from ui.analyze import slice_picker
from ui.analyze.slice_picker import Choice
from ui.patients import download, figures
from ui.patients.scores import Tally, tally
from ui.patients.table import recorded_dice, table
from ui.session import analysis, samples
from ui.session.stack import Analyzed
from ui.session.view_state import View, write_link
from ui.shared import badges
from ui.viewer import gallery

PAGE = "patients"
SLICES, SPACE, RECORD = "All slices", "In space and in figures", "The record"
SECTION = "patients.section"
"""Session key of the choice of what is shown below the viewer."""


def choose(text: Mapping[str, str]) -> Choice | None:
    """Draw the cohort and the choice of a patient; None where no slice of the patient can be read.

    Args:
        text: Of the page, by heading.
    """
    library = samples.library()
    if not library.has_data:
        download.offer(text)
    cohort = library.samples | library.empty
    link = slice_picker.read(PAGE, cohort)
    if cohort:
        st.session_state.setdefault(_key(), next(iter(cohort)))
        table(cohort, _key())
    choice = slice_picker.from_samples(PAGE, link, cohort, library.problems)
    if choice is None:
        slice_picker.write({}, PAGE)
    return choice


def beside(choice: Choice, analyzed: Analyzed, view: View) -> None:
    """Draw what the slices of the patient add up to, and keep the address in step with the hand."""
    stack = analyzed.stack
    counted = tally(analyzed, view.threshold)
    st.subheader(stack.id, anchor=False)
    provenance = stack.provenance[view.slice]
    with st.container(horizontal=True, vertical_alignment="center"):
        badges.draw(provenance)
        st.markdown(f"{len(stack.slices)} slices")
    _progress(analyzed, counted)
    _score(analyzed, counted, provenance, view)
    number = stack.slices[view.slice].number
    query = write_link(stack.id, number, choice.model, view)
    slice_picker.write(query, PAGE)
    st.page_link(
        "pages/analyze.py",
        label="Take this slice apart on Analyze",
        icon=":material/biotech:",
        query_params=query,
    )


def under(analyzed: Analyzed, view: View, start: View, text: Mapping[str, str]) -> None:
    """Draw all slices, the tumor in space, or the record, as the visitor chooses."""
    # What is not looked at is not computed.
    section = st.segmented_control(
        "Show of this patient",
        [SLICES, SPACE, RECORD],
        default=SLICES,
        required=True,
        key=SECTION,
        label_visibility="collapsed",
    )
    counted = tally(analyzed, view.threshold)
    if section == SLICES:
        st.caption(text.get("All slices", ""))
        gallery.gallery(analyzed, start)
        st.subheader("Area in each slice", anchor=False)
        st.caption(text.get("Area", ""))
        figures.area(analyzed, view, counted)
    elif section == SPACE:
        figures.in_space(analyzed, counted)
    else:
        figures.record(samples.library().samples[analyzed.stack.id], text)


def _key() -> str:
    return f"{PAGE}.{slice_picker.PATIENT}"


def _progress(analyzed: Analyzed, counted: Tally) -> None:
    done = sum(each is not None for each in analyzed.analyses)
    if analyzed.pending:
        words = f"Segmenting the patient: {done} of {len(counted.masks)} slices"
        st.progress(done / len(counted.masks), words)
        if not done:
            st.caption(analyzed.message)
    elif analyzed.message:
        st.warning(analyzed.message, icon=":material/do_not_disturb_on:")


def _score(analyzed: Analyzed, counted: Tally, provenance: str, view: View) -> None:
    if analyzed.pending and not counted.complete:
        st.skeleton(150)
    elif counted.scored:
        _dice(analyzed, counted, view)
        meaning = badges.badge_of(provenance).meaning
        if provenance == "train":
            st.warning(meaning, icon=":material/model_training:")
        else:
            st.caption(meaning)
    left, right = st.columns(2)
    left.metric("Predicted, all slices", _pixels(counted.predicted))
    right.metric("True, all slices", _pixels(counted.true))
    left.caption(_marked(counted.predicted))
    right.caption(_marked(counted.true))


def _dice(analyzed: Analyzed, counted: Tally, view: View) -> None:
    shown = "undefined" if counted.dice is None else f"{counted.dice:.3f}"
    st.metric(
        "Dice of this patient",
        shown,
        help="Overlap of prediction and truth over all slices together: 1 is the same, 0 is none.",
    )
    words = []
    if counted.dice is None:
        words.append("Truth and model both leave all slices empty, so there is no Dice score.")
    if counted.scored < len(counted.masks):
        words.append(f"Scored on {counted.scored} of {len(counted.masks)} slices with a true mask.")
    if view.threshold != analyzed.threshold:
        words.append(f"At threshold {view.threshold:.2f}, set by hand.")
    elif analyzed.model == registry.get(analysis.SEGMENTER).name:
        recorded = recorded_dice().get(analyzed.stack.id)
        if recorded is not None:
            words.append(f"The record of these weights says {recorded:.3f}.")
    if words:
        st.caption(" ".join(words))


def _pixels(values: tuple[int | None, ...]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known):,} px" if known else "–"


def _marked(values: tuple[int | None, ...]) -> str:
    known = [value for value in values if value is not None]
    return f"in {sum(value > 0 for value in known)} of {len(known)} slices" if known else ""
